--- symbi.approvals: step-ups that wait for a person. What a person decides takes effect in C only: the record, the audit entry and the
-- single use are one transaction each (host/state/approvals.c).
--   list = symbi.approvals.list(audit)                        records, newest first
--   symbi.approvals.decide(audit, id, true or false, "who")   id: the digest that list shows, or its first 8 digits
--   symbi.approvals.status(audit, digest)                     "pending", "approved", "denied", "used", "expired" or "none"
local core = require "symbi.core"

local M = { decide = core.approvals.decide, status = core.approvals.status }

function M.list(audit)
    local list, message, err = core.approvals.list(audit)
    if not list then return nil, message, err end
    table.sort(list, function(a, b)
        if a.created_ms ~= b.created_ms then return a.created_ms > b.created_ms end
        return a.action_digest < b.action_digest
    end)
    return list
end

--- Waits until a request is decided, looking every interval_ms (500); sleep(ms) is the transport's. Returns its status, or nil, message,
-- err when limit_ms passed.
function M.wait(audit, digest, limit_ms, sleep, interval_ms)
    interval_ms = interval_ms or 500
    local waited = 0
    while true do
        local status, message, err = core.approvals.status(audit, digest)
        if status ~= "pending" then return status, message, err end
        if waited >= limit_ms then
            local m = "nobody answered within " .. limit_ms .. " ms"
            return nil, m, core.error("ETIMEOUT", m)
        end
        local pause = math.min(interval_ms, limit_ms - waited)
        local ok
        ok, message, err = sleep(pause)
        if not ok then return nil, message, err end
        waited = waited + pause
    end
end

return M
