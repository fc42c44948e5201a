--- symbi.store: the durable state of one host. store.open(dir [, {readonly = true, busy_ms = 5000}]) opens (and makes) a state
-- folder: SQLite database, signing key, anchor. The object goes to symbi.audit.open and the services. store.memory() keeps
-- everything in memory, for tests and for embedders without state.
local core = require "symbi.core"

local M = {}

--- A store, or nil, message, err. A path, not a handle: two processes may have the same folder open.
function M.open(dir, options)
    local ok, io = pcall(require, "symbi.io")
    if not ok or type(io) ~= "table" or not io.store then
        local message = "state folders need the module symbi.io (built without it: make IO=none)" .. (ok and "" or ": " .. tostring(io):match("^[^\n]*"))
        return nil, message, core.error("EUNSUPPORTED", message)
    end
    return io.store.open(dir, options)
end

--- The names of the chains of a state folder, in byte order; also those of which only the anchor is left.
function M.chains(store)
    return require("symbi.io").store.chains(store)
end

M.memory = core.audit.memstore

--- Iterates over the records of a namespace in byte order: for key, value in symbi.store.records(store, "approvals") do.
-- Raises when the store cannot be read.
function M.records(store, ns)
    local after = ""
    return function()
        local key, value, err = store:next(ns, after)
        if key == nil then
            if err then error(tostring(value), 2) end
            return nil
        end
        after = key
        return key, value
    end
end

return M
