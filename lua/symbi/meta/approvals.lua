---@meta symbi.approvals

---@alias symbi.approvals.Status "none"|"pending"|"approved"|"denied"|"used"|"expired"

---@class symbi.approvals.Record
---@field action_digest string
---@field status symbi.approvals.Status
---@field agent string
---@field kind string
---@field name string
---@field arguments any
---@field created_ms integer
---@field [string] any

---@class symbi.approvals
local M = {}

--- Newest first.
---@param audit symbi.audit.Writer
---@return symbi.approvals.Record[]? list, string? message, symbi.Failure? err
function M.list(audit) end

---@param audit symbi.audit.Writer
---@param digest string
---@return symbi.approvals.Status? status, string? approver, symbi.Failure? err
function M.status(audit, digest) end

---@param audit symbi.audit.Writer
---@param id string the digest, or at least its first 8 digits
---@param approved boolean
---@param approver string
---@return boolean? ok, string? message, symbi.Failure? err
function M.decide(audit, id, approved, approver) end

--- Waits until a request is decided, or limit_ms passed.
---@param audit symbi.audit.Writer
---@param digest string
---@param limit_ms integer
---@param sleep fun(ms: integer): any, string?, any
---@param interval_ms? integer
---@return symbi.approvals.Status? status, string? approver, symbi.Failure? err
function M.wait(audit, digest, limit_ms, sleep, interval_ms) end

return M
