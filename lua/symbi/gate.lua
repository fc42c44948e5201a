--- symbi.gate: opens a gate from folders. What is decided, and how, is C (host/gate); here files are found and read.
-- gate = symbi.gate.open{ policies = folder | policy set | list of {name=, text=}, tools = folder | toolset | list of tools,
--   agent_identity = {agent = sub}, identity_issuer = domain, require_identity = bool, proofs = {tool = SchemaPin result}, require_verified = bool | {tools},
--   scope = file | {targets=, domains=, exclude=} | scope (what may be targeted), require_scope = bool,
--   mode = "strict" | "compat" (as upstream's gate decides; compat_allow = bool), profile = {names}, surface = "run", comm = rules, audit =, entities =, max_tool_calls =, permit_ttl_ms =, strict_policies = bool }
-- Then gate:check(action[, facts]) -> verdict; gate:commit(verdict); gate:redeem(verdict, permit). See bindings/lgate.c. gate:warnings() says what
-- is in force and probably not meant, such as policies that let no agent answer; the log and the reload's entry say it too.
local core = require "symbi.core"

local M = { codes = core.gate.codes } -- name -> what it means

local SURFACE = "^[%w_][%w_.%-]*$" -- a plain folder name

local function io_module() return require("symbi").io end

-- A name that is meant as a policy file, and would not be read.
local function nearly(name)
    local lower = name:lower()
    return lower:find("%.cedar$") or lower:find("%.cedar%.json$")
end

-- Calls visit(path, entry) for <dir>/*.cedar and, for a surface, <dir>/<surface>/*.cedar, each in order of name; visit returns true, or
-- nil, message, err, which ends it. A surface without a folder adds nothing; one whose folder cannot be read, or a file that was meant and
-- has another name, ends it too: somebody's forbid may be there.
local function each_file(dir, surface, visit)
    if surface and surface ~= "" and not surface:find(SURFACE) then
        local m = "surface '" .. surface .. "' is no plain folder name"
        return nil, m, core.error("EINVAL", m)
    end
    local folders = { dir }
    if surface and surface ~= "" then folders[2] = dir .. "/" .. surface end
    local there = false
    for i, folder in ipairs(folders) do
        local entries, message, err = io_module().list_dir(folder)
        if not entries and not (i == 2 and not there and err and err.code == "ENOTFOUND") then return nil, message, err end
        for _, e in ipairs(entries or {}) do
            if e.name == surface then there = true end
            if e.name:find("%.cedar$") and e.type ~= "directory" then
                local ok
                ok, message, err = visit(folder .. "/" .. e.name, e)
                if not ok then return nil, message, err end
            elseif nearly(e.name) and e.type ~= "directory" then
                message = folder .. "/" .. e.name .. " would not be read: policy files, JSON lists of them too, have names that end in .cedar"
                return nil, message, core.error("EINVAL", message)
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
        if next(sources) == nil then return false end -- upstream tells no policies from empty ones
        return core.policy.compat(sources)
    end
    for _, s in ipairs(sources ~= from and sources or {}) do -- a file that is being written, or that a full disk cut short
        if not s.text:find("%S") then
            local m = s.name .. " is empty: remove it, or put a comment into it"
            return nil, m, core.error("EPARSE", m)
        end
    end
    return core.cedar.policies(sources, { symbi_alias = true, legacy_scope = not options.strict_policies, annotated_ids = true })
end

-- Where the policies of a gate came from, for gate:refresh; a gate that is gone takes its entry with it. The same for its tools
-- (symbi.toolclad.folder): a tool that breaks keeps its last good contract, so a broken one is no failure of the refresh.
local origins = setmetatable({}, { __mode = "k" })
local tool_folders = setmetatable({}, { __mode = "k" })

-- What the folder looks like from outside: names and versions. A change is noticed by it, never trusted for what it is.
local function signature(dir, surface)
    local parts = {}
    local ok, message, err = each_file(dir, surface, function(path)
        local info, why, serr = io_module().stat(path)
        if not info then return nil, why, serr end
        parts[#parts + 1] = path .. "\0" .. info.version
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

-- The policies of the folder as it is now, and its signature. A file that changes while the folder is read makes the reading worthless: then
-- once more, and when somebody keeps writing the folder counts as broken for the moment.
local function read(origin)
    local set, message, err
    local sig, why, serr = signature(origin.dir, origin.surface)
    for _ = 1, 5 do
        if not sig then return nil, nil, why, serr end
        set, message, err = M.policies(origin.dir, origin)
        local after
        after, why, serr = signature(origin.dir, origin.surface)
        if after == sig then return sig, set, message, err end
        sig = after
    end
    local m = origin.dir .. " is being written to"
    return nil, nil, m, core.error("EAGAIN", m)
end

-- Puts the folder's policies in force. how: "changed" (only where the signature differs), "look" (whatever it says; an equal set is no
-- reload), "force".
local function refresh(gate, origin, how)
    local message, err, sig, set, generation, hash
    if how == "changed" then
        local now = signature(origin.dir, origin.surface)
        if now and now == origin.signature then
            if origin.broken then return nil, origin.broken.message, origin.broken.err end
            return false
        end
    end
    sig, set, message, err = read(origin)
    if set == false then set = core.cedar.policies {} end -- a compat gate whose files went: it denies from now on
    if set then
        hash = set:hash()
        if how == "look" and hash == origin.hash then
            origin.signature, origin.broken = sig, nil
            return false
        end
        local ok = origin.mode == "compat"
        if not ok then ok, message, err = core.gate.ready(set) end
        local warnings = core.gate.warnings(set, origin.mode == "compat")
        if ok then ok, message, err = journal(origin, { type = "policy_reloaded", policy_set_hash = hash, policies = #set:policies(), source = origin.dir, warnings = #warnings > 0 and warnings or nil }) end
        if ok then generation, message, err = gate:reload(set) end
    end
    if generation then
        origin.signature, origin.hash, origin.broken = sig, hash, nil
        origin.reloads = origin.reloads + 1
        return generation
    end
    if not origin.broken or origin.broken.message ~= message then
        origin.failures = origin.failures + 1
        journal(origin, { type = "policy_reload_failed", error = message, source = origin.dir })
    end
    origin.signature, origin.broken = sig or false, { message = message, err = err }
    return nil, message, err
end

local function origin_of(gate)
    local origin = origins[gate]
    if origin then return origin end
    local m = "this gate was not opened from a folder"
    return nil, m, core.error("ESTATE", m)
end

--- gate:refresh([force]): looks at the folder that the policies came from, and when it changed reads it again, whole. Returns false when
-- nothing changed, the new generation when another set is in force, or nil, message, err when the folder is broken: then the old
-- set stays in force, and the failure is on the trail once. A set can become empty only by an empty folder, which denies everything.
function M.refresh(gate, force)
    local folder, origin = tool_folders[gate], origins[gate]
    local swapped = folder and folder:refresh()
    if not origin and folder then return swapped and gate:generation() or false end
    local message, err
    origin, message, err = origin_of(gate)
    if not origin then return nil, message, err end
    local generation
    generation, message, err = refresh(gate, origin, force and "force" or "changed")
    if generation == false and swapped then return gate:generation() end
    return generation, message, err
end

--- gate:follow([{quiet_ms=, most_ms=}]): from now on the system tells when the folder changes (inotify), and gate:poll, which costs one system
-- call, is enough to have the edit in force. Inside symbi.io.host.run nobody needs to poll: the loop does. Returns true, or nil, message,
-- err where folders cannot be watched (then gate:refresh is what there is).
function M.follow(gate, options)
    if tool_folders[gate] then
        local ok, why, werr = tool_folders[gate]:watch()
        if not ok or not origins[gate] then return ok, why, werr end
    end
    local origin, message, err = origin_of(gate)
    if not origin then return nil, message, err end
    if not origin.watch then
        local folders = { origin.dir }
        if origin.surface and origin.surface ~= "" then folders[2] = origin.dir .. "/" .. origin.surface end
        origin.watch, message, err = io_module().watch(folders, options)
        if not origin.watch then return nil, message, err end
        refresh(gate, origin, "look") -- what happened before the watch began
    end
    local host = package.loaded["symbi.io.host"]
    if host and host.running() then
        local weak = setmetatable({ gate = gate }, { __mode = "v" })
        host.follow(origin.watch, function() if weak.gate and origins[weak.gate] then refresh(weak.gate, origin, "look") end end)
    end
    return true
end

--- gate:poll([ms]): what gate:refresh returns, when the folder that is followed changed; false when it did not, or is still being written.
-- Where an edit is under way it waits for its end, at most ms (default 0); where there is none it never waits.
function M.poll(gate, ms)
    local swapped = tool_folders[gate] and tool_folders[gate]:poll(ms)
    if tool_folders[gate] and not origins[gate] then return swapped and gate:generation() or false end
    local origin, message, err = origin_of(gate)
    if not origin then return nil, message, err end
    if swapped then return gate:generation() end
    if not origin.watch then return refresh(gate, origin, "changed") end
    local changed
    changed, message, err = origin.watch:poll(0)
    if changed == false and (ms or 0) > 0 and origin.watch:due() >= 0 then changed, message, err = origin.watch:poll(ms) end
    if changed == nil then return nil, message, err end
    if not changed then return false end
    return refresh(gate, origin, "look")
end

--- gate:status(): {generation=, tools = {...} where they come from a folder, reloads=, failures=, broken = message or nil, following=, warnings={...}}: reloads and failures since it was opened.
function M.status(gate)
    local origin = origins[gate] or {}
    return { generation = gate:generation(), reloads = origin.reloads or 0, failures = origin.failures or 0, following = origin.watch ~= nil,
        tools = tool_folders[gate] and tool_folders[gate]:status(), broken = origin.broken and origin.broken.message, warnings = gate:warnings() }
end

local close = core.gate.methods.close
function M.close(gate)
    local origin, folder = origins[gate], tool_folders[gate]
    origins[gate], tool_folders[gate] = nil, nil
    if folder then folder:close() end
    if origin and origin.watch then origin.watch:close() end
    return close(gate)
end

for _, name in ipairs { "refresh", "follow", "poll", "status", "close" } do core.gate.methods[name] = M[name] end

-- What must not be overlooked: into nginx's log, else to standard error.
local function loud(text)
    local ngx = rawget(_G, "ngx")
    if type(ngx) == "table" and type(ngx.log) == "function" then ngx.log(ngx.WARN, "symbi: ", text) else io.stderr:write("symbi: ", text, "\n") end
end

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
        origin = { dir = o.policies, surface = o.surface, strict_policies = o.strict_policies, mode = o.mode, audit = o.audit, reloads = 0, failures = 0 }
        origin.signature, o.policies, message, err = read(origin)
        if o.policies == nil then return nil, message, err end
        if o.policies then origin.hash = o.policies:hash() else o.policies = nil end
    elseif o.policies ~= nil then
        o.policies, message, err = M.policies(o.policies, o)
        if o.policies == nil then return nil, message, err end
        if o.policies == false then o.policies = nil end
    end
    if o.scope ~= nil then
        o.scope, message, err = require("symbi").scope.open(o.scope)
        if not o.scope then return nil, message, err end
    end
    local proofs = o.proofs
    o.strict_policies, o.mode, o.proofs = nil, nil, nil
    local tools_dir = type(o.tools) == "string" and o.tools or nil
    if tools_dir then -- whole or not at all to begin with
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
    if o.production == nil then -- a value that nobody knows is no way out of production
        local environment = core.auth.environment(os.getenv("SYMBIONT_ENV") or "")
        o.production = environment == nil or environment == "production"
    end
    local gate, quiet
    quiet, o.quiet = o.quiet, nil
    gate, message, err = core.gate.new(o)
    if gate and not quiet and (o.insecure_allow_all or o.compat) then
        local warnings = gate:warnings()
        loud(warnings[#warnings])
    end
    for name, result in pairs(gate and proofs or {}) do
        local ok
        ok, message, err = gate:prove(name, result)
        if not ok then
            gate:close()
            return nil, message, err
        end
    end
    if gate and origin then origins[gate] = origin end
    if gate and tools_dir then
        local folder, ok
        folder, message, err = require("symbi").toolclad.follow(tools_dir, { audit = o.audit })
        if folder then ok, message, err = folder:bind(gate) end
        if not ok then
            gate:close()
            return nil, message, err
        end
        tool_folders[gate] = folder
    end
    return gate, message, err
end

return M
