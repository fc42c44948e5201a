--- .env files: KEY=VALUE lines as python-dotenv reads them. Values are never part of a message.
local M = {}

local MAX = 1024 * 1024
local ESCAPES = { n = "\n", r = "\r", t = "\t", a = "\a", b = "\b", f = "\f", v = "\v" }

-- ${NAME} and ${NAME:-default}, from what the file said before and then from the environment.
local function expand(value, known, getenv)
    local out, at = {}, 1
    while true do
        local open = value:find("${", at, true)
        local close = open and value:find("}", open, true)
        if not close then break end
        local inside = value:sub(open + 2, close - 1)
        local name, default = inside:match "^([^:]*):%-(.*)$"
        name = name or inside:match "^[^:]*$"
        if name then
            out[#out + 1] = value:sub(at, open - 1) .. (known[name:upper()] or getenv(name) or default or "")
            at = close + 1
        else
            out[#out + 1] = value:sub(at, open + 1)
            at = open + 2
        end
    end
    return table.concat(out) .. value:sub(at)
end

local function quoted(text, at, quote)
    local out = {}
    while at <= #text do
        local c = text:sub(at, at)
        if c == quote then return table.concat(out), at + 1 end
        if c == "\\" and at < #text then
            local e = text:sub(at + 1, at + 1)
            if e == "\\" or e == quote then out[#out + 1] = e
            elseif quote == '"' and ESCAPES[e] then out[#out + 1] = ESCAPES[e]
            else out[#out + 1] = c .. e end
            at = at + 2
        else
            out[#out + 1] = c
            at = at + 1
        end
    end
    return nil
end

-- A value without quotes: up to a # that white space stands before. Found step by step: patterns take quadratic time for long white space.
local function bare(rest)
    local at = rest:find("#", 1, true)
    while at and not (at > 1 and rest:find("^%s", at - 1)) do at = rest:find("#", at + 1, true) end
    return (at and rest:sub(1, at - 1) or rest):gsub("^%s+", ""):match "^.*%S" or ""
end

--- Reads the text of a .env file. Returns NAME (upper case) -> value, and a list of warnings; or nil and a message.
function M.parse(text, getenv)
    getenv = getenv or os.getenv
    if #text > MAX then return nil, ".env is larger than 1 MiB" end
    if text:find("%z") then return nil, ".env has a NUL byte" end
    text = text:gsub("^\239\187\191", ""):gsub("\r\n", "\n"):gsub("\r", "\n")
    local out, warnings, at, line = {}, {}, 1, 1
    while at <= #text do
        local stop = text:find("\n", at, true) or #text + 1
        local here, start = line, at
        local key, after = text:match("^[ \t]*export[ \t]+([^=#%s]+)[ \t]*()", at)
        if not key then key, after = text:match("^[ \t]*([^=#%s]+)[ \t]*()", at) end
        local bad
        if key and text:sub(after, after) == "=" then
            local from = text:match("^[ \t]*()", after + 1)
            local first = text:sub(from, from)
            local value
            if first == "'" or first == '"' then
                local past
                value, past = quoted(text, from + 1, first)
                if value then
                    stop = text:find("\n", past, true) or #text + 1
                    local rest = text:sub(past, stop - 1)
                    if rest:find "^[ \t]*$" or rest:find "^[ \t]*#" then
                        if first == '"' then value = expand(value, out, getenv) end
                    else
                        value = nil
                    end
                end
                bad = value == nil
            else
                value = expand(bare(text:sub(after + 1, stop - 1)), out, getenv)
            end
            if value then out[key:upper()] = value end
        elseif key and text:sub(after, after) ~= "\n" and after <= #text then
            bad = not text:sub(start, stop - 1):find "^%s*#"
        end
        if bad then warnings[#warnings + 1] = ".env line " .. here .. " is malformed and was skipped" end
        local _, newlines = text:sub(start, stop):gsub("\n", "")
        line = line + newlines
        at = stop + 1
    end
    return out, warnings
end

return M
