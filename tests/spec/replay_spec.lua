--- symbi.io.replay: what it reads, what it refuses, and what it expects of a run.
local replay = require "symbi.io.replay"
local json = require("symbi.core").json

local path

local function file(text)
    path = os.tmpname()
    local f = assert(io.open(path, "wb"))
    f:write(text)
    f:close()
    return path
end

local function effect(...) return { kind = "model", request = { messages = { ... } } } end

describe("symbi.io.replay", function()
    after_each(function() if path then os.remove(path) end path = nil end)

    it("gives the turns in order, in the neutral form", function()
        for _, text in ipairs {
            '{"note":"n","turns":[{"content":"one"},{"tool_calls":[{"name":"t","arguments":{"a":[],"b":{},"c":null}}]}]}',
            '[{"content":"one"},{"tool_calls":[{"name":"t","arguments":{"a":[],"b":{},"c":null}}]}]',
            '{"content":"one"}\r\n\n{"tool_calls":[{"name":"t","arguments":{"a":[],"b":{},"c":null}}]}\n',
        } do
            local r = assert(replay.open(file(text)))
            assert.are.equal('{"content":"one"}', r:model(effect()).neutral)
            assert.are.equal(1, r:left())
            assert.are.equal('{"tool_calls":[{"arguments":{"a":[],"b":{},"c":null},"name":"t"}]}', r:model(effect()).neutral)
            os.remove(path)
        end
    end)

    it("says when it is used up", function()
        local r = assert(replay.open(file '{"content":"only"}'))
        assert(r:model(effect()))
        for _ = 1, 2 do
            local reply, message, err = r:model(effect())
            assert.is_nil(reply)
            assert.are.equal("the recording " .. path .. " is used up: the run asks for turn 2, it has 1", message)
            assert.are.equal("ENOTFOUND", err.code)
        end
    end)

    it("names the place of a mistake", function()
        for text, want in pairs {
            [""] = "no turns", ["  \n"] = "no turns", ["[]"] = "no turns", ['{"turns":[]}'] = "no turns",
            ['{"turns":3}'] = "turns must be a list", ['{"turns":[],"more":1}'] = "unknown member 'more'", ["7"] = "an object with turns",
            ['[{"content":"a"},{"text":"b"}]'] = "turn 2 has neither", ["[[1]]"] = "turn 1 must be an object", ["[null]"] = "turn 1 must be an object",
            ['{"content":"a"}\n{"content":\n'] = "line 2", ['{"turns":[\n{"content":"a",}]}'] = "line 2",
            ['{"content":"a","expect":{"tool":"x"}}'] = "turn 1: unknown expectation 'tool'", ['{"content":"a","expect":1}'] = "expect must be an object",
            ['{"content":"a","expect":{"last_tool":[1]}}'] = "turn 1: expect.last_tool must be",
        } do
            local r, message, err = replay.open(file(text))
            assert.is_nil(r, text)
            assert.is_truthy(message:find(want, 1, true), text .. " gives " .. message)
            assert.is_truthy(message:find(path, 1, true), message)
            assert.are.equal("table", type(err))
            os.remove(path)
        end
        local r, message, err = replay.open "/no/such/file.json"
        assert.is_nil(r)
        assert.is_truthy(message:find("/no/such/file.json", 1, true))
        assert.are.equal("EIO", err.code)
        assert.is_nil((replay.open "/"))
    end)

    it("checks what a turn expects, and gives nothing out otherwise", function()
        local text = json.encode { { content = "first" }, { content = "second", expect = { last_tool = { "forbidden", "remove" }, any_tool = "listing", last_user = "please" } } }
        local user, answer = { role = "user", content = "please go" }, { role = "assistant", content = "" }
        local list, refused = { role = "tool", content = "a listing" }, { role = "tool", content = "[Policy denied] remove_file is forbidden" }
        local r = assert(replay.open(file(text)))
        assert.are.equal('{"content":"first"}', r:model(effect(user)).neutral)
        local reply, message, err = r:model(effect(user, answer, list))
        assert.is_nil(reply)
        assert.is_truthy(message:find("turn 2: last_tool should contain 'forbidden', there is 'a listing'", 1, true), message)
        assert.are.equal("EVERIFY", err.code)
        assert.is_nil((r:model(effect(user, list, answer, refused)))) -- the listing belongs to an earlier turn
        assert.is_nil((r:model(effect(answer, list, refused))))       -- nobody asked
        assert.is_nil((r:model(effect())))
        assert.are.equal('{"content":"second"}', r:model(effect(user, answer, list, refused)).neutral)
    end)

    it("reads the recording of the quickstart", function()
        local r = assert(replay.open "scripts/quickstart/replay.json")
        assert.is_true(r:left() > 2)
    end)
end)
