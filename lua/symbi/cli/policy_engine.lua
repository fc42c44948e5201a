--- symbi-lua policy validate, schema, format and translate: what the Cedar engine offers on whole files.
local as_json = require("symbi.cli.args").json
local M = {}

local function read_all(o, rest, cli)
    local policy = require "symbi.policy"
    local paths = #rest > 0 and rest or { o.policies or "./policies" }
    local files, message = policy.files(paths)
    if not files then return nil, message end
    local sources = {}
    for _, file in ipairs(files) do
        local list, why = policy.sources(file)
        if not list then return nil, why end
        for _, s in ipairs(list) do sources[#sources + 1] = s end
    end
    if #sources == 0 then return nil, "no .cedar files found in " .. cli.safe(table.concat(paths, ", "), 200) end
    return sources, files
end

local function load_schema(symbi, path, cli)
    local text, message = symbi.io.read_file(path)
    if not text then return nil, message end
    local given = text
    if text:find("^%s*{") then
        given, message = symbi.json.decode(text)
        if not given then return nil, cli.at(path, message) end
    end
    local schema, why = symbi.cedar.schema(given)
    if not schema then return nil, cli.at(path, why) end
    return schema
end

local function gate_schema(symbi, o, sources)
    local texts = {}
    for i, s in ipairs(sources or texts) do texts[i] = type(s) == "table" and s.text or s end
    if not o.tools then return require "symbi.core".toolclad.cedar_schema(o.facts, texts) end
    local tools, message = symbi.toolclad.dir(o.tools)
    if not tools then return nil, message end
    return tools:cedar_schema(o.facts, texts)
end

function M.schema(o, rest, cli)
    local symbi = require "symbi"
    local sources, message
    if #rest > 0 or o.policies then
        sources, message = read_all(o, rest, cli)
        if not sources then return nil, message end
    end
    local text
    text, message = gate_schema(symbi, o, sources)
    if not text then return nil, message end
    local ok, why = symbi.cedar.schema(text)
    if not ok then return nil, "--facts: " .. tostring(why) end
    io.stdout:write(text)
    return 0
end

function M.validate(o, rest, cli)
    local symbi = require "symbi"
    if o.schema and (o.tools or o.facts) then return cli.misuse("--schema, or --tools and --facts for the gate's own schema") end
    local sources, message = read_all(o, rest, cli)
    if not sources then return nil, message end
    local schema
    if o.schema then
        schema, message = load_schema(symbi, o.schema, cli)
    else
        local text
        text, message = gate_schema(symbi, o, sources)
        if not text then return nil, message end
        schema, message = symbi.cedar.schema(text)
        if not schema and o.facts then message = "--facts: " .. tostring(message) end
    end
    if not schema then return nil, message end
    local set, report
    set, message = symbi.cedar.policies(sources, { symbi_alias = true, legacy_scope = not o.schema, annotated_ids = true })
    if not set then return nil, message end
    report, message = set:validate(schema)
    if not report then return nil, message end
    local by_id = {}
    for _, p in ipairs(set:policies()) do by_id[p.id] = p end
    if o.json then
        for _, list in ipairs { report.errors, report.warnings } do
            for _, f in ipairs(list) do f.source = by_id[f.policy] and by_id[f.policy].source end
        end
        print(as_json { valid = report.valid, errors = symbi.array(report.errors), warnings = symbi.array(report.warnings) })
        return report.valid and 0 or 3
    end
    for _, kind in ipairs { "error", "warning" } do
        for _, f in ipairs(report[kind .. "s"]) do
            local where = by_id[f.policy] and by_id[f.policy].source or ""
            if f.line and f.line ~= 0 then where = where .. ":" .. f.line .. ":" .. f.col end
            print(cli.safe(where, 300) .. ": " .. kind .. ": " .. cli.safe(f.policy, 100) .. ": " .. cli.safe(f.message) .. " [" .. f.kind .. "]")
        end
    end
    print((report.valid and "valid" or "not valid") .. ": " .. #report.errors .. " errors, " .. #report.warnings .. " warnings in " .. #set:policies() .. " policies")
    return report.valid and 0 or 3
end

function M.format(o, rest, cli)
    local symbi = require "symbi"
    if #rest == 0 then return cli.misuse("format needs a file") end
    if o.write and o.check then return cli.misuse("--write or --check, not both") end
    local unformatted = 0
    for _, path in ipairs(rest) do
        local text, message = symbi.io.read_file(path)
        if not text then return nil, message end
        local called, out, why = pcall(symbi.cedar.format, text, { width = o.width, indent = o.indent })
        if not called then return cli.misuse((tostring(out):gsub("^[^:]+:%d+: ", ""))) end
        if not out then return nil, cli.at(path, why) end
        if o.check or o.write then
            if out ~= text then
                unformatted = unformatted + 1
                if o.check then
                    print(cli.safe(path, 300) .. " is not formatted")
                else
                    local ok
                    ok, message = symbi.io.write_file(path, out)
                    if not ok then return nil, message end
                    print(cli.safe(path, 300))
                end
            end
        else
            io.stdout:write(out)
        end
    end
    return o.check and unformatted > 0 and 3 or 0
end

-- The other form of a policy set, or of a schema (*.cedarschema, *.cedarschema.json).
local function other_form(symbi, path, text, want)
    local is_json = text:find("^%s*{") ~= nil
    want = want or (is_json and "cedar" or "json")
    local value, message = text
    if is_json then
        value, message = symbi.json.decode(text, { bigint = "string" })
        if value == nil then return nil, message end
    end
    if path:find("%.cedarschema$") or path:find("%.cedarschema%.json$") then
        local schema
        schema, message = symbi.cedar.schema(value)
        if not schema then return nil, message end
        if want == "cedar" then return schema:text() end
        return symbi.json.encode(schema:json(), { pretty = true })
    end
    local set, out
    set, message = symbi.cedar.policies(value)
    if not set then return nil, message end
    if want == "cedar" then
        out, message = set:to_cedar()
        if not out then return nil, message end
        return symbi.cedar.format(out) or out
    end
    out, message = set:to_json()
    if not out then return nil, message end
    return symbi.json.encode(out, { pretty = true })
end

function M.translate(o, rest, cli)
    local symbi = require "symbi"
    if #rest ~= 1 then return cli.misuse("translate needs one file") end
    if o.to and o.to ~= "json" and o.to ~= "cedar" then return cli.misuse("--to is json or cedar") end
    local text, message = symbi.io.read_file(rest[1])
    if not text then return nil, message end
    local out, why = other_form(symbi, rest[1], text, o.to)
    if not out then return nil, cli.at(rest[1], why) end
    io.stdout:write(out, out:find("\n$") and "" or "\n")
    return 0
end

return M
