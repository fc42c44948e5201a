--- Hierarchical memory: nodes in four levels, searched, and consolidated when a level is full (spec services-memory-metrics.md
-- section 2, rest-api.md section 8).
--   m = symbi.memory.manager{storage = store}           store: memory_store() (the default) or file_store(path)
--   m:add_memory{content={...}, agent_id=, memory_type="fact", memory_level="short_term", conversation_id=, importance_score=0, parent_id=, metadata=}
--   m:get_memory(id)  m:delete_memory(id)  m:list_agent_memories(agent[, limit=100])  m:get_conversation_context(conversation, agent)
--   m:search_memory(agent[, query[, levels[, limit=50]]])   query: conversation_id, memory_type, memory_level, content_contains
--   m:consolidate_memory(agent)                         {promoted=, pruned=, consolidated=}
-- A store is a table with store(node), retrieve(id), search(agent, accept) -> list, delete(id), list_by_agent(agent, limit), close(). Times are
-- RFC 3339 in UTC. now (ms) and id are options so that tests can fix them.
local core = require "symbi.core"
local json = core.json

local M = {}

local TYPES = { conversation = true, fact = true, experience = true, context = true, metadata = true }
local LEVELS = { "short_term", "long_term", "episodic", "semantic" }
local THRESHOLDS = { short_term = 50, long_term = 1000, episodic = 500, semantic = 2000 }
local PROMOTE_ABOVE = 0.7

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

local function null_or(value, absent)
    if value == nil or value == core.null then return absent end
    return value
end

-- ---- stores -------------------------------------------------------------------------------------------------------------

local function newer(a, b)
    if a.timestamp ~= b.timestamp then return a.timestamp > b.timestamp end
    return a.sequence < b.sequence
end

local function first(list, limit)
    if not limit or #list <= limit then return list end
    local out = {}
    for i = 1, limit do out[i] = list[i] end
    return out
end

local Memory = {}
Memory.__index = Memory

--- Nodes in memory. max_nodes: 100000.
function M.memory_store(options)
    return setmetatable({ nodes = {}, by_agent = {}, level_of = {}, levels = {}, count = 0, max = options and options.max_nodes or 100000, sequence = 0 }, Memory)
end

-- How many nodes of each level an agent has, kept up as they come and go: adding one must not cost a walk over all.
local function tally(self, node, step, level)
    local counts = self.levels[node.agent_id] or {}
    self.levels[node.agent_id] = counts
    counts[level] = (counts[level] or 0) + step
end

function Memory:store(node)
    local old = self.nodes[node.id]
    if not old then
        if self.count >= self.max then return fail("ELIMIT", "the memory store is full (%d nodes): delete some, or consolidate", self.max) end
        self.sequence = self.sequence + 1
        node.sequence = self.sequence
        self.count = self.count + 1
    else
        node.sequence = old.sequence
    end
    local agent = self.by_agent[node.agent_id] or {}
    self.by_agent[node.agent_id] = agent
    agent[node.id] = node
    self.nodes[node.id] = node
    if self.level_of[node.id] then tally(self, node, -1, self.level_of[node.id]) end
    self.level_of[node.id] = node.memory_level
    tally(self, node, 1, node.memory_level)
    return true
end

function Memory:count_level(agent, level)
    local counts = self.levels[agent]
    return counts and counts[level] or 0
end

function Memory:retrieve(id) return self.nodes[id] end

function Memory:delete(id)
    local node = self.nodes[id]
    if not node then return false end
    tally(self, node, -1, self.level_of[id])
    self.nodes[id], self.level_of[id], self.count = nil, nil, self.count - 1
    self.by_agent[node.agent_id][id] = nil
    if not next(self.by_agent[node.agent_id]) then self.by_agent[node.agent_id], self.levels[node.agent_id] = nil, nil end
    return true
end

--- The nodes of one agent for which accept(node) is true; best first (importance, then time).
function Memory:search(agent, accept)
    local out = {}
    for _, node in pairs(self.by_agent[agent] or {}) do
        if accept(node) then out[#out + 1] = node end
    end
    table.sort(out, function(a, b)
        if a.importance_score ~= b.importance_score then return a.importance_score > b.importance_score end
        return newer(a, b)
    end)
    return out
end

function Memory:list_by_agent(agent, limit)
    local out = {}
    for _, node in pairs(self.by_agent[agent] or {}) do out[#out + 1] = node end
    table.sort(out, newer)
    return first(out, limit)
end

function Memory.close() end

-- A file of JSON lines, {"put": node} or {"del": id}, appended and synced; rewritten when most of it is history. What a reader
-- needs is in memory.
local File = setmetatable({}, { __index = Memory })
File.__index = File

local function public(node)
    local out = {}
    for k, v in pairs(node) do
        if k ~= "sequence" then out[k] = v end
    end
    return out
end

local function replay(self, text)
    local line = 0
    for entry, newline in text:gmatch "([^\n]*)(\n?)" do
        line = line + 1
        if entry ~= "" then
            local record, message = json.decode(entry)
            -- A write that a crash cut off has no line end: it was never confirmed, and is dropped. Anything else is damage.
            if not record and newline == "" then return true, true end
            local node = type(record) == "table" and record.put
            if type(node) == "table" and type(node.id) == "string" and type(node.agent_id) == "string" then
                local ok, why, err = Memory.store(self, node)
                if not ok then return nil, why, err end
            elseif type(record) == "table" and type(record.del) == "string" then
                Memory.delete(self, record.del)
            else
                return fail("EPARSE", "%s:%d: not a memory record (%s); mend the line or restore the file from a backup", self.path, line, tostring(message or "no put and no del"))
            end
            self.lines = self.lines + 1
        end
    end
    return true, false
end

--- A store in a file of its own, for one process at a time. options: max_nodes, sync (true: each change is on disk when the call returns).
function M.file_store(path, options)
    local io = require "symbi.io"
    local self = setmetatable(M.memory_store(options), File)
    self.path, self.lines, self.io, self.sync = path, 0, io, not (options and options.sync == false)
    local lock, message, err = io.lock(path .. ".lock", 0)
    if not lock then return nil, message, err end
    self.lock = lock
    local text
    text, message, err = io.read_file(path)
    if not text and err.code ~= "ENOTFOUND" then
        lock:close()
        return nil, message, err
    end
    local ok, cut
    ok, cut, err = replay(self, text or "")
    if ok and cut then ok, cut, err = self:rewrite() end
    if not ok then
        lock:close()
        return nil, cut, err
    end
    return self
end

function File:rewrite()
    local out, list = {}, {}
    for _, node in pairs(self.nodes) do list[#list + 1] = node end
    table.sort(list, function(a, b) return a.sequence < b.sequence end)
    for _, node in ipairs(list) do
        local text, message, err = json.encode { put = public(node) }
        if not text then return nil, message, err end
        out[#out + 1] = text .. "\n"
    end
    local ok, message, err = self.io.write_file(self.path, table.concat(out), tonumber("600", 8))
    if not ok then return nil, message, err end
    self.lines = #list
    return true
end

local function append(self, record)
    local text, message, err = json.encode(record)
    if not text then return nil, message, err end
    local ok
    ok, message, err = self.io.append_file(self.path, text .. "\n", { mode = tonumber("600", 8), sync = self.sync })
    if not ok then return nil, message, err end
    self.lines = self.lines + 1
    if self.lines > 1000 and self.lines > 2 * self.count then return self:rewrite() end
    return true
end

function File:store(node)
    if not self.nodes[node.id] and self.count >= self.max then return Memory.store(self, node) end
    local ok, message, err = append(self, { put = public(node) })
    if not ok then return nil, message, err end
    return Memory.store(self, node)
end

function File:delete(id)
    if not self.nodes[id] then return false end
    local ok, message, err = append(self, { del = id })
    if not ok then return nil, message, err end
    return Memory.delete(self, id)
end

function File:close()
    if not self.lock then return end
    self:rewrite() -- access counts are kept in memory until now
    self.lock:close()
    self.lock = nil
end

-- ---- manager ------------------------------------------------------------------------------------------------------------

local Manager = {}
Manager.__index = Manager

local function uuid4()
    local b = core.crypto.random(16)
    local hex = b:gsub(".", function(c) return string.format("%02x", c:byte()) end)
    local variant = string.format("%x", tonumber(hex:sub(17, 17), 16) % 4 + 8)
    return hex:sub(1, 8) .. "-" .. hex:sub(9, 12) .. "-4" .. hex:sub(14, 16) .. "-" .. variant .. hex:sub(18, 20) .. "-" .. hex:sub(21, 32)
end

local function stamp(ms)
    local seconds = math.floor(ms / 1000)
    return os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. string.format(".%03dZ", ms - seconds * 1000)
end

-- The store that the SDK's words name. What its "redis" is for, others that see the same memories, a file of one process is not: it is refused.
local function storage_of(options)
    local kind = options.storage_type or "memory"
    if kind == "memory" then return M.memory_store() end
    if kind == "file" then
        if type(options.path) ~= "string" then return fail("EINVAL", "storage_type \"file\" needs a path") end
        return M.file_store(options.path)
    end
    return fail("EUNSUPPORTED", "storage_type %s is not here: \"memory\", \"file\" with a path, or storage = a store of your own", tostring(kind))
end

--- options: storage_type ("memory", or "file" with path) or storage (a store), thresholds (level -> count), now() in ms, id().
function M.new(options)
    options = options or {}
    local known = { storage = true, storage_type = true, path = true, thresholds = true, now = true, id = true }
    for name in pairs(options) do
        if not known[name] then error("symbi.memory.manager: unknown option '" .. tostring(name) .. "'", 3) end
    end
    local thresholds = {}
    for level, n in pairs(THRESHOLDS) do thresholds[level] = options.thresholds and options.thresholds[level] or n end
    local storage, message, err = options.storage
    if not storage then storage, message, err = storage_of(options) end
    if not storage then return nil, message, err end
    return setmetatable({
        storage = storage, thresholds = thresholds,
        now = options.now or function() return os.time() * 1000 end, id = options.id or uuid4,
    }, Manager)
end

local function text_field(options, name, required)
    local value = null_or(options[name])
    if value == nil and not required then return true end
    if type(value) ~= "string" or value == "" then return fail("ESCHEMA", "%s must be text", name) end
    return true, value
end

local function check(options)
    if type(null_or(options.content)) ~= "table" then return fail("ESCHEMA", "content must be a table") end
    for _, name in ipairs { "agent_id", "conversation_id", "parent_id" } do
        local ok, message, err = text_field(options, name, name == "agent_id")
        if not ok then return nil, message, err end
    end
    local kind, level, score = null_or(options.memory_type, "fact"), null_or(options.memory_level, "short_term"), null_or(options.importance_score, 0)
    if not TYPES[kind] then return fail("ESCHEMA", "'%s' is not a valid MemoryType", tostring(kind)) end
    if not THRESHOLDS[level] then return fail("ESCHEMA", "'%s' is not a valid MemoryLevel", tostring(level)) end
    if type(score) ~= "number" or score - score ~= 0 then return fail("ESCHEMA", "importance_score must be a finite number") end
    return true, kind, level, score
end

local function count_level(self, agent, level)
    if self.storage.count_level then return self.storage:count_level(agent, level) end
    return #self.storage:search(agent, function(node) return node.memory_level == level end)
end

function Manager:add_memory(options)
    local ok, kind, level, score = check(options)
    if not ok then return nil, kind, level end
    local node = {
        id = self.id(), content = options.content, memory_type = kind, memory_level = level, timestamp = stamp(self.now()), agent_id = options.agent_id,
        conversation_id = null_or(options.conversation_id), parent_id = null_or(options.parent_id), children_ids = core.array {},
        importance_score = score, access_count = 0, metadata = null_or(options.metadata) or core.object {},
    }
    local stored, message, err = self.storage:store(node)
    if not stored then return nil, message, err end
    local parent = node.parent_id and self.storage:retrieve(node.parent_id)
    if parent and parent.agent_id == node.agent_id then
        parent.children_ids[#parent.children_ids + 1] = node.id
        self.storage:store(parent)
    end
    if count_level(self, node.agent_id, level) > self.thresholds[level] * 1.2 then
        ok, message, err = self:consolidate_memory(node.agent_id)
        if not ok then return nil, message, err end
    end
    return node.id
end

function Manager:get_memory(id)
    local node = self.storage:retrieve(id)
    if not node then return nil end
    node.access_count = node.access_count + 1
    node.last_accessed = stamp(self.now())
    return public(node)
end

local function filter(agent, query)
    query = query or {}
    local contains = null_or(query.content_contains)
    if null_or(query.agent_id) ~= nil and query.agent_id ~= agent then
        return fail("EDENIED", "a search is about one agent: query.agent_id '%s' is not '%s'", tostring(query.agent_id), agent)
    end
    if null_or(query.memory_type) and not TYPES[query.memory_type] then
        return fail("ESCHEMA", "Failed to search memories: '%s' is not a valid MemoryType", tostring(query.memory_type))
    end
    if null_or(query.memory_level) and not THRESHOLDS[query.memory_level] then
        return fail("ESCHEMA", "Failed to search memories: '%s' is not a valid MemoryLevel", tostring(query.memory_level))
    end
    if contains ~= nil and type(contains) ~= "string" then return fail("ESCHEMA", "Failed to search memories: content_contains must be text") end
    contains = contains and core.memory.fold(contains)
    return function(node)
        if query.conversation_id ~= nil and node.conversation_id ~= null_or(query.conversation_id) then return false end
        if null_or(query.memory_type) and node.memory_type ~= query.memory_type then return false end
        if null_or(query.memory_level) and node.memory_level ~= query.memory_level then return false end
        if contains then
            local text = json.encode(node.content)
            return text ~= nil and core.memory.fold(text):find(contains, 1, true) ~= nil
        end
        return true
    end
end

function Manager:search_memory(agent, query, levels, limit)
    local accept, message, err = filter(agent, query)
    if not accept then return nil, message, err end
    local wanted
    if levels then
        wanted = {}
        for _, level in ipairs(levels) do wanted[level] = true end
    end
    local found = self.storage:search(agent, function(node) return (not wanted or wanted[node.memory_level]) and accept(node) end)
    local out = {}
    for i, node in ipairs(first(found, limit or 50)) do out[i] = public(node) end
    return out
end

function Manager:get_conversation_context(conversation, agent)
    return self:search_memory(agent, { conversation_id = conversation }, nil, math.huge)
end

function Manager:list_agent_memories(agent, limit)
    local out = {}
    for i, node in ipairs(self.storage:list_by_agent(agent, limit or 100)) do out[i] = public(node) end
    return out
end

--- true when it was there, false when not.
function Manager:delete_memory(id) return self.storage:delete(id) end

--- How many nodes an agent has, by level.
function Manager:count(agent)
    local out = {}
    for _, level in ipairs(LEVELS) do out[level] = count_level(self, agent, level) end
    return out
end

--- Keeps the best of each level that is over its threshold; short-term nodes above 0.7 become long-term; the rest is deleted.
function Manager:consolidate_memory(agent)
    local result = { promoted = 0, pruned = 0, consolidated = 0 }
    for _, level in ipairs(LEVELS) do
        local nodes = self.storage:search(agent, function(node) return node.memory_level == level end)
        local keep = self.thresholds[level]
        for i, node in ipairs(#nodes > keep and nodes or {}) do
            local ok, message, err = true, nil, nil
            if i > keep then
                ok, message, err = self.storage:delete(node.id)
                result.pruned = result.pruned + 1
            elseif level == "short_term" and node.importance_score > PROMOTE_ABOVE then
                node.memory_level = "long_term"
                ok, message, err = self.storage:store(node)
                result.promoted = result.promoted + 1
            end
            if ok == nil then return nil, message, err end
        end
    end
    return result
end

function Manager:close() self.storage:close() end

return M
