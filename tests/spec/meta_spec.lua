--- lua/symbi/meta/*.lua, what language servers read of the public modules, against the modules as they are: nothing is annotated that is
-- not there, nothing public is left out, and the annotations fit each other.
local symbi = require "symbi"
local sio = require "symbi.io"

local DIR = "lua/symbi/meta/"
local MODULES = { "symbi", "agent", "agentpin", "approvals", "audit", "auth", "cedar", "comm", "crypto", "dsl", "gate", "io", "json", "jwt", "match", "mcp",
    "memory", "metrics", "netguard", "policy", "run", "runtime", "sandbox", "sanitize", "schemapin", "scope", "secrets", "skills", "store", "toml", "tool",
    "toolclad", "unicode", "webhook", "yaml" }

-- ---- what is annotated ------------------------------------------------------------------------------------------------------------

local function split(list)
    local out = {}
    for name in list:gmatch "[%w_.]+" do out[#out + 1] = name end
    return out
end

-- One file: functions {class=, path=, params=, documented=, line=} by class, fields by class, types that are named.
local function parse(path)
    local f = assert(io.open(path, "rb"))
    local meta = { locals = {}, functions = {}, fields = {}, classes = {}, named = {}, order = {}, path = path }
    local class, documented = nil, {}
    local number = 0
    for line in f:lines() do
        number = number + 1
        local tag, rest = line:match "^%-%-%-@(%w+)%s*(.*)$"
        if tag == "meta" then
            meta.name = rest
        elseif tag == "class" then
            class = assert(rest:match "^[%w_.]+", line)
            assert(not meta.classes[class], path .. ": " .. class .. " twice")
            meta.classes[class], meta.fields[class] = true, {}
        elseif tag == "alias" then
            meta.classes[rest:match "^[%w_.]+"] = true
        elseif tag == "field" and class then
            local field = rest:match "^([%w_]+)"
            if field then meta.fields[class][field] = true end
        elseif tag == "param" then
            documented[#documented + 1] = rest:match "^([%w_.]+)"
        end
        if tag then for name in rest:gmatch "%f[%w_]symbi%.[%w_.]+" do meta.named[name:gsub("%.$", "")] = number end end
        local variable = line:match "^local ([%w_]+) = {}$"
        if variable then meta.locals[variable], class = class, nil end
        local receiver, separator, name, params = line:match "^function ([%w_]+)([.:])([%w_.]+)%((.-)%) end$"
        if line:find "^function" then assert(receiver, path .. ":" .. number .. ": not understood") end
        if receiver then
            local owner = assert(meta.locals[receiver], path .. ":" .. number .. ": " .. receiver .. " has no class")
            meta.functions[owner] = meta.functions[owner] or {}
            assert(not meta.functions[owner][name], path .. ":" .. number .. ": " .. name .. " twice")
            meta.functions[owner][name] = { params = split(params), documented = documented, line = number, method = separator == ":" }
        end
        if not tag and not line:find "^%-%-%-" then documented = {} end
    end
    f:close()
    return meta
end

local metas = {}
for _, module in ipairs(MODULES) do metas[module] = parse(DIR .. module .. ".lua") end

-- ---- what is there ------------------------------------------------------------------------------------------------------------------

sio.core() -- its types are registered from now on
symbi.error("EINVAL", "made so that its type is registered")
for _, name in ipairs(MODULES) do assert(name == "symbi" or symbi[name], name) end -- some add methods to types of C

-- Classes of objects in Lua are locals of their modules: found from a function that uses them.
local function local_of(f, name, depth)
    local i = 1
    local inner = {}
    while true do
        local n, v = debug.getupvalue(f, i)
        if not n then break end
        if n == name and type(v) == "table" then return v end
        if type(v) == "function" then inner[#inner + 1] = v end
        i = i + 1
    end
    for _, g in ipairs(depth > 0 and inner or {}) do
        local found = local_of(g, name, depth - 1)
        if found then return found end
    end
end

local function registered(name) return debug.getregistry()["symbi." .. name].__index end

local function lua_class(f, name) return assert(local_of(f, name, 5), name) end

-- How the methods of each annotated class are reached.
local OBJECTS = {
    ["symbi.agent.Agent"] = function() return lua_class(symbi.agent.new, "Agent") end,
    ["symbi.agentpin.Document"] = "agentpin_document", ["symbi.agentpin.Nonces"] = "agentpin_nonces", ["symbi.agentpin.Pins"] = "agentpin_pins",
    ["symbi.agentpin.PinStore"] = function() return lua_class(symbi.agentpin.open_pin_store, "Store") end,
    ["symbi.audit.Verifier"] = "auditverifier", ["symbi.audit.Writer"] = "audit",
    ["symbi.auth.Keys"] = function() return lua_class(symbi.auth.api_keys, "Keys") end,
    ["symbi.auth.Manager"] = function() return lua_class(symbi.auth.manager, "Manager") end,
    ["symbi.cedar.Entities"] = "entities", ["symbi.cedar.Policies"] = "policies", ["symbi.cedar.Schema"] = "cedarschema",
    ["symbi.comm.List"] = "comm_list", ["symbi.comm.Rules"] = "comm_rules",
    ["symbi.crypto.Hasher"] = "hasher", ["symbi.crypto.Key"] = "key",
    ["symbi.dsl.File"] = "dsl", ["symbi.dsl.Narrow"] = "narrow",
    ["symbi.gate.Gate"] = "gate",
    ["symbi.io.Browser"] = "chrome", ["symbi.io.Job"] = "job", ["symbi.io.Lock"] = "lock", ["symbi.io.Loop"] = "loop", ["symbi.io.MemoryStore"] = "memory_store",
    ["symbi.io.Pipe"] = "pipe", ["symbi.io.Prepared"] = "request", ["symbi.io.Session"] = "session", ["symbi.io.Transfer"] = "transfer", ["symbi.io.Watch"] = "watch",
    ["symbi.match.Set"] = "match", ["symbi.mcp.Registry"] = "mcp_registry",
    ["symbi.memory.Manager"] = function() return lua_class(require("symbi.memory.hierarchical").new, "Manager") end,
    ["symbi.memory.Markdown"] = function() return lua_class(symbi.memory.markdown, "Store") end,
    ["symbi.metrics.Collector"] = function() return lua_class(symbi.metrics.collector, "Collector") end,
    ["symbi.netguard.Policy"] = "netguard", ["symbi.run.Run"] = "run",
    ["symbi.runtime.Runtime"] = function() return lua_class(require("symbi.runtime").new, "Runtime") end,
    ["symbi.schemapin.Cache"] = "schemapin_cache", ["symbi.schemapin.Discovery"] = "schemapin_discovery", ["symbi.schemapin.Pins"] = "schemapin_pins",
    ["symbi.schemapin.Revocation"] = "schemapin_revocation",
    ["symbi.schemapin.FileStore"] = function() return lua_class(symbi.schemapin.store.open, "Store") end,
    ["symbi.scope.Scope"] = "scope",
    ["symbi.scope.Watch"] = function() return lua_class(symbi.scope.watch, "Watch") end,
    ["symbi.secrets.Map"] = "secrets_map", ["symbi.secrets.Redactor"] = "redactor", ["symbi.secrets.Scope"] = "secrets_scope",
    ["symbi.secrets.Resolver"] = function() return lua_class(symbi.secrets.resolver, "Resolver") end,
    ["symbi.secrets.Store"] = function() return lua_class(symbi.secrets.open, "Store") end,
    ["symbi.secrets.View"] = function() return lua_class(lua_class(symbi.secrets.open, "Store").for_agent, "View") end,
    ["symbi.skills.Loader"] = function() return lua_class(require("symbi.skills.loader").new, "Loader") end,
    ["symbi.skills.Scan"] = "skill_scan",
    ["symbi.skills.Scanner"] = function() return lua_class(symbi.skills.scanner, "Scanner") end,
    ["symbi.store.Store"] = "store",
    ["symbi.toolclad.Folder"] = function() return lua_class(require "symbi.toolclad.folder", "Folder") end,
    ["symbi.toolclad.Tool"] = "tool", ["symbi.toolclad.Toolset"] = "toolset", ["symbi.toolclad.Types"] = "tooltypes",
    ["symbi.unicode.Normal"] = "normal", ["symbi.webhook.Verifier"] = "webhook",
    ["symbi.webhook.Provider"] = function() return lua_class(symbi.webhook.provider, "Provider") end,
}

-- Types of C with methods that public modules do not hand out: what the Lua above them is made of, and the parsers of symbi.core.
-- err is symbi.Failure, whose one method is a field of it.
local INTERNAL = { err = true, agentpin_online = true, apikeys = true, auth = true, http1 = true, jwt = true, mcp = true, sandbox = true, schemapin_folder = true,
    schemapin_online = true, skill_scanner = true, sse = true, websocket = true, ws = true }

-- Parts of a module that its __index hands out, and tables of functions that are no API of their own.
local PARTS = {
    agentpin = { "symbi.agentpin.files", "symbi.agentpin.verify" },
    schemapin = { "symbi.schemapin.skill" },
    dsl = { function() return require("symbi.core").dsl end },
    io = { sio.core },
}
local NO_API = { ["agentpin.Store"] = true, ["schemapin.hash_folder"] = true, ["schemapin.load_signature_text"] = true }

local function module_of(name)
    if name == "symbi" then return symbi end
    local value = symbi[name]
    if type(value) == "function" then value = require("symbi." .. name) end -- symbi.tool, symbi.runtime: callable at the top
    return value
end

local function get(t, path)
    for key in path:gmatch "[^.]+" do
        if type(t) ~= "table" then return nil end
        t = t[key]
    end
    return t
end

local function methods_of(class)
    local how = OBJECTS[class]
    if type(how) == "string" then return registered(how) end
    return how and how()
end

local function sorted(set)
    local list = {}
    for k in pairs(set) do list[#list + 1] = k end
    table.sort(list)
    return list
end

-- ---- the comparison ---------------------------------------------------------------------------------------------------------------------

describe("lua/symbi/meta", function()
    it("has one file for each module and no other", function()
        local names = {}
        for _, e in ipairs(assert(sio.list_dir(DIR))) do names[#names + 1] = e.name:match "^(.*)%.lua$" end
        table.sort(names)
        local want = {}
        for i, name in ipairs(MODULES) do want[i] = name end
        table.sort(want)
        assert.same(want, names)
        for name, meta in pairs(metas) do
            assert.equal(name == "symbi" and "symbi" or "symbi." .. name, meta.name)
            assert.equal(meta.name, meta.locals.M, name .. ": the class of M")
            assert(loadfile(meta.path))
        end
    end)

    it("annotates only what is there", function()
        local wrong = {}
        for name, meta in pairs(metas) do
            for class, functions in pairs(meta.functions) do
                local is_module = class == meta.name
                local target = is_module and module_of(name) or methods_of(class)
                assert.is_table(target, class)
                for path, f in pairs(functions) do
                    if type(get(target, path)) ~= "function" then wrong[#wrong + 1] = class .. "." .. path end
                    if f.method == is_module then wrong[#wrong + 1] = class .. "." .. path .. " (: or .)" end
                end
            end
            for field in pairs(meta.fields[meta.name]) do
                local ok, value = pcall(get, module_of(name), field)
                -- a driver that needs its own place (nginx) may not load here
                if not (ok and value ~= nil) and not (name == "io" and field == "ngx") then wrong[#wrong + 1] = meta.name .. "." .. field .. " (field)" end
            end
        end
        table.sort(wrong)
        assert.same({}, wrong)
    end)

    it("annotates all public functions and tables of the modules", function()
        local missing = {}
        local function look(name, table_, prefix, nested)
            local meta = metas[name]
            local functions, fields = meta.functions[meta.name] or {}, meta.fields[meta.name]
            for key, value in pairs(table_) do
                local path = prefix .. tostring(key)
                local private = type(key) ~= "string" or key:find "^_" or NO_API[name .. "." .. path] or key:find "^debug_"
                if not private then
                    if type(value) == "function" then
                        if not functions[path] and not nested then missing[#missing + 1] = meta.name .. "." .. path end
                    elseif prefix == "" and name ~= "symbi" and not fields[path] then
                        missing[#missing + 1] = meta.name .. "." .. path .. " (field)"
                    end
                end
            end
        end
        for _, name in ipairs(MODULES) do
            local module = module_of(name)
            look(name, module, "")
            for _, part in ipairs(PARTS[name] or {}) do look(name, type(part) == "string" and require(part) or part(), "") end
            -- tables of functions, such as agentpin.http, of which at least one is annotated
            local groups = {}
            for path in pairs(metas[name].functions[metas[name].name] or {}) do
                local group = path:match "^(.*)%."
                if group then groups[group] = true end
            end
            for group in pairs(groups) do
                local t = get(module, group)
                for key, value in pairs(t) do
                    if type(value) == "function" and not metas[name].functions[metas[name].name][group .. "." .. key] and not (name == "schemapin" and group == "resolver") then
                        missing[#missing + 1] = name .. "." .. group .. "." .. tostring(key)
                    end
                end
            end
        end
        table.sort(missing)
        assert.same({}, missing)
    end)

    it("annotates all methods of the objects", function()
        local missing, seen = {}, {}
        for _, meta in pairs(metas) do
            for class, functions in pairs(meta.functions) do
                if class ~= meta.name then
                    seen[class] = true
                    for key, value in pairs(methods_of(class)) do
                        if type(key) == "string" and type(value) == "function" and not key:find "^_" and not functions[key] and not meta.fields[class][key] then
                            missing[#missing + 1] = class .. ":" .. key
                        end
                    end
                end
            end
        end
        table.sort(missing)
        assert.same({}, missing)
        assert.same(sorted(OBJECTS), sorted(seen))
    end)

    it("knows every type of C that has methods", function()
        for key in pairs(registered "err") do assert.is_true(metas.symbi.fields["symbi.Failure"][key], key) end
        local known, unknown = {}, {}
        for _, how in pairs(OBJECTS) do if type(how) == "string" then known[how] = true end end
        for key, value in pairs(debug.getregistry()) do
            local name = type(key) == "string" and type(value) == "table" and key:match "^symbi%.([%w_]+)$"
            local index = name and rawget(value, "__index")
            if type(index) == "table" and next(index) ~= nil and not known[name] and not INTERNAL[name] then unknown[#unknown + 1] = name end
        end
        assert.same({}, unknown)
    end)

    it("documents each parameter under its name, and names only types that are defined", function()
        local wrong, classes = {}, {}
        for _, meta in pairs(metas) do for class in pairs(meta.classes) do classes[class] = (classes[class] or 0) + 1 end end
        for class, n in pairs(classes) do if n > 1 then wrong[#wrong + 1] = class .. " is defined " .. n .. " times" end end
        local f = assert(io.open("lua/symbi/types.lua", "rb"))
        for line in f:lines() do
            local class = line:match "^%-%-%-@class ([%w_.]+)" or line:match "^%-%-%-@alias ([%w_.]+)"
            if class then
                if classes[class] then wrong[#wrong + 1] = class .. " is one of lua/symbi/types.lua" end
                classes[class] = -math.huge
            end
        end
        f:close()
        for _, meta in pairs(metas) do
            for class, functions in pairs(meta.functions) do
                for path, fn in pairs(functions) do
                    if table.concat(fn.params, " ") ~= table.concat(fn.documented, " ") then
                        wrong[#wrong + 1] = class .. "." .. path .. "(" .. table.concat(fn.params, ", ") .. ") documents " .. table.concat(fn.documented, ", ")
                    end
                end
            end
            for name, line in pairs(meta.named) do
                local text = meta.path .. ":" .. line .. ": " .. name
                -- a comment may speak of functions and modules
                if not classes[name] and get({ symbi = symbi }, name) == nil then wrong[#wrong + 1] = text end
            end
        end
        table.sort(wrong)
        assert.same({}, wrong)
    end)
end)
