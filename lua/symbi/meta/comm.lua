---@meta symbi.comm

---@class symbi.comm.Options
---@field default? "deny"|"allow"
---@field ties? "deny"|"first"
---@field keep_unknown? boolean

---@class symbi.comm.Question
---@field sender string
---@field recipient string
---@field action string
---@field depth? integer

---@class symbi.comm.Answer
---@field allowed boolean
---@field effect "allow"|"deny"
---@field reason string
---@field rule? table the rule that decided

---@class symbi.comm.Rules : userdata
local Rules = {}
---@param question symbi.comm.Question
---@return symbi.comm.Answer? answer, string? message, symbi.Failure? err
---@overload fun(self: symbi.comm.Rules, sender: string, recipient: string, action: string, depth?: integer): symbi.comm.Answer?, string?, symbi.Failure?
function Rules:evaluate(question) end
--- The same without a table; it never fails, it only denies.
---@param sender string
---@param recipient string
---@param action string
---@param depth? integer
---@return boolean allowed, string reason, string? id
function Rules:check(sender, recipient, action, depth) end
---@return table[]
function Rules:list() end
---@param id string
---@return table?
function Rules:get(id) end
---@return integer
function Rules:count() end
---@return string hex
function Rules:hash() end
function Rules:close() end

--- Rules that can be changed.
---@class symbi.comm.List : userdata
local List = {}
---@param question symbi.comm.Question
---@return symbi.comm.Answer? answer, string? message, symbi.Failure? err
function List:evaluate(question) end
---@param sender string
---@param recipient string
---@param action string
---@param depth? integer
---@return boolean allowed, string reason, string? id
function List:check(sender, recipient, action, depth) end
---@param rule table
---@param options? { replace?: boolean }
---@return table? rule, string? message, symbi.Failure? err
function List:add(rule, options) end
---@param id string
---@return boolean? ok, string? message, symbi.Failure? err
function List:remove(id) end
--- The set as it is now.
---@return symbi.comm.Rules
function List:rules() end
---@return table[]
function List:list() end
---@param id string
---@return table?
function List:get(id) end
---@return integer
function List:count() end
---@return string hex
function List:hash() end
function List:close() end

---@class symbi.comm
---@field limits table<string, integer>
local M = {}

---@param rules table a list of rules, or {rules=, default=, ties=}
---@param options? symbi.comm.Options
---@return symbi.comm.Rules? set, string? message, symbi.Failure? err
function M.rules(rules, options) end

---@param from? symbi.comm.Rules|table
---@param options? symbi.comm.Options
---@return symbi.comm.List? list, string? message, symbi.Failure? err
function M.list(from, options) end

return M
