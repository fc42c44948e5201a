---@meta symbi.store

--- The durable state of one host.
---@class symbi.store.Store : userdata
local Store = {}
---@param ns string
---@param key string
---@return string? value, string? message, symbi.Failure? err
function Store:get(ns, key) end
--- The record after a key, in byte order.
---@param ns string
---@param after? string
---@return string? key, string? value, symbi.Failure? err
function Store:next(ns, after) end
---@return string? hex, string? message, symbi.Failure? err
function Store:public_key() end
function Store:close() end

---@class symbi.store
local M = {}

---@param dir string
---@param options? { readonly?: boolean, busy_ms?: integer }
---@return symbi.store.Store? store, string? message, symbi.Failure? err
function M.open(dir, options) end

--- A store in memory, without durability.
---@return symbi.store.Store
function M.memory() end

---@param store symbi.store.Store
---@return string[]? names, string? message, symbi.Failure? err
function M.chains(store) end

--- for key, value in symbi.store.records(store, "approvals") do
---@param store symbi.store.Store
---@param ns string
---@return fun(): string?, string?
function M.records(store, ns) end

return M
