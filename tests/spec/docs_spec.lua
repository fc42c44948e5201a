-- Every ```lua block of the README and the guides is run as it stands, on every VM; what it prints must be what its `-->` comments say.
local function read(path)
    local f = assert(io.open(path, "rb"))
    local text = f:read("*a")
    f:close()
    return text
end

local function documents()
    local list = { "README.md" }
    local p = assert(io.popen("ls scripts/guide/*.md 2>/dev/null"))
    for path in p:lines() do list[#list + 1] = path end
    p:close()
    return list
end

local function blocks(path)
    local out, line, open, lang, start = {}, 0, nil, nil, nil
    for l in (read(path) .. "\n"):gmatch("(.-)\r?\n") do
        line = line + 1
        local fence = l:match("^```(.*)$")
        if fence and not open then
            open, lang, start = {}, fence, line
        elseif fence then
            out[#out + 1] = { lang = lang, text = table.concat(open, "\n"), line = start }
            open = nil
        elseif open then
            open[#open + 1] = l
        end
    end
    assert.is_nil(open, path .. ": a code block is not closed")
    return out
end

local function squeeze(s) return (s:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end

local function expected(text)
    local list = {}
    for e in text:gmatch("%-%->%s*([^\n]+)") do list[#list + 1] = squeeze(e) end
    return list
end

local load_text = loadstring or load -- luacheck: ignore

describe("the documentation", function()
    local n = 0
    for _, path in ipairs(documents()) do
        for _, b in ipairs(blocks(path)) do
            if b.lang == "lua" then
                n = n + 1
                it(path .. ":" .. b.line .. " runs and prints what it says", function()
                    local printed = {}
                    local chunk = assert(load_text(b.text, "@" .. path .. ":" .. b.line))
                    local old = print
                    _G.print = function(...) -- luacheck: ignore
                        local parts = {}
                        for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
                        printed[#printed + 1] = squeeze(table.concat(parts, " "))
                    end
                    local ok, err = pcall(chunk)
                    _G.print = old -- luacheck: ignore
                    assert(ok, err)
                    assert.same(expected(b.text), printed)
                end)
            end
        end
    end
    it("has Lua examples", function() assert.is_true(n >= 1) end)
end)
