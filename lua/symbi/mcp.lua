--- symbi.mcp: the MCP servers of mcp-config.toml, for whoever runs them: which there are, what they offer, and which definitions are approved.
-- A tool of backend mcp is called only while its definition is the approved one (or is signed by its server's key).
--   symbi.mcp.servers()                          the registry's servers
--   tools, msg, err = symbi.mcp.tools("files")   what a server lists: {{name=, standing=, digest=, diff=, definition=}, ...}
--   symbi.mcp.approve("files", "read_file")      from now on this very definition may be used
--   symbi.mcp.forget("files"[, "read_file"])     not any more
-- options everywhere: config = path of mcp-config.toml (default ./mcp-config.toml, then ~/.symbiont/mcp-config.toml), record = path of the
-- approvals (default .symbi/mcp-approvals.json), secrets = function(name) or a store. Listing starts the server: it is the operator's act,
-- as starting any other program is, and calls nothing.
local core = require "symbi.core"

local M = {}
local MAX_RECORD = 64 * 1024 * 1024

local function symio() return require("symbi").io end
local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

-- ---- files ---------------------------------------------------------------------------------------------------------------------------

--- The registry. The first file that is there counts; one that cannot be used is an error, since the next might say something else.
function M.registry(options)
    options = options or {}
    local paths = { options.config or os.getenv("SYMBI_MCP_CONFIG") }
    if not paths[1] then
        paths[1] = "mcp-config.toml"
        local home = os.getenv("HOME")
        if home and home ~= "" then paths[2] = home .. "/.symbiont/mcp-config.toml" end
    end
    for i, path in ipairs(paths) do
        local text, message, err = symio().read_file(path, core.limits().manifest_bytes)
        if text then return core.mcp.registry(text, path) end
        if err.code ~= "ENOTFOUND" then return nil, message, err end
        if i == #paths then return fail("ENOTFOUND", "there is no registry of MCP servers: %s", table.concat(paths, ", ")) end
    end
end

function M.record_path(options) return options and options.record or os.getenv("SYMBI_MCP_RECORD") or ".symbi/mcp-approvals.json" end

--- The text of the approvals; "" when there are none yet. A file that others can write is refused.
function M.read_record(path)
    local text, info, err = symio().read_file_info(path, { max = MAX_RECORD })
    if not text then
        if err and err.code == "ENOTFOUND" then return "" end
        return nil, info, err
    end
    if math.floor((info.mode or 0) / 16) % 2 == 1 or math.floor((info.mode or 0) / 2) % 2 == 1 then
        return fail("EDENIED", "the approvals of MCP tools in %s can be written by others: look at what they hold, then chmod 600 %s", path, path)
    end
    if text == "" then return fail("EPARSE", "the approvals of MCP tools in %s lost their content: put the file back, or remove it to start without any", path) end
    return text
end

function M.write_record(path, text) return symio().write_file(path, text, 384) end -- 0600

function M.lock_record(path)
    local dir = path:match("^(.*)/[^/]*$")
    if dir and dir ~= "" then
        local ok, message, err = symio().mkdir(dir, { parents = true, mode = 448 }) -- 0700
        if not ok then return nil, message, err end
    end
    return symio().lock(path .. ".lock", 10000)
end

-- change(record text) -> new text, or nil, message, err
local function change_record(options, change)
    local path = M.record_path(options)
    local lock, message, err = M.lock_record(path)
    if not lock then return nil, message, err end
    local record, text, extra, ok
    record, message, err = M.read_record(path)
    if record then
        text, message, err = change(record)
        extra = message
        if text then ok, message, err = M.write_record(path, text) end
    end
    lock:close()
    if not ok then return nil, message, err end
    return true, extra
end

-- ---- what an operator asks --------------------------------------------------------------------------------------------------------------

--- {name=, command= or url=, args=, env= names, trust=, ...} of each server, in the order of the file.
function M.servers(options)
    local registry, message, err = M.registry(options)
    if not registry then return nil, message, err end
    local out = {}
    for i, name in ipairs(registry:names()) do out[i] = registry:server(name) end
    return out, registry:warnings()
end

local function list(server, options)
    local set = symio().auto { mcp = options, secrets = options and options.secrets }
    local result, message, err = require("symbi.io.backend.mcp").list(set, server, options and options.timeout_ms)
    set:finish()
    if not result then return nil, message, err end
    return result.tools, result.left_out or {}
end

--- What a server lists, and how each definition stands: "approved", "unknown", "changed" (with diff) or "signed" (its key decides when it is
-- called). Second, those that may not be used over HTTP: {{name=, reason=}, ...}.
function M.tools(server, options)
    local tools, left_out, err = list(server, options)
    if not tools then return nil, left_out, err end
    local record, message
    record, message, err = M.read_record(M.record_path(options))
    if not record then return nil, message, err end
    local out = {}
    for i, t in ipairs(tools) do
        local standing, diff, e = core.mcp.compare(record, server, t)
        if not standing then return nil, diff, e end
        local schema = type(t.inputSchema) == "table" and t.inputSchema or {}
        if standing ~= "approved" and type(schema.signature) == "string" then standing = "signed" end
        out[i] = { name = t.name, standing = standing, diff = diff ~= "" and diff or nil, digest = "sha256:" .. core.mcp.digest(t), definition = t }
    end
    return out, left_out
end

--- Approves the definition that the server lists now. options.digest: only if it is this one (as it was shown). options.by: for the record.
function M.approve(server, tool, options)
    local tools, message, err = M.tools(server, options)
    if not tools then return nil, message, err end
    for _, t in ipairs(tools) do
        if t.name == tool then
            if options and options.digest and options.digest ~= t.digest then
                return fail("EVERIFY", "MCP tool '%s' of server '%s' is not the one that was looked at: %s now", tool, server, t.digest)
            end
            local ok
            ok, message, err = change_record(options, function(record)
                return core.mcp.approve(record, server, t.definition, options and options.by or os.getenv("USER") or "operator")
            end)
            if not ok then return nil, message, err end
            return t
        end
    end
    return fail("ENOTFOUND", "MCP server '%s' has no tool '%s'", server, tool)
end

--- Takes approvals back: of one tool, or of all of a server's and of its key. Returns how many there were.
function M.forget(server, tool, options)
    local removed = 0
    local ok, message, err = change_record(options, function(record)
        local text, n, e = core.mcp.forget(record, server, tool)
        if text then removed = n end
        return text, n, e
    end)
    if not ok then return nil, message, err end
    return removed
end

return M
