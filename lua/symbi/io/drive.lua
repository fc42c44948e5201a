--- The driver: performs the effects of a run through a set of transports (io) until it is done. io has one method per effect kind:
-- io:model(effect, run), io:tool(...), io:http(...), io:sleep(...), io:approve(...), io:commit(...); each returns a reply for
-- run:resolve, or nil, message, err. A transport may yield: below this loop there is no C frame.
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

function M.drive(run, io, watch)
    while true do
        local effect, message, err = run:next()
        if watch then show_events(run, watch) end
        if not effect then return nil, message, err end
        if effect.kind == "done" then return effect.result end
        if effect.kind == "cancel" then
            -- nothing of ours is still under way: performing an effect here means finishing it
            run:resolve(effect.target, { error = { code = "EABORT", message = "cancelled" } })
        else
            if watch then watch("effect", effect) end
            local reply = perform(effect, run, io)
            if watch and effect.kind == "tool" then watch("result", effect, reply) end
            local ok
            ok, message, err = run:resolve(effect.id, reply)
            if not ok then return nil, message, err end
        end
    end
end

return M
