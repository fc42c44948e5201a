--- The driver: performs the effects of a run through a set of transports (io) until it is done. io has one method per effect kind:
-- io:model(effect, run), io:tool(...), io:http(...), io:sleep(...), io:approve(...), io:commit(...); each returns a reply for
-- run:resolve, or nil, message, err. A transport may yield: below this loop there is no C frame.
-- io:fork(f), io:join(ms, handles) and io:give_up(handle), where they exist, let effects that are open at once be performed at once.
-- before() is called each time before the machine goes on (it decides where it takes a reply in).
-- watch(kind, data, extra): "event", journal_event, run — "effect", effect — "result", effect, reply (of a tool).
local M = {}

local function show_events(run, watch)
    local events = run:events()
    for _, e in ipairs(events or {}) do watch("event", e, run) end
end

local function perform(effect, run, io)
    local method = io[effect.kind]
    if not method then return { error = "this driver cannot perform a " .. effect.kind .. " effect" } end
    local reply, message, err = method(io, effect, run)
    return reply or { error = err or message or "the transport failed without saying why" }
end

local CANCELLED = { error = { code = "EABORT", message = "cancelled" } }

local function finish(run, effect, reply, watch, before)
    if before then before() end
    if watch and effect.kind == "tool" then watch("result", effect, reply) end
    return run:resolve(effect.id, reply)
end

-- One effect after the other.
local function in_turn(run, io, watch, before)
    while true do
        local effect, message, err = run:next()
        if watch then show_events(run, watch) end
        if not effect then return nil, message, err end
        if effect.kind == "done" then return effect.result end
        local ok
        if effect.kind == "cancel" then
            -- nothing of ours is still under way: performing an effect here means finishing it
            run:resolve(effect.target, CANCELLED)
        else
            if watch then watch("effect", effect) end
            ok, message, err = finish(run, effect, perform(effect, run, io), watch, before)
            if not ok then return nil, message, err end
        end
    end
end

-- All that is open, side by side; answers go in as they come.
local function together(run, io, watch, before)
    local open, ready = {}, {}
    while true do
        local effect, message, err = run:next()
        if watch then show_events(run, watch) end
        if effect and effect.kind == "done" then return effect.result end
        if effect and effect.kind == "cancel" then
            local task = open[effect.target]
            if task then
                open[effect.target] = nil
                io:give_up(task.handle)
                if task.reply == nil then finish(run, task.effect, CANCELLED, watch, before) end
            end
        elseif effect then
            if watch then watch("effect", effect) end
            local task = { effect = effect }
            open[effect.id] = task
            task.handle = io:fork(function()
                task.reply = perform(effect, run, io)
                ready[#ready + 1] = task
            end)
        elseif not (err and err.code == "EAGAIN" and next(open)) then
            return nil, message, err
        elseif #ready == 0 then
            local handles = {}
            for _, task in pairs(open) do handles[#handles + 1] = task.handle end
            io:join(run:tick(), handles)
        end
        for i = 1, #ready do
            local task = ready[i]
            if open[task.effect.id] == task then
                open[task.effect.id] = nil
                local ok
                ok, message, err = finish(run, task.effect, task.reply, watch, before)
                if not ok then return nil, message, err end
            end
        end
        ready = {}
    end
end

--- When the run is over, so is what its tools kept: sessions, browsers, servers.
function M.drive(run, io, watch, before)
    local side_by_side = io.fork and io.join and io.give_up
    local result, message, err = (side_by_side and together or in_turn)(run, io, watch, before)
    if io.finish then io:finish() end
    return result, message, err
end

return M
