--- symbi-lua tools list|validate|lint|schema|cedar|test|run|init: tool manifests, one or a folder. test and run are cli/tools_call.lua, init is
-- cli/tools_init.lua.
local args_of = require "symbi.cli.args"
local as_json = args_of.json
local safe = args_of.safe

local M = {}

local usage = [[
usage: symbi-lua tools list     [--tools DIR] [--json]
       symbi-lua tools validate [FILE|DIR ...] [--tools DIR] [--json]
       symbi-lua tools lint     [FILE|DIR ...] [--tools DIR] [--constraints FILE] [--strict] [--json]
       symbi-lua tools schema   [NAME|FILE|DIR] [--tools DIR] [--form mcp|anthropic|openai]
       symbi-lua tools cedar    [NAME|FILE|DIR] [--tools DIR] [--upstream | --schema]
       symbi-lua tools test     NAME|FILE [--arg NAME=VALUE ...] [--args JSON] [--policies DIR] [--agent ID] [--context JSON] [--tools DIR] [--json]
       symbi-lua tools run      NAME|FILE [--arg NAME=VALUE ...] [--args JSON] [--policies DIR] [--agent ID] [--context JSON] [--state DIR] [--tools DIR]
       symbi-lua tools init     PROGRAM [--tools DIR] [--stdout] [--bare] [--max N]

--tools is the folder of the manifests (./tools); custom types come from toolclad.toml beside it. test runs nothing: it shows every check, the
command word by word, and with --policies what the policies say. run goes through the gate: the policies (./policies) decide, the audit trail
(--state, .symbi) records it, and the evidence envelope is printed. init drafts a manifest from PROGRAM --help. cedar prints policies for the
gate; --schema prints the Cedar schema that policies over context.input are validated with. Exit status: 0 good, 1 refused or at fault, 2 misuse.]]

local flags = {
    list = { tools = "text", json = "flag" },
    validate = { tools = "text", json = "flag", rest = "FILE" },
    lint = { tools = "text", json = "flag", strict = "flag", constraints = "text", rest = "FILE" },
    schema = { tools = "text", form = "text", json = "flag", rest = "NAME" },
    cedar = { tools = "text", upstream = "flag", schema = "flag", rest = "NAME" },
    test = { tools = "text", arg = "list", args = "text", policies = "text", agent = "text", context = "text", json = "flag", rest = "NAME" },
    run = { tools = "text", arg = "list", args = "text", policies = "text", agent = "text", context = "text", state = "text", json = "flag", rest = "NAME" },
    init = { tools = "text", stdout = "flag", bare = "flag", max = "number", rest = "PROGRAM" },
}

local function is_dir(symbi, path)
    local info = symbi.io.stat(path)
    return info and info.type == "directory"
end

-- Custom types for a file: toolclad.toml in its folder or the one above.
local function types_near(symbi, file, problems)
    local dir = file:match("^(.*)/[^/]*$") or "."
    for _, path in ipairs { dir .. "/toolclad.toml", dir .. "/../toolclad.toml" } do
        if symbi.io.stat(path) then
            local types, message, err = symbi.toolclad.load_types(path)
            if not types then
                problems[#problems + 1] = { path = path, message = err and err.code and tostring(err) or message }
                return nil
            end
            for _, text in ipairs(types:problems()) do problems[#problems + 1] = { path = path, message = text } end
            return types
        end
    end
end

-- How a file must be signed: [signing] of the same toolclad.toml.
local function signing_near(symbi, file, problems)
    local dir = file:match("^(.*)/[^/]*$") or "."
    for _, path in ipairs { dir .. "/toolclad.toml", dir .. "/../toolclad.toml" } do
        if symbi.io.stat(path) then
            local settings, message = require "symbi.toolclad.signing".from_file(path)
            if message then problems[#problems + 1] = { path = path, message = message } end
            return settings
        end
    end
end

--- The manifests of files and folders: a list of {path=, tool= or nil, message=}, and problems that are of no manifest (custom types).
local function load_all(symbi, places)
    local list, problems, seen = {}, {}, {}
    local types_of, signing_of = {}, {}
    local function add(path)
        local dir = path:match("^(.*)/[^/]*$") or "."
        if types_of[dir] == nil then
            types_of[dir] = types_near(symbi, path, problems) or false
            signing_of[dir] = signing_near(symbi, path, problems) or false
        end
        local tool, message, err = symbi.toolclad.load(path, { types = types_of[dir] or nil, signing = signing_of[dir] or nil })
        if tool and err then io.stderr:write("symbi-lua tools: ", safe(err, 600), "\n") end -- signing.mode = "warn"
        local entry = { path = path, tool = tool, message = not tool and (err and err.code and tostring(err) or message) or nil }
        if tool then
            local name = tool:info().name
            if seen[name] then entry.tool, entry.message = nil, path .. ": tool '" .. name .. "' stands in " .. seen[name] .. " already"
            else seen[name] = path end
        end
        list[#list + 1] = entry
    end
    for _, place in ipairs(places) do
        if is_dir(symbi, place) then
            local entries, message = symbi.io.list_dir(place)
            if not entries then return nil, message end
            local names = {}
            for _, e in ipairs(entries) do
                if e.name:find "%.clad%.toml$" and e.type ~= "directory" then names[#names + 1] = e.name end
            end
            table.sort(names)
            for _, name in ipairs(names) do add(place:gsub("(.)/+$", "%1") .. "/" .. name) end
        else
            add(place)
        end
    end
    return list, problems
end
M.load_all = load_all

--- The one tool that a NAME, FILE or (a folder with one tool) DIR stands for: tool, path; or nil and a message.
function M.find(symbi, word, dir)
    if word:find "%.toml$" or word:find "/" then
        local list, problems = load_all(symbi, { word })
        if not list then return nil, problems end
        if #list == 1 and list[1].tool then return list[1].tool, list[1].path end
        if #list == 1 then return nil, list[1].message end
        return nil, safe(word, 200) .. ": " .. #list .. " tools are there; name one"
    end
    local list, problems = load_all(symbi, { dir })
    if not list then return nil, problems end
    local names, broken = {}, {}
    for _, e in ipairs(list) do
        if e.tool then
            local name = e.tool:info().name
            if name == word then return e.tool, e.path end
            local set = symbi.toolclad.toolset { e.tool } -- of a session or a browser each command is a tool: TOOL.COMMAND
            local command = set and set:find(word)
            if command then return command, e.path end
            for _, n in ipairs(set and set:names() or { name }) do names[#names + 1] = n end
        else
            broken[#broken + 1] = e.message
        end
    end
    local text = "no tool '" .. safe(word, 60) .. "' in " .. safe(dir, 200) .. (#names > 0 and " (there are: " .. table.concat(names, ", ") .. ")" or "")
    if #broken > 0 then text = text .. "; not loaded: " .. table.concat(broken, "; ") end
    return nil, text
end

local function places(o, host, symbi)
    if #o.rest > 0 then return o.rest end
    local dir = o.tools or host.tools or "tools"
    if not symbi.io.stat(dir) then return nil, "there is no folder " .. safe(dir, 200) .. "; name one with --tools, or a file" end
    return { dir }
end

local function report_problems(list, problems)
    local bad = #problems
    for _, p in ipairs(problems) do io.stderr:write("symbi-lua tools: ", safe(p.message, 600), "\n") end
    for _, e in ipairs(list) do
        if e.message then
            bad = bad + 1
            io.stderr:write("symbi-lua tools: ", safe(e.message, 600), "\n")
        end
    end
    return bad
end

local function list(symbi, o, host)
    local where, message = places(o, host, symbi)
    if not where then return nil, message end
    local tools, problems = load_all(symbi, where)
    if not tools then return nil, problems end
    if o.json then
        local out = symbi.array()
        for _, e in ipairs(tools) do
            if e.tool then
                local i = e.tool:info()
                out[#out + 1] = { name = i.name, version = i.version, description = i.description, risk_tier = i.risk_tier, human_approval = i.human_approval, arg_count = i.arg_count,
                    backend = i.backend, source_path = e.path }
            end
        end
        print(as_json(out))
    else
        local rows = {}
        for _, e in ipairs(tools) do
            if e.tool then
                local d = e.tool:describe()
                rows[#rows + 1] = { d.name, d.backend, d.binary ~= "" and d.binary or "-", d.risk_tier .. (d.human_approval and "+approval" or ""), #d.args, d.cedar and d.cedar.resource or "-", d.description }
            end
        end
        args_of.print_table({ "TOOL", "BACKEND", "BINARY", "RISK", "ARGS", "CEDAR RESOURCE", "DESCRIPTION" }, rows)
    end
    return report_problems(tools, problems) == 0 and 0 or 1
end

local function show_manifest(e)
    local d = e.tool:describe()
    print("Manifest   " .. safe(e.path, 300))
    print("Tool       " .. safe(d.name))
    if d.version ~= "" then print("Version    " .. safe(d.version, 60)) end
    if d.binary ~= "" then print("Binary     " .. safe(d.binary, 100)) end
    print("Backend    " .. d.backend .. (d.dispatch == "callback" and " (runs in the host program)" or ""))
    print("Risk tier  " .. d.risk_tier .. (d.human_approval and ", a person must approve" or ""))
    print("Timeout    " .. (d.timeout_ms == 0 and "the host's" or string.format("%gs", d.timeout_ms / 1000)))
    print("Arguments  " .. (#d.args == 0 and "none" or #d.args))
    for _, a in ipairs(d.args) do
        print("  " .. safe(a.name) .. ": " .. safe(a.type, 60) .. " (" .. (a.required and "required" or "optional") .. ")" .. (a.description ~= "" and "  " .. safe(a.description, 100) or ""))
    end
    if d.output_format then print("Output     " .. d.output_format) end
    for _, w in ipairs(e.tool:warnings()) do print("  warning  " .. safe(w, 400)) end
end

local function validate(symbi, o, host)
    local where, message = places(o, host, symbi)
    if not where then return nil, message end
    local tools, problems = load_all(symbi, where)
    if not tools then return nil, problems end
    local ok = #problems == 0
    for _, e in ipairs(tools) do ok = ok and e.tool ~= nil end
    if o.json then
        local out = { valid = ok, files = symbi.array() }
        for i, e in ipairs(tools) do
            out.files[i] = { path = e.path, valid = e.tool ~= nil, errors = symbi.array { e.message }, warnings = e.tool and e.tool:warnings() or symbi.array() }
        end
        for _, p in ipairs(problems) do table.insert(out.files, { path = p.path, valid = false, errors = symbi.array { p.message }, warnings = symbi.array() }) end
        print(as_json(out))
        return ok and 0 or 1
    end
    if #tools == 1 and tools[1].tool then
        show_manifest(tools[1])
    else
        for _, e in ipairs(tools) do
            if e.tool then
                local n = #e.tool:warnings()
                print("ok    " .. safe(e.path, 300) .. (n > 0 and "  (" .. n .. (n == 1 and " warning" or " warnings") .. "; see tools lint)" or ""))
            end
        end
    end
    local bad = report_problems(tools, problems)
    if #tools == 0 then print "no manifests (*.clad.toml) are there" end
    print(bad == 0 and "OK" or bad .. (bad == 1 and " file is" or " files are") .. " at fault")
    return bad == 0 and 0 or 1
end

local function read_constraints(symbi, path)
    local text, message = symbi.io.read_file(path, 1048576)
    if not text then return nil, message end
    local doc
    doc, message = symbi.toml.decode(text, { source = path })
    if not doc then return nil, message end
    local c = doc.constraints
    c = type(c) == "table" and c.toolclad or doc.toolclad
    if type(c) ~= "table" then return nil, path .. ": there is no table [constraints.toolclad]" end
    return c
end

local function lint(symbi, o, host)
    local where, message = places(o, host, symbi)
    if not where then return nil, message end
    local constraints
    local path = o.constraints or ".symbi/constraints.toml"
    if o.constraints or symbi.io.stat(path) then
        constraints, message = read_constraints(symbi, path)
        if not constraints then return nil, message end
    end
    local tools, problems = load_all(symbi, where)
    if not tools then return nil, problems end
    local findings, errors = symbi.array(), 0
    local function found(severity, file, text)
        if severity == "error" then errors = errors + 1 end
        findings[#findings + 1] = { severity = severity, path = file, message = text }
    end
    for _, p in ipairs(problems) do found("error", p.path, p.message) end
    for _, e in ipairs(tools) do
        if e.message then found("error", e.path, e.message) end
        for _, w in ipairs(e.tool and e.tool:warnings() or {}) do found("warning", e.path, e.path .. ": " .. w) end
        local text = constraints and symbi.io.read_file(e.path, 1048576)
        for _, i in ipairs(text and symbi.toolclad.constraints(text, constraints) or {}) do found(i.severity, e.path, e.path .. ": " .. i.message) end
    end
    if o.json then
        print(as_json { findings = findings, errors = errors, warnings = #findings - errors })
    else
        for _, f in ipairs(findings) do print(f.severity .. ": " .. safe(f.message, 600)) end
        print(#tools .. (#tools == 1 and " manifest, " or " manifests, ") .. errors .. " errors, " .. #findings - errors .. " warnings")
    end
    return (errors > 0 or (o.strict and #findings > 0)) and 1 or 0
end

-- The tools that a word stands for: one by name or file, or all of a folder.
local function chosen(symbi, o, host)
    local dir = o.tools or host.tools or "tools"
    if #o.rest > 1 then return nil, "one tool or folder at a time" end
    local word = o.rest[1]
    if word and not is_dir(symbi, word) then
        local tool, message = M.find(symbi, word, dir)
        if not tool then return nil, message end
        return { tool }, true
    end
    local tools, problems = load_all(symbi, { word or dir })
    if not tools then return nil, problems end
    local out = {}
    for _, e in ipairs(tools) do
        if e.message then return nil, e.message end
        out[#out + 1] = e.tool
    end
    if problems[1] then return nil, problems[1].message end
    return out, false
end

local forms = {
    mcp = function(s) return s end,
    anthropic = function(s) return { name = (s.name:gsub("%.", "__")), description = s.description, input_schema = s.inputSchema } end,
    openai = function(s) return { type = "function", ["function"] = { name = (s.name:gsub("%.", "__")), description = s.description, parameters = s.inputSchema } } end,
}

local function schema(symbi, o, host)
    local form = forms[o.form or "mcp"]
    if not form then return 2, "--form is mcp, anthropic or openai" end
    local tools, single = chosen(symbi, o, host)
    if not tools then return nil, single end
    local set, message = symbi.toolclad.toolset(tools)
    if not set then return nil, message end
    local out = symbi.array()
    for i, name in ipairs(set:names()) do
        local s
        s, message = set:find(name):schema()
        if not s then return nil, message end
        out[i] = form(s)
    end
    print(as_json(single and #out == 1 and out[1] or out))
    return 0
end

local function cedar(symbi, o, host)
    if o.schema and o.upstream then return 2, "--schema and --upstream exclude each other" end
    local tools, single = chosen(symbi, o, host)
    if not tools then return nil, single end
    local set, message = symbi.toolclad.toolset(tools)
    if not set then return nil, message end
    if o.schema then
        local text
        text, message = set:cedar_schema()
        if not text then return nil, message end
        io.stdout:write(text)
        return 0
    end
    local out = {}
    if o.upstream then
        if not single then
            out[1] = "// ToolClad auto-generated Cedar policies\n// Generated from tools/*.clad.toml manifests\n// Review and customize before production use.\n\n"
        end
        for _, t in ipairs(tools) do
            local text
            text, message = t:cedar "upstream"
            if not text then return nil, message end
            if text ~= "" then out[#out + 1] = text .. (single and "" or "\n") end
        end
    else
        for i, name in ipairs(set:names()) do
            local text
            text, message = set:find(name):cedar "gate"
            if not text then return nil, message end
            out[i] = text
        end
    end
    io.stdout:write(table.concat(out))
    return 0
end

local verbs = { list = list, validate = validate, lint = lint, schema = schema, cedar = cedar }

function M.main(argv, host)
    host = host or {}
    local o, command = args_of.parse("tools", usage, flags, argv)
    if not o then return command end
    local symbi = require "symbi"
    local status, message
    if verbs[command] then status, message = verbs[command](symbi, o, host)
    elseif command == "init" then status, message = require("symbi.cli.tools_init").init(symbi, o, host)
    else status, message = require("symbi.cli.tools_call")[command](symbi, o, host) end
    if status == nil then
        io.stderr:write("symbi-lua tools: ", safe(message or "failed", 2000), "\n")
        return 1
    end
    if status == 2 and message then return args_of.misuse("tools", usage, message) end
    return status
end

return M
