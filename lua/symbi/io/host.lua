--- Many runs in flight from plain sequential code: each task is a coroutine, and what it waits for is a job of one loop.
--   local host = require "symbi.io.host"
--   local results = host.run({ function() return agent:run("a") end, function() return agent:run("b") end })
-- Inside a task symbi.io.auto() picks these transports by itself; host.sleep(ms), host.http(request) and host.exec(plan) wait without
-- holding up the others. On PUC 5.1 a task must not wait inside pcall, an iterator or a metamethod: that Lua cannot yield there.
local common = require "symbi.io.common"
local compat = require "symbi.compat"
local symio = require "symbi.io"

local M = {}
local Host = {}
Host.__index = Host

local current -- the scheduler whose task runs now

--- True inside a task.
function M.running() return current ~= nil and current.task ~= nil end

function M.new(options) return common.new(Host, options, { kind = "host", http = M.http, sleep = M.sleep, exec = M.exec, ready = M.ready }) end

-- Waits for a job that `start` begins in the loop. on_data(bytes, status) gets the pieces of a streamed request and may end it with
-- false, message, err.
local function await(start, what, on_data)
    local s = current
    if not M.running() then error("symbi.io.host: only a task of host.run can wait like this", 3) end
    local id, message, err = start(s.loop, what)
    if not id then return nil, message, err end
    s.waiting[id] = s.task
    while true do
        local kind, value, m, e = coroutine.yield(id)
        if kind ~= "data" then return value, m, e end
        local ok, dm, de = on_data(value, m)
        if not ok then
            s.waiting[id] = nil
            s.loop:cancel(id)
            return nil, dm, de
        end
    end
end

local function start_sleep(loop, ms) return loop:sleep(ms) end
local function start_http(loop, rq) return loop:http(rq) end
local function start_exec(loop, plan) return loop:exec(plan) end

local function start_ready(loop, w) return loop:ready(w[1], w[2], w[3]) end

function M.sleep(ms) return await(start_sleep, ms) end
--- Until the descriptor can be read ("r"), written ("w") or either ("rw"): true; false after ms milliseconds.
function M.ready(fd, mode, ms) return await(start_ready, { fd, mode, ms }) end
function M.exec(plan) return await(start_exec, plan) end
--- on_data(bytes, status) is needed for a request with stream = true.
function M.http(rq, on_data) return await(start_http, rq, on_data) end

local function send(effect, run)
    local rq, message, err = common.request(effect)
    if not rq then return nil, message, err end
    local rest = {}
    local r, why, failed = M.http(rq, function(bytes, status)
        if status >= 200 and status < 300 then return run:feed(effect.id, bytes) end
        rest[#rest + 1] = bytes -- what an endpoint says about its failure is no stream
        return true
    end)
    if not r then return nil, why, failed end
    return { status = r.status, headers = r.headers, body = table.concat(rest) .. r.body }
end

function Host:model(effect, run) return send(effect, run) end
function Host:http(effect, run) return send(effect, run) end
function Host:approve(effect) return common.approve(self, effect, M.sleep) end
function Host:commit(effect) return common.commit(self, effect) end

-- pcall would keep a callback from waiting on PUC 5.1; elsewhere it is what we want.
local function call(f, arguments)
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then return true, f(arguments) end
    return pcall(f, arguments)
end

function Host:tool(effect, run) return common.tool(self, effect, run, M.exec, call) end

function Host:sleep(effect)
    local ok, message, err = M.sleep(effect.ms or 0)
    if not ok then return nil, message, err end
    return {}
end

-- Goes on with a task. What runs inside may begin tasks of its own (fork), so the one that ran before is put back.
local function resume(s, task, ...)
    local before = s.task
    s.task = task
    local got = compat.pack(coroutine.resume(task.co, ...))
    s.task = before
    if coroutine.status(task.co) ~= "dead" then return end
    task.ended = true
    if not got[1] then
        task.failed = got[2]
        if type(got[2]) == "string" then task.failed = debug.traceback(task.co, got[2]) end
    end
    if task.parent then
        task.parent.news = true
        return
    end
    s.left = s.left - 1
    if got[1] then task.results = compat.pack(compat.unpack(got, 2, got.n)) end
end

--- Begins f beside the present task and returns a handle. What f raises is raised by the next join.
function Host.fork(_, f)
    local s = current
    local task = { co = coroutine.create(f), parent = s.task }
    s.task.children = s.task.children or {}
    s.task.children[task] = true
    resume(s, task)
    return task
end

-- Takes the ended children off; raises what one of them raised.
local function collect(task)
    task.news = false
    local failed
    for child in pairs(task.children or {}) do
        if child.ended then
            task.children[child] = nil
            failed = failed or child.failed
        end
    end
    if failed ~= nil then error(failed, 0) end
end

--- Waits until a forked task has ended, at most ms milliseconds (nil or negative: as long as it takes).
function Host.join(_, ms)
    local s, task = current, current.task
    if not task.news then
        local id
        if ms and ms >= 0 then
            id = s.loop:sleep(ms)
            if id then s.waiting[id] = task end
        end
        task.joining = true
        coroutine.yield(id)
        task.joining = false
        if id and s.waiting[id] then
            s.waiting[id] = nil
            s.loop:cancel(id)
        end
    end
    collect(task)
end

--- Ends a forked task where it waits.
function Host.give_up(_, task)
    local s = current
    for id, waiting in pairs(s.waiting) do
        if waiting == task then
            s.waiting[id] = nil
            s.loop:cancel(id)
            break
        end
    end
    if task.parent and task.parent.children then task.parent.children[task] = nil end
end

--- Calls f() whenever the folders of the watch changed (symbi.io.watch), for as long as this host.run lasts. f must not wait. A watch that is
-- followed already keeps its first f. Outside a task: false.
function M.follow(watch, f)
    local s = current
    if not s then return false end
    if s.follows[watch] then return true end
    local id, message, err = s.loop:watch(watch)
    if not id then return nil, message, err end
    s.follows[watch] = id
    s.watches[id] = { watch = watch, f = f }
    return true
end

-- Something changed: tell, and listen again. A watch that was closed meanwhile is not followed any more.
local function told(s, id)
    local w = s.watches[id]
    s.watches[id], s.follows[w.watch] = nil, nil
    w.f()
    local fine, again = pcall(s.loop.watch, s.loop, w.watch)
    if fine and again then s.follows[w.watch], s.watches[again] = again, w end
end

local function schedule(s)
    for _, task in ipairs(s.tasks) do resume(s, task) end
    while s.left > 0 do
        if s.loop:count() == 0 then return nil, "a task waits for something that is no job of this loop" end
        local id, kind, value, message, err = s.loop:wait()
        if id == nil then
            if kind then return nil, kind, value end -- nil, message, err: the wait failed
            return nil, "a task waits for something that is no job of this loop"
        end
        if id and s.watches[id] then
            told(s, id)
        elseif id then
            local task = s.waiting[id]
            if task then
                if kind ~= "data" then s.waiting[id] = nil end
                resume(s, task, kind, value, message, err)
                -- a parent that waits for its children hears of it
                task = task.parent
                while task and task.news and task.joining do
                    resume(s, task)
                    task = task.parent
                end
            end
        end
    end
    return true
end

--- Runs functions side by side until all have returned. Returns a list with one entry per function: {its results..., n=}, or raises
-- the first error of a task after the others are done.
function M.run(functions)
    if current then error("symbi.io.host.run: one is running already", 2) end
    local s = { loop = symio.loop(), waiting = {}, tasks = {}, watches = {}, follows = {}, left = #functions }
    for i, f in ipairs(functions) do s.tasks[i] = { co = coroutine.create(f) } end
    current = s
    local fine, ok, message, err = pcall(schedule, s)
    current = nil
    s.loop:close()
    if not fine then error(ok, 0) end
    if not ok then return nil, message, err end
    local results = {}
    for i, task in ipairs(s.tasks) do
        if task.failed ~= nil then error(task.failed, 0) end
        results[i] = task.results
    end
    return results
end

return M
