--- Odd input for the readers of the client that are written in Lua: every model against values of any shape, .env files, date-times, answers of
-- servers. Nothing may raise, and what is read must be readable again as it is. The sequence is the same in every run.
local symbi = require "symbi"
local model = require "symbi.api.model"
local datetime = require "symbi.api.datetime"
local dotenv = require "symbi.client.dotenv"
local api = require "symbi.api"
local json, null = symbi.json, symbi.null

local ROUNDS = tonumber(os.getenv "SYMBI_ROUNDS") or 1 -- more of the same: SYMBI_ROUNDS=50
local state = 20261122
local function random(n) -- 1..n
    state = (state * 1103515 + 12345) % 2147483648
    return math.floor(state / 65536) % n + 1
end

local SCALARS = { null, true, false, 0, 1, -1, 0.5, 5.0, 1e308, -1e308, 2 ^ 53, 1 / 0, 0 / 0, "", "5", "5.5", "yes", "x", "\255", "2026-01-02T03:04:05Z", "2026-13-41", ("9"):rep(400), "0x10", "1e5", " 7 ", "idle", "tool_call" }

local function value(depth)
    local kind = depth > 4 and 1 or random(6)
    if kind <= 3 then return SCALARS[random(#SCALARS)] end
    local out = {}
    if kind == 4 then
        for i = 1, random(4) - 1 do out[i] = value(depth + 1) end
        return symbi.array(out)
    end
    if kind == 5 then
        for _ = 1, random(4) do out["k" .. random(5)] = value(depth + 1) end
        return out
    end
    out[1], out.mixed, out[true] = 1, 2, 3
    return out
end

local function object(m)
    local out = {}
    for _, f in ipairs(m.fields) do
        if random(4) > 1 then out[f.name] = value(1) end
    end
    if random(8) == 1 then out[random(3)] = 1 end
    return out
end

describe("odd input", function()
    it("never makes a model raise, and what is accepted is accepted again", function()
        local accepted = 0
        for _, name in ipairs(model.names()) do
            local m = model.get(name)
            for _ = 1, 40 do
                local v = m.kind == "model" and random(5) > 1 and object(m) or value(0)
                for _, options in ipairs { {}, { exact = true }, { keep = true, nulls = true } } do
                    local ok, out, message, err = pcall(m.read, v, options)
                    assert.is_true(ok, name .. ": " .. tostring(out))
                    if out == nil then
                        assert.is_string(message)
                        assert.truthy(err:is "ValidationError")
                        assert.truthy(#err.errors > 0 and #err.errors <= 100)
                    else
                        accepted = accepted + 1
                        local again, why = m.read(out, options)
                        assert.truthy(again ~= nil, name .. ": " .. tostring(why))
                    end
                end
            end
        end
        assert.truthy(accepted > 100)
    end)

    it("never makes a date-time raise, and its normal form is stable", function()
        local pieces = { "2026", "-", "01", "02", "T", " ", "03", ":", "04", "Z", "+02:00", "-0000", ".5", ".1234567890", "t", "z", "31", "9999", "1767323045", "00", "60" }
        for _ = 1, 20000 do
            local text = ""
            for _ = 1, random(12) do text = text .. pieces[random(#pieces)] end
            local out = datetime.normal(text)
            if out then
                assert.equal(out, datetime.normal(out), text)
                assert.is_number((datetime.to_unix(out)), text)
            end
        end
        for _, t in ipairs { 0, -1, 1e9, 1767323045.25, 2e10, 2.1e10, 1e300, -1e300, 1 / 0, 0 / 0, 253402300799, -62135596800 } do
            local text = datetime.from_unix(t)
            if text then assert.equal(text, datetime.normal(text)) end
        end
    end)

    it("never makes a .env file raise", function()
        local pieces = { "A", "B", "=", "'", '"', "\\", "\n", "\r\n", "#", " ", "\t", "export ", "${A}", "${", "}", "$", ":-", "é", "\0", "%", "-" }
        for _ = 1, 5000 do
            local text = ""
            for _ = 1, random(30) do text = text .. pieces[random(#pieces)] end
            local ok, out, more = pcall(dotenv.parse, text, function() return nil end)
            assert.is_true(ok, ("%q"):format(text) .. tostring(out))
            if out then for k, v in pairs(out) do assert.truthy(type(k) == "string" and type(v) == "string") end
            else assert.is_string(more) end
        end
    end)

    it("never makes a method raise, whatever a server answers and a program gives", function()
        local body, status
        local function client(mode) return assert(symbi.client { api_key = "k", base_url = "http://h", env = {}, dotenv = false, max_retries = 0, validation_mode = mode, transport = {
            now = function() return 0 end, sleep = function() return true end,
            request = function() return { status = status, headers = { { "Retry-After", "x" } }, body = body } end,
        } }) end
        local clients = { client "development", client "strict", client "performance" }
        local statuses = { 200, 200, 200, 204, 302, 400, 401, 403, 404, 405, 409, 429, 500, 501, 503 }
        for _, e in ipairs(api.endpoints) do
            for round = 1, 30 do
                local c = clients[round % 3 + 1]
                local home = e.group and c[e.group] or c
                status = statuses[random(#statuses)]
                local ok, text = pcall(json.encode, value(0))
                body = ok and text or ({ "", "{", "<html>", "null", "[]", "{}", "\255" })[random(7)]
                local args = {}
                for i, a in ipairs(e.args) do args[i] = random(3) == 1 and value(0) or a.where == "path" and "id" or value(1) end
                local fine, out, message, err = pcall(home[e.name], home, (table.unpack or unpack)(args, 1, #e.args))
                assert.is_true(fine, e.full .. ": " .. tostring(out))
                if out == nil and message ~= nil then assert.truthy(type(message) == "string" and err.name, e.full .. ": " .. tostring(message)) end
            end
        end
    end)

    -- A value that a type accepts.
    local function example(type_, near, depth)
        local kind = type_.kind
        if kind == "str" then return "text" end
        if kind == "int" then return 1 end
        if kind == "float" then return 0.5 end
        if kind == "bool" then return true end
        if kind == "any" then return { x = 1 } end
        if kind == "datetime" then return "2026-01-02T03:04:05Z" end
        if kind == "list" or kind == "set" then return symbi.array { example(type_.of, near, depth + 1) } end
        if kind == "dict" then return { k = example(type_.of, near, depth + 1) } end
        if kind == "union" then return example(type_[1], near, depth + 1) end
        local m = model.get(near .. "." .. type_.name) or model.get(type_.name)
        if m.kind == "enum" then return m.values[1] end
        local out, module = {}, m.full:match "^(%l+)%."
        for _, f in ipairs(m.fields) do
            if f.required or depth < 3 then out[f.name] = example(f.type, module, depth + 1) end
        end
        return symbi.object(out)
    end

    it("never makes the reading of an answer raise, wherever it is cut or changed", function()
        local whole = 0
        for _, name in ipairs(model.names()) do
            local m = model.get(name)
            local module, bare = name:match "^(%l+)%.(.+)$"
            local value_of = example({ kind = "ref", name = bare }, module, 0)
            local text = assert(json.encode(value_of))
            local out, message = m.read(assert(json.decode(text, { bigint = "string" })), { keep = true })
            assert.truthy(out ~= nil, name .. ": " .. tostring(message))
            for _ = 1, 12 * ROUNDS do
                local at, changed = random(#text), nil
                local how = random(4)
                if how == 1 then changed = text:sub(1, at)
                elseif how == 2 then changed = text:sub(1, at - 1) .. string.char(random(256) - 1) .. text:sub(at + 1)
                elseif how == 3 then changed = text:sub(1, at - 1) .. ({ "null", "[]", "{}", '"', "-", "1e999", "9007199254740993", "\\u0000", "," })[random(9)] .. text:sub(at + 1)
                else changed = text:sub(1, at) .. text:sub(random(#text)) end
                local ok, again, why = pcall(function()
                    local v, problem = json.decode(changed, { bigint = "string" })
                    if v == nil then return nil, problem end
                    return m.read(v, { keep = true })
                end)
                assert.is_true(ok, name .. ": " .. changed .. ": " .. tostring(again))
                if again ~= nil then whole = whole + 1 else assert.is_string(why) end
            end
        end
        assert.truthy(whole > 100, whole)
    end)

    it("never makes a configuration file raise", function()
        local path = os.tmpname()
        local pieces = { "timeout", "api_key", "auth", "jwt_secret_key", "base_url", ":", " ", "\n", "  ", "5", "{", "}", "[", "]", '"', "'", ",", "-", "#", "&a", "*a", "!!int", "|", ">", "\t", "null", "true", "\239\187\191", "\0", "---", "?", "é" }
        for i = 1, 200 * ROUNDS do
            local text = i % 2 == 0 and "" or "timeout: 5\n"
            for _ = 1, random(14) do text = text .. pieces[random(#pieces)] end
            for _, extension in ipairs { ".yaml", ".json" } do
                local f = assert(io.open(path .. extension, "wb"))
                f:write(text)
                f:close()
                local m = symbi.config.manager { env = {}, dotenv = false }
                local ok, c, message, err = pcall(m.load, m, path .. extension)
                assert.is_true(ok, ("%q: %s"):format(text, tostring(c)))
                if c == nil then assert.truthy(type(message) == "string" and err:is "ConfigurationError", ("%q: %s"):format(text, tostring(message)))
                else assert.is_number(c.timeout) end
            end
        end
        for _, extension in ipairs { "", ".yaml", ".json" } do os.remove(path .. extension) end
    end)

    it("never lets a path or a query lead to another origin", function()
        local pipeline = require "symbi.client.pipeline"
        local pieces = { "/", "//", "..", ".", "?", "#", "@", ":", "\\", "%2e", "%", "http:", "https://evil", "h", "é", " ", "\0", "\r\n", "api/v1", "a", "=", "&", ";" }
        local function text()
            local out = ""
            for _ = 1, random(8) do out = out .. pieces[random(#pieces)] end
            return out
        end
        local good = 0
        for _ = 1, 3000 * ROUNDS do
            local path, query = text(), random(3) == 1 and { { text(), text() } } or {}
            local ok, url, message = pcall(pipeline.url, "http://h:81/base", path, query)
            assert.is_true(ok, ("%q: %s"):format(path, tostring(url)))
            if url then
                good = good + 1
                assert.equal("http://h:81/", url:sub(1, 12), ("%q"):format(path))
                local u = assert(symbi.core.wire.url(url))
                assert.equal("h:81", u.authority)
            else
                assert.is_string(message)
            end
        end
        assert.truthy(good > 100, good)
    end)
end)
