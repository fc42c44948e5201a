---@meta symbi.cedar

---@alias symbi.cedar.Uid string|{ type: string, id: string }

---@class symbi.cedar.PoliciesOptions
---@field symbi_alias? boolean
---@field legacy_scope? boolean
---@field position_ids? boolean
---@field annotated_ids? boolean

---@class symbi.cedar.Request
---@field principal symbi.cedar.Uid
---@field action symbi.cedar.Uid
---@field resource symbi.cedar.Uid
---@field context? table<string, any>
---@field entities? symbi.cedar.Entities|symbi.cedar.Entity[]
---@field schema? symbi.cedar.Schema
---@field explain? boolean
---@field unchecked? boolean

---@class symbi.cedar.Entity
---@field uid symbi.cedar.Uid
---@field attrs? table<string, any>
---@field parents? symbi.cedar.Uid[]
---@field tags? table<string, any>

---@class symbi.cedar.Problem
---@field policy string
---@field effect? "permit"|"forbid"
---@field kind string
---@field message string
---@field line? integer
---@field col? integer

---@class symbi.cedar.Answer
---@field decision "allow"|"deny"
---@field reasons string[] ids of the policies that decided
---@field errors symbi.cedar.Problem[]
---@field forbid_error boolean
---@field candidates integer
---@field steps integer

---@class symbi.cedar.Report
---@field valid boolean
---@field errors symbi.cedar.Problem[]
---@field warnings symbi.cedar.Problem[]

---@class symbi.cedar.Policies : userdata
local Policies = {}
---@param request symbi.cedar.Request
---@return symbi.cedar.Answer? answer, string? message, symbi.Failure? err
function Policies:authorize(request) end
---@param schema symbi.cedar.Schema
---@param options? { action_errors?: boolean }
---@return symbi.cedar.Report? report, string? message, symbi.Failure? err
function Policies:validate(schema, options) end
--- A set with one more policy, made of a template.
---@param template_id string
---@param new_id string
---@param slots { principal?: symbi.cedar.Uid, resource?: symbi.cedar.Uid }
---@return symbi.cedar.Policies? set, string? message, symbi.Failure? err
function Policies:link(template_id, new_id, slots) end
---@param index? integer
---@return any json, string? message, symbi.Failure? err
function Policies:to_json(index) end
---@param index? integer
---@return string? text, string? message, symbi.Failure? err
function Policies:to_cedar(index) end
---@return table[]
function Policies:policies() end
---@return table[]
function Policies:warnings() end
---@return string hex
function Policies:hash() end
---@return integer
function Policies:count() end
function Policies:close() end

---@class symbi.cedar.Schema : userdata
local Schema = {}
---@param resolved? boolean
---@return any json, string? message, symbi.Failure? err
function Schema:json(resolved) end
---@return string? text, string? message, symbi.Failure? err
function Schema:text() end
---@return table[]
function Schema:warnings() end
function Schema:close() end

---@class symbi.cedar.Entities : userdata
local Entities = {}
---@return integer
function Entities:count() end
function Entities:close() end

---@class symbi.cedar
local M = {}

--- A policy set: from text, a list of texts and sources, or Cedar's JSON form (as a value or as a text).
---@param from string|(string|symbi.policy.Source)[]|table
---@param options? symbi.cedar.PoliciesOptions
---@return symbi.cedar.Policies? set, string? message, symbi.Failure? err
function M.policies(from, options) end

---@param from string|table Cedar's schema syntax, or its JSON form  (a value or a text)
---@return symbi.cedar.Schema? schema, string? message, symbi.Failure? err
function M.schema(from) end

---@param list symbi.cedar.Entity[]
---@param schema? symbi.cedar.Schema
---@return symbi.cedar.Entities? entities, string? message, symbi.Failure? err
function M.entities(list, schema) end

--- 'User::"alice"' -> "User", "alice".
---@param text string
---@return string? type, string? id_or_message, symbi.Failure? err
function M.uid(text) end

--- An entity as a value: entity 'User::"alice"', or entity("User", "alice").
---@param kind string
---@param id? string
---@return table? value, string? message, symbi.Failure? err
function M.entity(kind, id) end

---@param text string
---@return table value
function M.ip(text) end
---@param text string
---@return table value
function M.decimal(text) end
---@param text string
---@return table value
function M.datetime(text) end
---@param text string
---@return table value
function M.duration(text) end

--- Policies laid out; comments stay.
---@param text string
---@param options? { width?: integer, indent?: integer }
---@return string? text, string? message, symbi.Failure? err
function M.format(text, options) end

return M
