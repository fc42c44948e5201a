--- symbi-lua dsl check|fmt|compile|show: `.symbi` definitions on the command line. What is done is symbi.dsl. Exit status: 0 well, 1 a fault in
-- a file (or one that cannot be read or written), 2 wrong use, and fmt --check where a file is not formatted.
local M = {}

local usage = [[
usage: symbi-lua dsl check [--tools DIR] [--syntax] [--json] FILE|DIR...
       symbi-lua dsl fmt --write|--check FILE|DIR...
       symbi-lua dsl fmt FILE | --stdin
       symbi-lua dsl compile [--agent NAME] [--tools DIR] [--json] FILE
       symbi-lua dsl show [--json] FILE

check reads definitions and says what is wrong in them: where the text leaves the grammar, blocks that lack something, and rules or
settings that nothing can enforce (not with --syntax); fmt prints the canonical text, or with --write puts it in place, whole or not at
all; compile prints what the gate enforces: Cedar, obligations, limits; show prints what a file defines. --tools gives the manifests that
rules are checked against. The guide is scripts/guide/dsl.md.]]

local commands = {
    check = { tools = "text", syntax = "flag", json = "flag" },
    fmt = { write = "flag", check = "flag", stdin = "flag" },
    compile = { agent = "text", tools = "text", json = "flag" },
    show = { json = "flag" },
}

local function policy() return require "symbi.cli.policy" end
local safe = require("symbi.cli.args").safe
local as_json = require("symbi.cli.args").json

local function misuse(message)
    io.stderr:write("symbi-lua dsl: ", message, "\n", usage, "\n")
    return 2
end

local function complain(...) io.stderr:write(...) io.stderr:write("\n") end

local function parse(args)
    local command = args[1]
    if command == nil or command == "--help" or command == "-h" or command == "help" then
        print(usage)
        return nil, command == nil and 2 or 0
    end
    local known = commands[command]
    if not known then return nil, misuse("unknown command '" .. safe(command, 60) .. "'") end
    local o, rest, i, words_only = {}, {}, 2, false
    while args[i] ~= nil do
        local a = args[i]
        local name, value = a:match("^%-%-([%a%-]+)=(.*)$")
        name = name or a:match("^%-%-([%a%-]+)$")
        if a == "--" and not words_only then
            words_only = true
        elseif words_only or a:sub(1, 1) ~= "-" then
            rest[#rest + 1] = a
        else
            local kind = name and known[name]
            if not kind then return nil, misuse("dsl " .. command .. " does not know '" .. safe(a, 60) .. "'") end
            if kind == "flag" then
                if value then return nil, misuse("--" .. name .. " takes no value") end
                o[name] = true
            else
                if not value then
                    i = i + 1
                    value = args[i]
                    if value == nil then return nil, misuse("--" .. name .. " needs a value") end
                end
                o[name] = value
            end
        end
        i = i + 1
    end
    return o, command, rest
end

-- ---- check ----

local function finding(path, line, column, severity, message, more)
    local f = { path = path, line = line, column = column, severity = severity, message = message }
    for k, v in pairs(more or {}) do f[k] = v end
    return f
end

-- What is wrong in one file, as a list of findings.
local function findings_of(dsl, path, o, tools)
    local list = {}
    local file, message, err = dsl.read(path)
    if not file then
        message = tostring(err and err.message or message)
        if message:sub(1, #path) == path then message = message:sub(#path + 1):gsub("^:%d+:%d+", ""):gsub("^: ", "") end -- the place is shown anyway
        list[1] = finding(path, err and err.line, err and err.column, "error", message)
        return list
    end
    for _, e in ipairs(file:errors()) do
        list[#list + 1] = finding(path, e.line, e.column, "error", e.message, { expected = e.expected, found = e.found, hint = e.hint })
    end
    if #list > 0 then return list end
    local data
    data, message = file:extract()
    if not data then
        list[1] = finding(path, nil, nil, "error", message)
        return list
    end
    for _, p in ipairs(data.problems) do
        -- a `with` that upstream cannot read is refused by compiling, with the form that works
        if p.kind ~= "with" or o.syntax then list[#list + 1] = finding(path, p.line, nil, "error", p.message) end
    end
    if o.syntax then return list end
    local seen = {}
    for _, a in ipairs(data.agents) do
        if seen[a.name] then
            list[#list + 1] = finding(path, a.line, nil, "error", "a second agent '" .. a.name .. "'")
        else
            seen[a.name] = true
            local narrow, problems
            narrow, problems, err = file:compile { agent = a.name, tools = tools }
            local told = narrow and problems or err.problems
            if not narrow and not told then list[#list + 1] = finding(path, err.line, err.column, "error", err.message) end
            for _, p in ipairs(told or {}) do
                list[#list + 1] = finding(path, p.line, p.col, p.severity == "refused" and "error" or "note", p.message, { construct = p.construct, nearest = p.nearest, agent = a.name })
            end
        end
    end
    return list
end

local function tool_set(dir)
    if not dir then return nil end
    return require("symbi").toolclad.dir(dir)
end

local function place(f)
    local s = safe(f.path, 300)
    if f.line and f.line > 0 then s = s .. ":" .. f.line .. (f.column and f.column > 0 and ":" .. f.column or "") end
    return s
end

local function check(o, rest)
    local symbi, dsl = require "symbi", require "symbi.dsl"
    if #rest == 0 then return misuse("dsl check needs a file or a folder") end
    local tools, files, message
    if o.tools then
        tools, message = tool_set(o.tools)
        if not tools then return nil, message end
    end
    files, message = dsl.files(rest)
    if not files then return nil, message end
    if #files == 0 then
        complain("symbi-lua dsl: no .symbi files found in ", safe(table.concat(rest, ", "), 200))
        return 2
    end
    local all, faults = {}, 0
    for _, path in ipairs(files) do
        for _, f in ipairs(findings_of(dsl, path, o, tools)) do
            all[#all + 1] = f
            if f.severity == "error" then faults = faults + 1 end
        end
    end
    if o.json then
        print(as_json { ok = faults == 0, files = #files, findings = symbi.array(all) })
        return faults == 0 and 0 or 1
    end
    for _, f in ipairs(all) do
        local line = place(f) .. ": " .. f.severity .. ": " .. safe(f.message, 500) .. (f.nearest and "; what works: " .. safe(f.nearest, 200) or "")
        if f.severity == "error" then complain(line) else print(line) end
    end
    print(#files .. (#files == 1 and " file, " or " files, ") .. faults .. (faults == 1 and " fault" or " faults"))
    return faults == 0 and 0 or 1
end

-- ---- fmt ----

local function fmt(o, rest)
    local dsl = require "symbi.dsl"
    if o.stdin and #rest > 0 then return misuse("--stdin cannot be combined with file arguments") end
    if not o.stdin and #rest == 0 then return misuse("no input files (pass --stdin to read from stdin)") end
    if o.write and (o.check or o.stdin) then return misuse("--write cannot be combined with --check or --stdin") end
    if o.stdin or (not o.write and not o.check) then
        if #rest > 1 then return misuse("more than one file: say --write or --check") end
        local text, message
        if o.stdin then text = io.stdin:read(dsl.limits.bytes + 1) or "" else text, message = require("symbi").io.read_file(rest[1], dsl.limits.bytes) end
        if not text then complain("symbi-lua dsl: ", safe(message)) return 1 end
        local file, formatted
        file, message = dsl.parse(text, o.stdin and "standard input" or rest[1])
        if file and file:ok() then formatted, message = file:format() end
        if file and not file:ok() then
            for _, e in ipairs(file:errors()) do complain(safe(file:source(), 300), ":", e.line, ":", e.column, ": ", safe(e.message, 500)) end
            return 1
        end
        if not formatted then complain("symbi-lua dsl: ", safe(message)) return 1 end
        if o.check then return formatted == text and 0 or 2 end
        io.stdout:write(formatted)
        return 0
    end
    local files, message = dsl.files(rest)
    if not files then return nil, message end
    local status = 0
    for _, path in ipairs(files) do
        local changed, why, err = dsl.rewrite(path, { check = o.check })
        if changed == nil then
            if err and err.errors then
                for _, e in ipairs(err.errors) do complain(safe(path, 300), ":", e.line, ":", e.column, ": ", safe(e.message, 500)) end
            else
                complain("symbi-lua dsl: ", safe(why))
            end
            status = 1
        elseif changed and o.check then
            complain("would format ", safe(path, 300))
            if status == 0 then status = 2 end
        elseif changed then
            print("formatted " .. safe(path, 300))
        end
    end
    return status
end

-- ---- compile ----

local UNITS = { timeout_ms = " ms", tool_timeout_ms = " ms", approval_timeout_ms = " ms", memory_bytes = " bytes" }

-- Cedar text is shown as it is, except for what a terminal would obey.
local function cedar_lines(text)
    for line in text:gmatch "([^\n]*)\n?" do print((line:gsub("[%z\1-\8\11-\31\127]", "?"))) end
end

local function compile(o, rest)
    local symbi, dsl = require "symbi", require "symbi.dsl"
    if #rest ~= 1 then return misuse("dsl compile needs one file") end
    local tools, message, file, err
    if o.tools then
        tools, message = tool_set(o.tools)
        if not tools then return nil, message end
    end
    file, message, err = dsl.load(rest[1])
    if not file then
        for _, e in ipairs(err and err.errors or {}) do complain(safe(rest[1], 300), ":", e.line, ":", e.column, ": ", safe(e.message, 500)) end
        if not (err and err.errors) then complain("symbi-lua dsl: ", safe(message)) end
        return 1
    end
    local narrow, problems
    narrow, problems, err = file:compile { agent = o.agent, tools = tools }
    local told = narrow and problems or err.problems or {}
    if o.json then
        local d = narrow and narrow:describe() or { error = err.message }
        d.problems = symbi.array(told)
        print(as_json(d))
        return narrow and 0 or 1
    end
    for _, p in ipairs(told) do
        complain(safe(rest[1], 300), ":", p.line, ":", p.col, ": ", p.severity, ": ", safe(p.message, 500), p.nearest and "; what works: " .. safe(p.nearest, 200) or "")
    end
    if not narrow then
        if #told == 0 then complain(safe(rest[1], 300), ": ", safe(err.message, 500)) end
        return 1
    end
    local d = narrow:describe()
    print("// agent " .. safe(d.agent, 120) .. " of " .. safe(d.source, 300) .. ": both this set and the gate's policies must allow")
    cedar_lines(d.rules)
    if d.audit ~= "" then
        print "// what this set permits is marked in its record"
        cedar_lines(d.audit)
    end
    print "obligations:"
    for _, ob in ipairs(d.obligations) do print("  line " .. ob.line .. "  " .. safe(ob.rule, 200)) end
    if #d.obligations == 0 then print "  none" end
    print "limits:"
    local names = {}
    for k in pairs(d.limits) do names[#names + 1] = k end
    table.sort(names)
    for _, k in ipairs(names) do print("  " .. k .. " = " .. safe(d.limits[k]) .. (UNITS[k] or "")) end
    if #names == 0 then print "  none" end
    return 0
end

-- ---- show ----

local function text_of(v)
    if v == nil or v == require("symbi").null then return "" end
    if type(v) ~= "table" then return tostring(v) end
    local list = {}
    for i, x in ipairs(v) do list[i] = text_of(x) end
    return table.concat(list, ", ")
end

local SHOWN = {
    { "schedules", "SCHEDULE", { "cron", "at", "timezone", "agent", "one_shot" } },
    { "webhooks", "WEBHOOK", { "path", "provider", "agent", "secret" } },
    { "channels", "CHANNEL", { "platform", "workspace", "channels", "default_agent", "default_deny" } },
    { "memories", "MEMORY", { "store", "path", "retention_secs" } },
}

local function show(o, rest)
    local dsl, cli = require "symbi.dsl", policy()
    if #rest ~= 1 then return misuse("dsl show needs one file") end
    local file, message, err = dsl.load(rest[1])
    if not file then
        for _, e in ipairs(err and err.errors or {}) do complain(safe(rest[1], 300), ":", e.line, ":", e.column, ": ", safe(e.message, 500)) end
        if not (err and err.errors) then complain("symbi-lua dsl: ", safe(message)) end
        return 1
    end
    local data
    data, message = file:extract()
    if not data then return nil, message end
    if o.json then
        print(as_json(data))
        return #data.problems == 0 and 0 or 1
    end
    local keys, rows = {}, {}
    for k in pairs(data.metadata) do keys[#keys + 1] = k end
    table.sort(keys)
    for i, k in ipairs(keys) do rows[i] = { k, text_of(data.metadata[k]) } end
    if #rows > 0 then cli.print_table({ "METADATA", "VALUE" }, rows) end
    rows = {}
    for i, a in ipairs(data.agents) do
        local params, settings = {}, {}
        for j, p in ipairs(a.parameters) do params[j] = p.name .. ": " .. p.type end
        for _, w in ipairs(a.with) do for _, at in ipairs(w.attributes) do settings[#settings + 1] = at[1] .. " = " .. at[2] end end
        rows[i] = { a.name, a.line, "(" .. table.concat(params, ", ") .. ")" .. (text_of(a.returns) ~= "" and " -> " .. text_of(a.returns) or ""), text_of(a.capabilities), text_of(a.policies), table.concat(settings, ", ") }
    end
    if #rows > 0 then cli.print_table({ "AGENT", "LINE", "PARAMETERS", "CAPABILITIES", "POLICIES", "WITH" }, rows) end
    rows = {}
    for _, p in ipairs(data.policies) do
        for _, r in ipairs(p.rules) do rows[#rows + 1] = { p.name, r.line, text_of(p.agent) == "" and "all" or text_of(p.agent), r.effect .. ": " .. r.expression .. (text_of(r.guard) ~= "" and " if " .. text_of(r.guard) or "") } end
    end
    if #rows > 0 then cli.print_table({ "POLICY", "LINE", "AGENT", "RULE" }, rows) end
    for _, kind in ipairs(SHOWN) do
        rows = {}
        for i, item in ipairs(data[kind[1]]) do
            rows[i] = { item.name }
            for j, k in ipairs(kind[3]) do
                local shown = text_of(item[k])
                rows[i][j + 1] = k == "secret" and shown ~= "" and "(set)" or shown
            end
        end
        local titles = { kind[2] }
        for j, k in ipairs(kind[3]) do titles[j + 1] = k:upper() end
        if #rows > 0 then cli.print_table(titles, rows) end
    end
    for _, p in ipairs(data.problems) do complain(safe(rest[1], 300), ":", p.line, ": ", safe(p.message, 500)) end
    return #data.problems == 0 and 0 or 1
end

local run = { check = check, fmt = fmt, compile = compile, show = show }

--- args: the words after `dsl`; host: the host's options ({tools=}). Returns the exit status, or nil and a message.
function M.main(args, host)
    local o, command, rest = parse(args)
    if not o then return command end
    if commands[command].tools and o.tools == nil and host then o.tools = host.tools end
    return run[command](o, rest)
end
M.run = M.main

return M
