---@meta symbi.netguard

---@class symbi.netguard.PolicyOptions
---@field allow? string[]
---@field only? string[]
---@field deny? string[]
---@field ports? integer[]
---@field https_only? boolean
---@field lenient? boolean
---@field max_redirects? integer
---@field max_bytes? integer
---@field max_header_bytes? integer
---@field timeout_ms? integer

---@class symbi.netguard.Policy : userdata
local Policy = {}
---@return table
function Policy:limits() end
function Policy:close() end

---@class symbi.netguard.Target
---@field host string
---@field port integer
---@field tls boolean
---@field address? string for a URL with one
---@field allowed boolean

---@class symbi.netguard.RedirectQuestion
---@field url string
---@field status integer
---@field location string
---@field method? string
---@field hops? integer
---@field body_bytes? integer
---@field policy? symbi.netguard.Policy|symbi.netguard.PolicyOptions

---@alias symbi.netguard.Kind "A"|"AAAA"|"TXT"

--- Refusals have err.refused, a name of reasons.
---@class symbi.netguard
---@field reasons table<string, string>
local M = {}

---@param options? symbi.netguard.PolicyOptions
---@return symbi.netguard.Policy? policy, string? message, symbi.Failure? err
function M.policy(options) end

---@param url string
---@param policy? symbi.netguard.Policy|symbi.netguard.PolicyOptions none: the strict one
---@return symbi.netguard.Target? target, string? message, symbi.Failure? err
function M.check(url, policy) end

--- For a URL that the operator wrote.
---@param url string
---@param policy? symbi.netguard.Policy|symbi.netguard.PolicyOptions
---@return symbi.netguard.Target? target, string? message, symbi.Failure? err
function M.operator(url, policy) end

--- Those of a resolver's answers that may be reached.
---@param url string
---@param addresses string[]
---@param policy? symbi.netguard.Policy|symbi.netguard.PolicyOptions
---@param by_operator? boolean
---@return string[]? list, string? message, symbi.Failure? err
function M.pick(url, addresses, policy, by_operator) end

--- false: no redirect, or none is followed.
---@param question symbi.netguard.RedirectQuestion
---@return { url: string, get: boolean, cross_origin: boolean }|false|nil hop, string? message, symbi.Failure? err
function M.redirect(question) end

--- May it go to another origin?
---@param name string
---@return boolean
function M.keeps_header(name) end

--- nil for a public address.
---@param address string
---@return string? kind, string? inner
function M.class(address) end

--- "127.1", "0x7f000001" -> "127.0.0.1".
---@param text string
---@return string?
function M.legacy_v4(text) end

---@param name string
---@param kind symbi.netguard.Kind
---@param id integer
---@return string? bytes, string? message, symbi.Failure? err
function M.dns_query(name, kind, id) end

---@param bytes string
---@param name string
---@param kind symbi.netguard.Kind
---@param id integer
---@return table? answer, string? message, symbi.Failure? err
function M.dns_read(bytes, name, kind, id) end

return M
