--- The executor of session tools: a program at a terminal, one per manifest and set of transports (so per run), which ends with it. What is
-- typed, when a prompt is one, and every limit is decided in C (symbi/session.h); here the waiting is done, and the transcript is kept.
local core = require "symbi.core"

local M = {}

local function symio() return require("symbi").io end

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

local Session = {}
Session.__index = Session

-- New lines of the transcript go to the file of the plan that started the session.
local function write(self)
    local lines = self.term:transcript()
    if not self.path or not lines or lines == "" then return true end
    local ok, message, err = symio().append_file(self.path, lines, { mode = 384 }) -- 0600
    if not ok then return nil, message, err end
    return true
end

local function can_yield() return _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil end

--- Hangs up: SIGHUP, and SIGKILL half a second later. In a task the others go on meanwhile.
function Session:close()
    local term, transport = self.term, self.set.transport
    if not term then return end
    write(self)
    self.term = nil
    term:hang_up()
    if transport.kind == "host" and can_yield() then
        for _ = 1, 70 do
            if term:ended() then break end
            if not pcall(transport.sleep, 10) then break end
        end
    end
    term:close()
end

local function prepare(path)
    if not path or path == "" then return nil end
    local dir = path:match("^(.*)/[^/]*$")
    if dir and dir ~= "" then
        local ok, message, err = symio().mkdir(dir, { parents = true, mode = 448 }) -- 0700
        if not ok then return nil, message, err end
    end
    local ok, message, err = symio().write_file(path, "", 384)
    if not ok then return nil, message, err end
    return path
end

local function open(set, plan)
    local path, message, err = prepare(plan.detail.transcript)
    if message then return nil, message, err end
    local term
    term, message, err = symio().session(plan)
    if not term then return nil, message, err end
    return setmetatable({ set = set, term = term, path = path }, Session)
end

-- Until the command is answered.
local function await(self)
    local term, transport = self.term, self.set.transport
    while true do
        local done, ms = term:step()
        if done then return true end
        local up, message, err = transport.ready(term:fd(), term:wants(), ms)
        if up == nil then return nil, message, err end
    end
end

function M.perform(set, plan)
    if set.transport.kind == "ngx" or not set.transport.ready then
        return fail("EUNSUPPORTED", "a session needs a terminal of its own, and none is opened in an nginx worker: run it in the host")
    end
    local name = "session:" .. plan.detail.session.tool
    local first = set.kept[name] == nil
    local self, message, err = set:keep(name, function() return open(set, plan) end)
    if not self then return nil, message, err end
    if not first then self.term:call(plan) end
    local ok
    ok, message, err = await(self)
    if not ok then
        set:forget(name)
        self:close()
        return nil, message, err
    end
    local raw
    raw, message, err = self.term:reply()
    local kept, why, failed = write(self)
    if raw == nil then return nil, message, err end
    if not kept then return nil, why, failed end
    if self.path then raw.transcript_file = self.path end
    return raw
end

return M
