--- symbi.memory: what agents remember.
--   store = symbi.memory.markdown{root = "/data/memory", retention_days = 30}   Markdown files that people read and edit
--       store:save_context(agent, {agent_id=, facts={...}, procedures={...}, learned_patterns={...}, metadata={...}}[, now_ms])
--           replaces; durable; true, and the second value is true where a file with lines of a person's own was kept aside
--       store:load_context(agent)          the context, or nil; .problems lists {line=, message=}, .other what is no item
--       store:delete_context(agent)  store:list_agent_contexts()  store:compact(agent[, now_ms])  store:get_storage_stats()
--       store:search(words[, {agent=, section=, limit=}])   {{agent_id=, section=, text=, score=}, ...}, best first
--       store:close()
--     store = a state folder's store (symbi.store.open): searches then use an FTS5 index beside its database
--     raw = true: items are saved as they are; else without invisible characters and HTML comments (symbi.sanitize)
--     form = "seed" or "runtime": exactly the Python SDK's or the runtime's files, losses included
--   manager = symbi.memory.manager{...}   nodes in levels with consolidation: symbi/memory/hierarchical.lua
-- Every function gives nil, message, err on failure.
local core = require "symbi.core"

local M = {
    parse = core.memory.parse, write = core.memory.write, log_entry = core.memory.log_entry,
    key = core.memory.key, agent = core.memory.agent, fold = core.memory.fold,
}

local known = { root = "string", retention_days = "number", form = "string", store = "userdata", index = "string", cache_bytes = "number", lock_ms = "number", raw = "boolean" }

local Store = {}
Store.__index = Store

function Store:save_context(agent, context, now_ms) return self.files:save(agent, context, now_ms) end
function Store:load_context(agent) return self.files:load(agent) end
function Store:delete_context(agent) return self.files:delete(agent) end
function Store:list_agent_contexts() return self.files:list() end
function Store:compact(agent, now_ms) return self.files:compact(agent, now_ms) end
function Store:get_storage_stats() return self.files:stats() end
function Store:search(words, options) return self.files:search(words, options) end
function Store:close() self.files:close() end

function M.markdown(options)
    if type(options) == "string" then options = { root = options } end
    if type(options) ~= "table" or type(options.root) ~= "string" then error("symbi.memory.markdown: root is missing: the folder of the memory files", 2) end
    for name, value in pairs(options) do
        if not known[name] then error("symbi.memory.markdown: unknown option '" .. tostring(name) .. "'", 2) end
        if type(value) ~= known[name] then error("symbi.memory.markdown: " .. name .. " must be a " .. known[name], 2) end
    end
    local io = require "symbi.io"
    local index = options.index
    if options.store and not index then index = io.store.path(options.store):match "^.*/" .. "memory.index" end
    local files, message, err = io.memory_store(options.root, {
        form = options.form, retention_days = options.retention_days, index = index, cache_bytes = options.cache_bytes, lock_ms = options.lock_ms,
        raw = options.raw,
    })
    if not files then return nil, message, err end
    return setmetatable({ files = files }, Store)
end

function M.manager(options) return require("symbi.memory.hierarchical").new(options) end

return M
