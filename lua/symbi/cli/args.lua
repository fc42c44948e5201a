--- The command lines of sub-commands, and text that is safe to show.
--   o, command = args.parse("skills", usage, { scan = { json = "flag", profile = "text", limit = "number", rest = "DIR" } }, argv)
-- o is nil when there is nothing to do: then the second value is the exit status. kinds: "flag", "text" (not empty), "number" (a
-- whole one, not negative), "list" (may be repeated). rest: what the other words are called; they are in o.rest. Words after "--" are
-- never options.
local M = {}

local LEADS = { -- lead bytes, what the second byte may be, and how many bytes follow it
    { "\194-\223", "\128-\191", 0 }, { "\224", "\160-\191", 1 }, { "\225-\236\238\239", "\128-\191", 1 }, { "\237", "\128-\159", 1 },
    { "\240", "\144-\191", 2 }, { "\241-\243", "\128-\191", 2 }, { "\244", "\128-\143", 2 },
}

--- Text as UTF-8: bytes that are none (file names may hold any) are written \xHH, as reports of the skill scanner write them.
function M.utf8(s)
    if not s:find "[\128-\255]" then return s end
    local out, i = {}, 1
    while i <= #s do
        local from, to = s:find("^[^\128-\255]+", i)
        for k = 1, from and 0 or #LEADS do
            local lead = LEADS[k]
            if not from then from, to = s:find("^[" .. lead[1] .. "][" .. lead[2] .. "]" .. ("[\128-\191]"):rep(lead[3]), i) end
        end
        out[#out + 1] = from and s:sub(from, to) or ("\\x%02x"):format(s:byte(i))
        i = (to or i) + 1
    end
    return table.concat(out)
end

--- One line of text that a terminal shows and does not obey: control characters, C1 and bidirectional controls become "?".
function M.safe(s, max)
    s = M.utf8(tostring(s)):gsub("[%z\1-\31\127]", "?")
    s = s:gsub("\194[\128-\159]", "?"):gsub("\226\128[\142\143\168-\174]", "?"):gsub("\226\129[\166-\169]", "?")
    if max and #s > max then
        s = s:sub(1, max - 3)
        while #s > 0 and s:byte(-1) >= 128 do s = s:sub(1, -2) end -- never half a character
        s = s .. "..."
    end
    return s
end

local function clean(v)
    if type(v) == "string" then return M.utf8(v) end
    if type(v) ~= "table" then return v end
    local out = {}
    for k, x in pairs(v) do out[clean(k)] = clean(x) end
    return getmetatable(v) ~= nil and require("symbi").array(out) or out -- a list, also an empty one
end

--- A value as JSON for --json, always: names of files and the like that are not UTF-8 are shown as utf8() has them.
function M.json(value)
    local json = require("symbi").json
    local text, why = json.encode(value)
    if not text then text, why = json.encode(clean(value)) end
    return text or error("the answer cannot be written as JSON: " .. tostring(why), 0)
end

--- Says what was wrong with the command line, and how it goes. Returns the exit status.
function M.misuse(verb, usage, message)
    io.stderr:write("symbi-lua ", verb, ": ", message, "\n", usage, "\n")
    return 2
end

local function value_of(kind, name, value)
    if value == nil or value == "" then return nil, "--" .. name .. " needs a value" end
    if kind ~= "number" then return value end
    local n = tonumber(value)
    if not n or n < 0 or n % 1 ~= 0 or n > 2 ^ 53 then return nil, "--" .. name .. " needs a whole number, not '" .. M.safe(value, 60) .. "'" end
    return n
end

--- The words from number `from` on, for a verb without sub-commands or after one: options and o.rest, or nil and the exit status. `called`
-- is what messages call the command.
function M.options(verb, usage, known, argv, from, called)
    local out, i, plain = { rest = {} }, from, false
    while argv[i] ~= nil do
        local word = argv[i]
        local name, value = word:match "^%-%-([%a%-]+)=(.*)$"
        name = name or word:match "^%-%-([%a%-]+)$"
        if not plain and word == "--" then
            plain = true
        elseif not plain and (word == "--help" or word == "-h") then
            print(usage)
            return nil, 0
        elseif plain or not word:find "^%-." then
            if not known.rest then return nil, M.misuse(verb, usage, called .. " does not take '" .. M.safe(word, 60) .. "'") end
            out.rest[#out.rest + 1] = word
        else
            local kind = name and name ~= "rest" and known[name]
            if not kind then return nil, M.misuse(verb, usage, called .. " does not know '" .. M.safe(word, 60) .. "'") end
            if kind == "flag" then
                if value then return nil, M.misuse(verb, usage, "--" .. name .. " takes no value") end
                out[name] = true
            else
                if not value then
                    i = i + 1
                    value = argv[i]
                end
                local message
                value, message = value_of(kind, name, value)
                if value == nil then return nil, M.misuse(verb, usage, message) end
                if kind == "list" then
                    out[name] = out[name] or {}
                    table.insert(out[name], value)
                else
                    out[name] = value
                end
            end
        end
        i = i + 1
    end
    return out
end

function M.parse(verb, usage, commands, argv)
    local command = argv[1]
    if command == nil or command == "--help" or command == "-h" or command == "help" then
        print(usage)
        return nil, command == nil and 2 or 0
    end
    local known = commands[command]
    if not known then return nil, M.misuse(verb, usage, "unknown command '" .. M.safe(command, 60) .. "'") end
    local out, status = M.options(verb, usage, known, argv, 2, command)
    if not out then return nil, status end
    return out, command
end

--- Rows of text under titles, each cell made safe, the last column as long as it is.
function M.print_table(titles, rows)
    local width = {}
    for i, t in ipairs(titles) do width[i] = #t end
    for _, row in ipairs(rows) do
        for i = 1, #titles do
            row[i] = M.safe(row[i] == nil and "" or row[i], 160)
            if #row[i] > width[i] then width[i] = #row[i] end
        end
    end
    local function line(row)
        local cells = {}
        for i = 1, #titles - 1 do cells[i] = row[i] .. (" "):rep(width[i] - #row[i]) end
        cells[#titles] = row[#titles]
        print((table.concat(cells, "  "):gsub("%s+$", "")))
    end
    line(titles)
    for _, row in ipairs(rows) do line(row) end
end

--- The one word that a command takes besides its options: o.operand. Returns o, command, or nil and the exit status.
function M.operand(verb, usage, o, command, called)
    if #o.rest > 1 then return nil, M.misuse(verb, usage, command .. " does not take '" .. M.safe(o.rest[2], 60) .. "'") end
    o.operand = o.rest[1]
    if called and not o.operand then return nil, M.misuse(verb, usage, command .. " needs " .. called) end
    return o, command
end

return M
