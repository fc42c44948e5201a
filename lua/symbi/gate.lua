--- symbi.gate: opens a gate from folders. What is decided, and how, is C (host/gate); here files are found and read.
-- gate = symbi.gate.open{ policies = folder | policy set | list of {name=, text=}, tools = folder | toolset | list of tools,
--   mode = "strict" | "compat" (as upstream's gate decides; compat_allow = bool), profile = {names}, surface = "run", comm = rules, audit =, entities =, max_tool_calls =, permit_ttl_ms =, strict_policies = bool }
-- Then gate:check(action[, facts]) -> verdict; gate:commit(verdict); gate:redeem(verdict, permit). See bindings/lgate.c.
local core = require "symbi.core"

local M = { codes = core.gate.codes } -- name -> what it means

local SURFACE = "^[%w_][%w_.%-]*$" -- a plain folder name

local function io_module() return require("symbi").io end

-- Calls visit(path, entry) for <dir>/*.cedar and, for a surface, <dir>/<surface>/*.cedar, each in order of name; visit returns true, or
-- nil, message, err, which ends it. A surface without a folder adds nothing.
local function each_file(dir, surface, visit)
    if surface and surface ~= "" and not surface:find(SURFACE) then
        local m = "surface '" .. surface .. "' is no plain folder name"
        return nil, m, core.error("EINVAL", m)
    end
    local folders = { dir }
    if surface and surface ~= "" then folders[2] = dir .. "/" .. surface end
    for i, folder in ipairs(folders) do
        local entries, message, err = io_module().list_dir(folder)
        if not entries and not (i == 2 and err and err.code == "ENOTFOUND") then return nil, message, err end
        for _, e in ipairs(entries or {}) do
            if e.name:find("%.cedar$") and e.type ~= "directory" then
                local ok
                ok, message, err = visit(folder .. "/" .. e.name, e)
                if not ok then return nil, message, err end
            end
        end
    end
    return true
end

--- The policy sources of a folder. A file that is a JSON list holds {name=, source=, active=}. Any file that cannot be read refuses the
-- whole folder.
function M.sources(dir, surface)
    local list = {}
    local ok, message, err = each_file(dir, surface, function(path)
        local text, why, rerr = io_module().read_file(path)
        if not text then return nil, why, rerr end
        if not text:find("^%s*%[") then
            list[#list + 1] = { name = path, text = text }
            return true
        end
        local decoded, jmsg, jerr = core.json.decode(text)
        if not decoded then return nil, path .. ": " .. jmsg, jerr end
        for i, p in ipairs(decoded) do
            if type(p) ~= "table" or type(p.name) ~= "string" or type(p.source) ~= "string" then
                local m = path .. ": entry " .. i .. " must be an object with name and source"
                return nil, m, core.error("ESCHEMA", m)
            end
            if p.active ~= false then list[#list + 1] = { name = path .. ":" .. p.name, text = p.source } end
        end
        return true
    end)
    if not ok then return nil, message, err end
    return list
end

--- A policy set from a folder, a list of sources or a text; userdata passes through.
function M.policies(from, options)
    options = options or {}
    if type(from) == "userdata" then return from end
    local sources = from
    if type(from) == "string" then
        local message, err
        sources, message, err = M.sources(from, options.surface)
        if not sources then return nil, message, err end
    end
    if options.mode == "compat" then
        if #sources == 0 then return false end -- upstream tells no policies from empty ones
        return core.policy.compat(sources)
    end
    return core.cedar.policies(sources, { symbi_alias = true, legacy_scope = not options.strict_policies, annotated_ids = true })
end

-- Where the policies of a gate came from, for gate:refresh; a gate that is gone takes its entry with it.
local origins = setmetatable({}, { __mode = "k" })

-- What the folder looks like from outside: names, sizes and times. A change is noticed by it, never trusted for what it is.
local function signature(dir, surface)
    local parts = {}
    local ok, message, err = each_file(dir, surface, function(path)
        local info, why, serr = io_module().stat(path)
        if not info then return nil, why, serr end
        parts[#parts + 1] = table.concat({ path, tostring(info.size), tostring(info.mtime_ms) }, "\0")
        return true
    end)
    if not ok then return nil, message, err end
    return table.concat(parts, "\0\0")
end

-- The event of a reload, on the trail where there is one: a reload that nobody can see later did not happen.
local function journal(origin, event)
    if origin.audit then return origin.audit:commit { event = core.json.canonical(event), agent_id = "runtime", loop_id = "" } end
    return true
end

--- gate:refresh([force]): looks at the folder that the policies came from, and when it changed reads it again, whole. Returns false when
-- nothing changed, the new generation when another set is in force, or nil, message, err when the folder is broken: then the old
-- set stays in force, and the failure is on the trail once. A set can become empty only by an empty folder, which denies everything.
function M.refresh(gate, force)
    local origin = origins[gate]
    if not origin then return nil, "this gate was not opened from a folder", core.error("ESTATE", "this gate was not opened from a folder") end
    local sig, message, err = signature(origin.dir, origin.surface)
    if sig and sig == origin.signature and not force then
        if origin.broken then return nil, origin.broken.message, origin.broken.err end
        return false
    end
    local set
    if sig then set, message, err = M.policies(origin.dir, origin) end
    if set == false then set = core.cedar.policies {} end -- a compat gate whose files went: it denies from now on
    local generation
    if set then
        local hash = set:hash()
        local ok
        ok, message, err = journal(origin, { type = "policy_reloaded", policy_set_hash = hash, policies = #set:policies(), source = origin.dir })
        if ok then generation, message, err = gate:reload(set) end
    end
    if generation then
        origin.signature, origin.broken = sig, nil
        return generation
    end
    if not origin.broken or origin.broken.message ~= message then
        journal(origin, { type = "policy_reload_failed", error = message, source = origin.dir })
    end
    origin.signature, origin.broken = sig or "", { message = message, err = err }
    return nil, message, err
end
core.gate.methods.refresh = M.refresh

function M.open(options)
    if type(options) ~= "table" then error("symbi.gate.open: an options table is expected", 2) end
    local o = {}
    for k, v in pairs(options) do o[k] = v end
    local message, err
    local origin
    if o.mode ~= nil and o.mode ~= "strict" and o.mode ~= "compat" then error("symbi.gate.open: mode is 'strict' or 'compat'", 2) end
    if o.mode == "compat" then
        o.compat = true
        if type(o.policies) == "userdata" then error("symbi.gate.open: a compat gate reads its policies itself; give a folder or a list", 2) end
    end
    if type(o.policies) == "string" then
        origin = { dir = o.policies, surface = o.surface, strict_policies = o.strict_policies, mode = o.mode, audit = o.audit }
        origin.signature, message, err = signature(o.policies, o.surface) -- before the files are read: a change in between is seen later
        if not origin.signature then return nil, message, err end
    end
    if o.policies ~= nil then
        o.policies, message, err = M.policies(o.policies, o)
        if o.policies == nil then return nil, message, err end
        if o.policies == false then o.policies = nil end
    end
    o.strict_policies, o.mode = nil, nil
    if type(o.tools) == "string" then
        o.tools, message, err = require("symbi").toolclad.dir(o.tools)
        if not o.tools then return nil, message, err end
    end
    if type(o.tools) == "table" then
        o.tools, message, err = core.toolclad.toolset(o.tools)
        if not o.tools then return nil, message, err end
    end
    if type(o.comm) == "table" then
        o.comm, message, err = core.comm.rules(o.comm)
        if not o.comm then return nil, message, err end
    end
    if o.production == nil then o.production = os.getenv("SYMBIONT_ENV") == "production" end
    local gate
    gate, message, err = core.gate.new(o)
    if gate and origin then origins[gate] = origin end
    return gate, message, err
end

return M
