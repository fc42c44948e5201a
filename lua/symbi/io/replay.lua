--- symbi.io.replay: the model's side of a run from a file, for demos and tests without an account or a network.
--
-- The file is JSON, {"turns": [turn, ...]} or a plain list of turns, or JSON Lines with one turn a line. A turn is what a model
-- answered, in the neutral form that run:resolve checks strictly:
--   {"content": text, "tool_calls": [{"id"?, "name", "arguments": object or JSON text}], "finish_reason"?, "usage"?, "model"?}
-- or {"error": {"message", "kind"?, "retry_after_ms"?}} for an endpoint that fails. Turns are given out in order, whatever is asked.
-- A turn may say what must have happened before it is given out; otherwise the run ends with an error that says so:
--   "expect": {"last_tool": text or list of texts,   each stands in the newest tool result
--              "any_tool": text or list of texts,    each stands in one of the results since the model last spoke
--              "last_user": text or list of texts}   each stands in the newest user message
-- Integers beyond 2^53 in arguments need arguments as JSON text on the VMs that have no 64-bit integers.
local core = require "symbi.core"

local M = {}
local Replay = {}
Replay.__index = Replay

local MAX_BYTES = 16 * 1024 * 1024
local EXPECT = { last_tool = true, any_tool = true, last_user = true }

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

local function read(path)
    local f, why = io.open(path, "rb")
    if not f then return fail("EIO", "cannot read the replay file: %s", why) end
    local text, problem = f:read(MAX_BYTES + 1)
    f:close()
    if not text and problem then return fail("EIO", "cannot read the replay file %s: %s", path, problem) end
    text = text or ""
    if #text > MAX_BYTES then return fail("ELIMIT", "the replay file %s is larger than %d bytes", path, MAX_BYTES) end
    return text
end

local function is_list(v) return type(v) == "table" and (core.is_array(v) or #v > 0) end

local function lines_of(text, path)
    local turns, number = {}, 0
    for line in (text .. "\n"):gmatch("(.-)\r?\n") do
        number = number + 1
        if line:find("%S") then
            local turn, message = core.json.decode(line)
            if turn == nil then return fail("EPARSE", "%s: line %d: %s", path, number, message) end
            turns[#turns + 1] = turn
        end
    end
    return turns
end

-- A document that spans lines, or one that is a whole on its first line and has nothing after it.
local function turns_of(text, path)
    if not text:find("%S") then return {} end
    local doc, message, err = core.json.decode(text)
    if doc ~= nil then
        if type(doc) ~= "table" then return fail("ESCHEMA", "%s: a replay file is an object with turns, or a list of turns", path) end
        if doc.turns == nil and (doc.content ~= nil or doc.tool_calls ~= nil or doc.error ~= nil) then return { doc } end
        if doc.turns == nil then return doc end
        for k in pairs(doc) do
            if k ~= "turns" and k ~= "note" then return fail("ESCHEMA", "%s: unknown member '%s'; there are turns and note", path, tostring(k)) end
        end
        if type(doc.turns) ~= "table" then return fail("ESCHEMA", "%s: turns must be a list", path) end
        return doc.turns
    end
    local first = text:match("^%s*([^\r\n]*)")
    if first and core.json.decode(first) ~= nil then return lines_of(text, path) end
    return fail("EPARSE", "%s: %s%s", path, err and err.line and string.format("line %d: ", err.line) or "", message)
end

local function texts(v, where)
    if type(v) == "string" then return { v } end
    if type(v) ~= "table" then return nil, where .. " must be a text or a list of texts" end
    for _, t in ipairs(v) do
        if type(t) ~= "string" then return nil, where .. " must be a text or a list of texts" end
    end
    return v
end

local function check_turn(turn, path, i)
    if type(turn) ~= "table" or is_list(turn) then return fail("ESCHEMA", "%s: turn %d must be an object", path, i) end
    if turn.content == nil and turn.tool_calls == nil and turn.error == nil then
        return fail("ESCHEMA", "%s: turn %d has neither content nor tool_calls nor error", path, i)
    end
    local expect = turn.expect
    if expect == nil then return true end
    if type(expect) ~= "table" then return fail("ESCHEMA", "%s: turn %d: expect must be an object", path, i) end
    for k, v in pairs(expect) do
        if not EXPECT[k] then return fail("ESCHEMA", "%s: turn %d: unknown expectation '%s'", path, i, tostring(k)) end
        local list, message = texts(v, string.format("turn %d: expect.%s", i, k))
        if not list then return fail("ESCHEMA", "%s: %s", path, message) end
    end
    return true
end

--- Reads and checks a file. Returns an object with :model(effect), or nil, message, err.
function M.open(path)
    local text, message, err = read(path)
    if not text then return nil, message, err end
    local turns
    turns, message, err = turns_of(text, path)
    if not turns then return nil, message, err end
    local list = {}
    for i, turn in ipairs(turns) do
        local ok
        ok, message, err = check_turn(turn, path, i)
        if not ok then return nil, message, err end
        local plain = {}
        for k, v in pairs(turn) do if k ~= "expect" then plain[k] = v end end
        local neutral
        neutral, message, err = core.json.encode(plain)
        if not neutral then return nil, message, err end
        list[i] = { neutral = neutral, expect = turn.expect }
    end
    if #list == 0 then return fail("ESCHEMA", "%s: no turns", path) end
    return setmetatable({ path = path, turns = list, at = 0 }, Replay)
end

-- The contents that an expectation looks at, newest first.
local function contents(messages, kind)
    local found = {}
    for i = #messages, 1, -1 do
        local m = messages[i]
        if kind == "any_tool" and m.role == "assistant" then break end
        if (kind == "last_user" and m.role == "user") or (kind ~= "last_user" and m.role == "tool") then
            found[#found + 1] = m.content or ""
            if kind ~= "any_tool" then break end
        end
    end
    return found
end

local function unmet(expect, messages)
    for kind, v in pairs(expect) do
        local found = contents(messages, kind)
        for _, text in ipairs(texts(v, kind)) do
            local seen = false
            for _, content in ipairs(found) do seen = seen or content:find(text, 1, true) ~= nil end
            if not seen then
                local got = found[1] and ("'" .. found[1]:sub(1, 120) .. (#found[1] > 120 and "..." or "") .. "'") or "nothing"
                return string.format("%s should contain '%s', there is %s", kind, text, got)
            end
        end
    end
end

--- The reply to a MODEL effect: {neutral = JSON text}, or nil, message, err when the recording is used up or does not fit.
function Replay:model(effect)
    local turn = self.turns[self.at + 1]
    if not turn then
        return fail("ENOTFOUND", "the recording %s is used up: the run asks for turn %d, it has %d", self.path, self.at + 1, #self.turns)
    end
    if turn.expect then
        local problem = unmet(turn.expect, effect and effect.request and effect.request.messages or {})
        if problem then return fail("EVERIFY", "the recording %s does not fit this run: turn %d: %s", self.path, self.at + 1, problem) end
    end
    self.at = self.at + 1
    return { neutral = turn.neutral }
end

--- Turns that are left.
function Replay:left() return #self.turns - self.at end

return M
