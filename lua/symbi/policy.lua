--- symbi.policy: what is done with policies besides deciding: reading folders of them, checking, linting, testing, replaying, and the
-- hook that `policy evaluate` is. Every decision is C's (symbi.cedar, symbi.gate); the command line over this is symbi/cli/policy.lua.
local core = require "symbi.core"

local M = {}

local function symbi() return require "symbi" end

local function failure(code, message) return nil, message, core.error(code, message) end

--- The files that paths stand for, as {path=, text=}: a file is itself, a folder its *.cedar files, by name, and those of the folders in
-- it. What cannot be read is an error. options.flat: not the folders in it.
function M.files(paths, options)
    local io, list = symbi().io, {}
    local function add_file(path)
        local text, message, err = io.read_file(path)
        if not text then return nil, message, err end
        list[#list + 1] = { path = path, text = text }
        return true
    end
    local function add_dir(dir, depth)
        local entries, message, err = io.list_dir(dir)
        if not entries then return nil, message, err end
        local folders = {}
        for _, e in ipairs(entries) do
            local path, ok = dir .. "/" .. e.name, true
            if e.type == "directory" then folders[#folders + 1] = path
            elseif e.name:find(".%.cedar$") then ok, message, err = add_file(path) end
            if not ok then return nil, message, err end
        end
        if options and options.flat or depth > 16 then return true end
        for _, f in ipairs(folders) do
            if not f:find("/%.[^/]*$") then -- a hidden folder is no surface
                local ok
                ok, message, err = add_dir(f, depth + 1)
                if not ok then return nil, message, err end
            end
        end
        return true
    end
    for _, path in ipairs(paths) do
        local info, message, err = io.stat(path)
        if not info then return nil, message, err end
        local ok
        if info.type == "directory" then ok, message, err = add_dir((path:gsub("(.)/+$", "%1")), 1) else ok, message, err = add_file(path) end
        if not ok then return nil, message, err end
    end
    return list
end

-- A policy or a policy set in Cedar's JSON form, as text: what looks at text looks at that too.
local function from_json_form(file)
    local decoded, message, err = core.json.decode(file.text)
    if not decoded then return nil, file.path .. ": " .. message, err end
    local set
    set, message, err = core.cedar.policies(decoded)
    if not set then return nil, file.path .. ": " .. tostring(message), err end
    local text
    text, message, err = set:to_cedar()
    if not text then return nil, file.path .. ": " .. tostring(message), err end
    return { { name = file.path, text = text } }
end

--- The sources of one file: itself, the active entries of a JSON list of {name, source, active}, or policies in Cedar's JSON form.
function M.sources(file)
    if file.text:find("^%s*{") and not file.path:find("%.cedar$") then return from_json_form(file) end -- the gate reads text there
    if not file.text:find("^%s*%[") then return { { name = file.path, text = file.text } } end
    local decoded, message, err = core.json.decode(file.text)
    if not decoded then return nil, file.path .. ": " .. message, err end
    local list = {}
    for i, p in ipairs(decoded) do
        if type(p) ~= "table" or type(p.name) ~= "string" or type(p.source) ~= "string" then
            return failure("ESCHEMA", file.path .. ": entry " .. i .. " must be an object with name and source")
        end
        if p.active ~= false then list[#list + 1] = { name = file.path .. ":" .. p.name, text = p.source } end
    end
    return list
end

-- A message without the place that it begins with: place and text are apart in results.
local function bare(message, err)
    message = tostring(err and err.message or message)
    for _, prefix in ipairs { err and err.path or false, err and err.line and err.line .. ":" .. (err.column or 0) } do
        if prefix and message:sub(1, #prefix + 1) == prefix .. ":" then message = message:sub(#prefix + 2):gsub("^ ", "") end
    end
    return message
end

local function parse(sources, strict)
    return core.cedar.policies(sources, { symbi_alias = true, legacy_scope = not strict, annotated_ids = true })
end

-- ---- check ----

--- Reads every file for itself, then all together (two files may use one @id). Returns a list of {path=, policies=, templates=, warnings=}
-- or {path=, error=, line=, column=}, and whether all is well.
function M.check(files, options)
    local results, all, good = {}, {}, true
    for _, file in ipairs(files) do
        local sources, message, err = M.sources(file)
        local set
        if sources then set, message, err = parse(sources, options and options.strict) end
        if set then -- what no gate would put in force is no good either
            local ready
            ready, message, err = core.gate.ready(set)
            if not ready then set = nil end
        end
        if set then
            local r = { path = file.path, policies = 0, templates = 0, warnings = set:warnings() }
            for _, p in ipairs(set:policies()) do
                local kind = p.role == "template" and "templates" or "policies"
                r[kind] = r[kind] + 1
            end
            results[#results + 1] = r
            for _, s in ipairs(sources) do all[#all + 1] = s end
        else
            good = false
            results[#results + 1] = { path = err and err.path or file.path, error = bare(message, err), line = err and err.line, column = err and err.column }
        end
    end
    if good and #files > 1 then
        local set, message, err = parse(all, options and options.strict)
        if not set then
            good = false
            results[#results + 1] = { path = err and err.path or files[1].path, error = bare(message, err) .. " (all files together)", line = err and err.line, column = err and err.column }
        end
    end
    return results, good
end

-- ---- lint ----

--- Findings over files: {path=, line=, col=, rule=, severity=, message=, policy=}. options: tools (a toolset), upstream (its two rules
-- alone). Severity "note" is no fault.
function M.lint(files, options)
    options = options or {}
    local out, all, parsed = {}, {}, true
    for _, file in ipairs(files) do
        local list, message, err = core.policy.lint_text(file.text, { upstream = options.upstream })
        if not list then return nil, message, err end
        for _, f in ipairs(list) do
            f.path = file.path
            out[#out + 1] = f
        end
        if not options.upstream then
            local sources, smessage, serr = M.sources(file)
            local set
            if sources then set, smessage, serr = parse(sources) end
            if set then
                for _, s in ipairs(sources) do all[#all + 1] = s end
            else
                parsed = false
                out[#out + 1] = { path = file.path, line = serr and serr.line or 0, col = serr and serr.column or 0, rule = "parse", severity = "error", message = bare(smessage, serr) }
            end
        end
    end
    if options.upstream or not parsed then return out end
    local set, message, err = parse(all)
    if not set then
        out[#out + 1] = { path = err and err.path or "", line = err and err.line or 0, col = err and err.column or 0, rule = "parse", severity = "error", message = bare(message, err) }
        return out
    end
    local list
    list, message, err = core.policy.lint(set, options.tools)
    if not list then return nil, message, err end
    for _, f in ipairs(list) do
        f.path = f.source or (#files == 1 and files[1].path) or ""
        f.source = nil
        out[#out + 1] = f
    end
    return out
end

-- ---- evaluate: the hook of coding assistants ----

local function stem(path) return (path:gsub("^.*/", ""):gsub("^.*%.cedar:", ""):gsub("%.cedar$", "")) end

-- In ours, text from outside may not claim to be an entity.
local function escapes(v, depth)
    if type(v) ~= "table" or depth > 200 then return nil end
    for k, x in pairs(v) do
        if k == "__entity" or k == "__extn" or k == "__expr" then return k end
        local found = escapes(x, depth + 1)
        if found then return found end
    end
end

local vocabularies = {
    both = { prefix = "", alias = true },
    gate = { prefix = "", alias = false },
    symbi = { prefix = "Symbi::", alias = false },
}

local function read_folder(dir, options)
    if options.text_only then
        local files, message, err = M.files({ dir }, { flat = true })
        if not files then return nil, message, err end
        local list = {}
        for i, f in ipairs(files) do list[i] = { name = f.path, text = f.text } end
        return list
    end
    return symbi().gate.sources(dir, options.surface)
end

-- Ids as upstream's command writes them, by our id: <file stem>_<number within the file>, templates not counted.
local function short_ids(set)
    local ids, count, loaded = {}, {}, 0
    for _, p in ipairs(set:policies()) do
        if p.role ~= "template" then
            loaded = loaded + 1
            local n = count[p.source] or 0
            count[p.source] = n + 1
            ids[p.id] = stem(p.source) .. "_" .. n
        end
    end
    return ids, loaded
end

local function names(list, ids)
    local out = {}
    for i, id in ipairs(list) do out[i] = ids[id] or id end
    return out
end

local function mentions_only(sources, wanted)
    local unqualified, qualified = false, false
    for _, s in ipairs(sources) do
        for before in s.text:gmatch("([%w_:]*)[AR][%a]+::\"") do
            if before:find("Symbi::$") then qualified = true else unqualified = true end
        end
    end
    if wanted == "symbi" then return unqualified and not qualified end
    return qualified and not unqualified
end

--- Decides one tool event {tool_name=, tool_input=} (spec dsl-cli.md 13). options: policies (folder), missing = "deny" | "allow" (no folder, no
-- policies), vocabulary = "both" | "gate" | "symbi", errors = "any" | "forbid" | "ignore" (which evaluation errors deny), text_only
-- (JSON lists are no policies), escapes (leave __entity in the input alone), surface. options.compat sets all of them to upstream's
-- habit. Returns {decision, reason, tool, policies_dir, cause, reasons, errors, loaded, warnings}.
function M.evaluate(event, options)
    options = options or {}
    if options.compat then
        options = { policies = options.policies, missing = "allow", vocabulary = "symbi", errors = "ignore", text_only = true, escapes = true }
    end
    local dir = options.policies or "./policies"
    local tool = type(event.tool_name) == "string" and event.tool_name or "unknown"
    local input = event.tool_input
    if input == nil then input = core.object {} end
    local lenient = options.missing == "allow"
    local vocabulary = vocabularies[options.vocabulary or "both"]
    if not vocabulary then error("symbi.policy.evaluate: vocabulary is both, gate or symbi", 2) end
    local result = { tool = tool, policies_dir = dir, reasons = core.array {}, errors = core.array {}, warnings = {} }
    local function say(decision, cause, reason)
        result.decision, result.cause, result.reason = decision, cause, reason
        return result
    end

    local sources, message, err = read_folder(dir, options)
    if not sources then
        if err and err.code == "ENOTFOUND" and not symbi().io.stat(dir) then
            if lenient then return say("allow", "policies_dir_missing", "policies directory '" .. dir .. "' does not exist; allowing by default (operator should create policies)") end
            return say("deny", "policies_dir_missing", "policies directory '" .. dir .. "' does not exist; denied (create policies there, or pass --allow-empty)")
        end
        if err and err.code == "EPARSE" then return say("deny", "parse_error", "Cedar parse error in " .. tostring(message)) end
        return say("deny", "unreadable", "cannot read policy " .. tostring(message))
    end
    local set
    set, message, err = core.cedar.policies(sources, { symbi_alias = vocabulary.alias, legacy_scope = false })
    if not set then
        if err and err.code == "EPARSE" then
            local where = err.line and (err.line .. ":" .. (err.column or 0) .. ": ") or ""
            return say("deny", "parse_error", "Cedar parse error in " .. tostring(err.path) .. ": " .. where .. bare(message, err))
        end
        return say("deny", "load_error", tostring(message))
    end
    local ids, loaded = short_ids(set)
    result.loaded = loaded
    if loaded == 0 then
        if lenient then return say("allow", "no_policies", "no .cedar policies loaded from '" .. dir .. "'; allowing by default") end
        return say("deny", "no_policies", "no .cedar policies loaded from '" .. dir .. "'; denied (add one, or pass --allow-empty)")
    end
    if not vocabulary.alias and mentions_only(sources, vocabulary.prefix ~= "" and "symbi" or "gate") then
        result.warnings[1] = "the policies name only " .. (vocabulary.prefix ~= "" and "bare types (Action::...), and this vocabulary is Symbi::" or "Symbi:: types, and this vocabulary is bare") .. "; --vocabulary both takes either"
    end
    local escape = not options.escapes and escapes(input, 0)
    if escape then return say("deny", "context_error", "the tool input holds the reserved member " .. escape) end
    local p = vocabulary.prefix
    local action = { type = p .. "Action", id = "tool_call::" .. tool }
    local request = { principal = { type = p .. "Agent", id = "claude-code" }, action = action, resource = { type = p .. "Resource", id = "default" }, context = { tool_input = input } }
    if p == "" then -- what the gate adds
        request.entities = {
            { uid = action, attrs = {}, parents = core.array { { type = "Action", id = "tool_call" } } },
            { uid = request.resource, attrs = { kind = "tool_call", name = tool, tool_name = tool }, parents = core.array { { type = "Tool", id = tool } } },
        }
    end
    local called, answer
    called, answer, message = pcall(set.authorize, set, request)
    if not called or not answer then return say("deny", "context_error", "cannot convert the tool input to a Cedar context: " .. tostring(called and message or answer)) end
    result.reasons = core.array(names(answer.reasons, ids))
    local rule = options.errors or "any"
    for i, e in ipairs(answer.errors) do
        result.errors[i] = ids[e.policy] or e.policy
        if rule == "any" or (rule == "forbid" and e.effect == "forbid") then
            result.blamed = result.blamed or { id = result.errors[i], message = e.message, effect = e.effect }
        end
    end
    if result.blamed then
        local b = result.blamed
        result.blamed = nil
        return say("deny", "cedar", "denied: policy " .. b.id .. " (" .. b.effect .. ") cannot be evaluated: " .. b.message)
    end
    if answer.decision == "allow" then return say("allow", "cedar", "allow policies matched: " .. table.concat(result.reasons, ", ")) end
    if #result.reasons > 0 then return say("deny", "cedar", "deny policies matched: " .. table.concat(result.reasons, ", ")) end
    return say("deny", "cedar", "denied by default-deny (" .. loaded .. " policies loaded, none allow this)")
end

-- ---- gates for questions without a manifest ----

local stub_types = { string = "string", boolean = "boolean", number = "number" }

--- A tool that takes exactly these arguments: for cases and records where no manifests are given.
function M.stub_tool(name, arguments)
    local args = {}
    for k, v in pairs(arguments or {}) do
        local kind = stub_types[type(v)]
        if kind == "number" and v % 1 == 0 then kind = "integer" end
        if not kind then kind = core.is_array(v) and "array" or "object" end
        args[k] = { type = kind, description = k }
    end
    return symbi().tool { name = name, description = "a stand-in", args = args, run = function() end }
end

--- The agents that `.symbi` files define: { [id] = {id, name, narrow, file, line} }, or nil and a message. options: tools.
function M.agents(paths, options)
    local dsl = symbi().dsl
    local files, message, err = dsl.files(type(paths) == "table" and paths or { paths })
    if not files then return nil, message, err end
    local agents, count = {}, 0
    for _, path in ipairs(files) do
        local file, data, narrow
        file, message, err = dsl.load(path)
        if not file then return nil, message, err end
        data, message, err = file:extract()
        if not data then return nil, path .. ": " .. tostring(message), err end
        for _, a in ipairs(data.agents) do
            narrow, message, err = file:compile { agent = a.name, tools = options and options.tools }
            if not narrow then return nil, path .. ": agent " .. a.name .. ": " .. tostring(message), err end
            local id = narrow:describe().principal
            if agents[id] then return nil, path .. ": agent " .. id .. " is defined in " .. agents[id].file .. " too" end
            agents[id] = { id = id, name = a.name, narrow = narrow, file = path, line = a.line }
            count = count + 1
        end
    end
    if count == 0 then return nil, "no agent is defined in " .. table.concat(type(paths) == "table" and paths or { paths }, ", ") end
    return agents
end

--- ask(action, facts) over one policy set: through the tools given, or through stand-ins. options: policies, tools, mode, surface,
-- strict_policies, explain; agents (of M.agents): the rules of the one that acts stand beside the policies; host: what the tools of these
-- agents are given ({sandbox=, memory_bytes=}).
function M.asker(options)
    local cache, trail = {}, nil
    local function open(tools, agent)
        -- a rule that asks for a record needs a trail: this one ends with the process
        if agent then trail = trail or assert(symbi().audit.open(symbi().store.memory(), { key = symbi().crypto.ed25519() })) end
        local gate, message, err = symbi().gate.open { policies = options.policies, tools = tools, mode = options.mode, surface = options.surface,
            strict_policies = options.strict_policies, entities = options.entities, audit = agent and trail or nil, quiet = true }
        if not gate or not agent then return gate, message, err end
        local ok
        ok, message, err = gate:narrow(agent.narrow, options.host)
        if not ok then return nil, message, err end
        return gate
    end
    local function gate_for(action)
        local agent = options.agents and options.agents[action.agent]
        local key, tools = agent and agent.id .. "\0" or "", options.tools
        if (action.kind or "tool_call") == "tool_call" and not tools and options.mode ~= "compat" then
            if type(action.name) ~= "string" then return nil, "action.name must be a string, got " .. type(action.name) end
            local parts = {}
            for k, v in pairs(action.arguments or {}) do
                parts[#parts + 1] = k .. "=" .. type(v) .. (type(v) == "number" and tostring(v % 1 == 0) or core.is_array(v) and "[]" or "")
            end
            table.sort(parts)
            key = key .. "tool " .. tostring(action.name) .. "\0" .. table.concat(parts, "\0")
            if not cache[key] then
                local made, tool, why = pcall(M.stub_tool, action.name, action.arguments)
                if not made or not tool then return nil, "no stand-in can be made for tool " .. tostring(action.name) .. " (give --tools): " .. tostring(made and why or tool) end
                tools = { tool }
            end
        end
        if not cache[key] then
            local gate, message, err = open(tools, agent)
            if not gate then return nil, message, err end
            cache[key] = gate
        end
        return cache[key]
    end
    -- What the gate calls a mistake of its caller is here one of a file or an option: it is told by the names that stand there.
    local function misuse(message)
        message = tostring(message):gsub("^[^:]+:%d+: ", "")
        local argument, what = message:match("^bad argument #(%d) to '[^']*' %((.*)%)$")
        if what then message = (argument == "3" and "facts: " or "action: ") .. what end
        if message:find("^facts: unknown option") then message = message .. "; what policies read as context.x stands in facts.context" end
        return message
    end
    return function(action, facts, explain)
        if type(action) ~= "table" then return nil, "action must be an object, got " .. type(action) end
        if type(action.arguments) ~= "table" and action.arguments ~= nil then return nil, "action.arguments must be an object, got " .. type(action.arguments) end
        if facts ~= nil and type(facts) ~= "table" then return nil, "facts must be an object, got " .. type(facts) end
        local gate, message, err = gate_for(action)
        if not gate then return nil, message, err end
        local ok, verdict, more, rules = pcall(explain and gate.explain or gate.check, gate, action, facts)
        if not ok then return nil, misuse(verdict) end
        if explain then return verdict, more, rules end
        return verdict, more, gate
    end
end

return M
