---@meta symbi.memory

---@alias symbi.memory.Form "auto"|"seed"|"runtime"

---@class symbi.memory.Context
---@field agent_id? string
---@field facts? string[]
---@field procedures? string[]
---@field learned_patterns? string[]
---@field metadata? table<string, any>
---@field problems? { line: integer, message: string }[] of what was read
---@field other? any of what was read: what is no item

---@class symbi.memory.MarkdownOptions
---@field root string
---@field retention_days? integer
---@field form? "seed"|"runtime"
---@field store? symbi.store.Store searches then use an index beside its database
---@field index? string
---@field cache_bytes? integer
---@field lock_ms? integer
---@field raw? boolean

---@class symbi.memory.Hit
---@field agent_id string
---@field section string
---@field text string
---@field score number

--- Markdown files that people read and edit.
---@class symbi.memory.Markdown
local Markdown = {}
---@param agent string
---@param context symbi.memory.Context
---@param now_ms? integer
---@return boolean? ok, boolean|string|nil kept_or_message, symbi.Failure? err
function Markdown:save_context(agent, context, now_ms) end
---@param agent string
---@return symbi.memory.Context? context, string? message, symbi.Failure? err
function Markdown:load_context(agent) end
---@param agent string
---@return boolean? ok, string? message, symbi.Failure? err
function Markdown:delete_context(agent) end
---@return string[]? agents, string? message, symbi.Failure? err
function Markdown:list_agent_contexts() end
---@param agent string
---@param now_ms? integer
---@return integer? removed, string? message, symbi.Failure? err
function Markdown:compact(agent, now_ms) end
---@return table? stats, string? message, symbi.Failure? err
function Markdown:get_storage_stats() end
---@param words string
---@param options? { agent?: string, section?: string, limit?: integer }
---@return symbi.memory.Hit[]? hits, any unread_or_message, symbi.Failure? err
function Markdown:search(words, options) end
function Markdown:close() end

---@class symbi.memory.AddOptions
---@field content table<string, any>
---@field agent_id string
---@field memory_type? symbi.memory.MemoryType
---@field memory_level? symbi.memory.MemoryLevel
---@field conversation_id? string
---@field importance_score? number
---@field parent_id? string
---@field metadata? table<string, any>

--- Nodes in levels, with consolidation.
---@class symbi.memory.Manager
local Manager = {}
---@param options symbi.memory.AddOptions
---@return symbi.memory.MemoryNode? node, string? message, symbi.Failure? err
function Manager:add_memory(options) end
---@param id string
---@return symbi.memory.MemoryNode? node, string? message, symbi.Failure? err
function Manager:get_memory(id) end
---@param agent string
---@param query? table
---@param levels? symbi.memory.MemoryLevel[]
---@param limit? integer
---@return symbi.memory.MemoryNode[]? nodes, string? message, symbi.Failure? err
function Manager:search_memory(agent, query, levels, limit) end
---@param conversation string
---@param agent string
---@return any context, string? message, symbi.Failure? err
function Manager:get_conversation_context(conversation, agent) end
---@param agent string
---@param limit? integer
---@return symbi.memory.MemoryNode[]? nodes, string? message, symbi.Failure? err
function Manager:list_agent_memories(agent, limit) end
---@param id string
---@return any ok, string? message, symbi.Failure? err
function Manager:delete_memory(id) end
---@param agent string
---@return any
function Manager:count(agent) end
---@param agent string
---@return { promoted: integer, pruned: integer, consolidated: integer }? counts, string? message, symbi.Failure? err
function Manager:consolidate_memory(agent) end
function Manager:close() end

---@class symbi.memory
local M = {}

---@param options string|symbi.memory.MarkdownOptions
---@return symbi.memory.Markdown? store, string? message, symbi.Failure? err
function M.markdown(options) end
---@param options? table storage_type, path, storage, thresholds, now, id
---@return symbi.memory.Manager? manager, string? message, symbi.Failure? err
function M.manager(options) end
---@param text string
---@param agent string
---@param options? { form?: symbi.memory.Form }
---@return symbi.memory.Context? context, string? message, symbi.Failure? err
function M.parse(text, agent, options) end
---@param context symbi.memory.Context
---@param options? { form?: symbi.memory.Form, updated_ms?: integer }
---@return string? text, string? message, symbi.Failure? err
function M.write(context, options) end
---@param context symbi.memory.Context
---@param now_ms integer
---@param options? { form?: symbi.memory.Form }
---@return string? entry, string? day_or_message, symbi.Failure? err
function M.log_entry(context, now_ms, options) end
---@param agent string
---@return string? key, string? message, symbi.Failure? err
function M.key(agent) end
---@param key string
---@return string? agent
function M.agent(key) end
--- Lower case, for comparing.
---@param text string
---@return string
function M.fold(text) end

return M
