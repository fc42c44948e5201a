--- symbi-lua policy check and lint: files and folders of policies, read and reported on.
local as_json = require("symbi.cli.args").json
local M = {}

local function read(o, rest, cli)
    local policy = require "symbi.policy"
    local paths = rest
    if #paths == 0 then paths = { o.policies or "./policies" } end
    local files, message = policy.files(paths)
    if not files then return nil, 1, message end
    if #files == 0 then
        io.stderr:write("symbi-lua policy: no .cedar files found in ", cli.safe(table.concat(paths, ", "), 200), "\n")
        return nil, 2
    end
    return files
end

local function place(r)
    local s = tostring(r.path or "")
    if r.line and r.line ~= 0 then s = s .. ":" .. r.line .. ":" .. (r.column or r.col or 0) end
    return s
end

local function plural(n, word, words) return n .. " " .. (n == 1 and word or words) end

function M.check(o, rest, cli)
    local policy, symbi = require "symbi.policy", require "symbi"
    local files, status, message = read(o, rest, cli)
    if not files then
        if status == 2 then return 2 end
        return nil, message
    end
    local results, good = policy.check(files, { strict = o.strict })
    if o.json then
        for _, r in ipairs(results) do
            r.ok, r.warnings = r.error == nil, symbi.array(r.warnings or {})
        end
        print(as_json { ok = good, files = symbi.array(results) })
        return good and 0 or 1
    end
    for _, r in ipairs(results) do
        if r.error then
            io.stderr:write(cli.safe(place(r), 300), ": ", cli.safe(r.error), "\n")
        else
            print(cli.safe(r.path, 300) .. ": " .. plural(r.policies, "policy", "policies") .. (r.templates > 0 and ", " .. plural(r.templates, "template", "templates") or ""))
            for _, w in ipairs(r.warnings) do io.stderr:write("warning: ", cli.safe(w), "\n") end
        end
    end
    return good and 0 or 1
end

-- As upstream's script prints it.
local function print_upstream(findings, files, cli)
    for _, f in ipairs(findings) do
        if f.rule == "undecodable" then print("  " .. f.path .. ":  " .. f.message) else print("  " .. f.path .. ":" .. f.line .. "  " .. cli.safe(f.message)) end
    end
    if #findings == 0 then
        print("ok: " .. plural(#files, "Cedar policy file", "Cedar policy files") .. ", ASCII identifiers, no invisible control chars")
        return 0
    end
    print("")
    print(#findings .. " finding(s) across " .. #files .. " file(s)")
    return 1
end

function M.lint(o, rest, cli)
    local policy, symbi = require "symbi.policy", require "symbi"
    local files, status, message = read(o, rest, cli)
    if not files then
        if status == 2 then return 2 end
        return nil, message
    end
    local tools, findings
    if o.tools then
        tools, message = symbi.toolclad.dir(o.tools)
        if not tools then return nil, message end
    end
    findings, message = policy.lint(files, { tools = tools, upstream = o.upstream })
    if not findings then return nil, message end
    local faults = 0
    for _, f in ipairs(findings) do
        if f.severity ~= "note" then faults = faults + 1 end
    end
    if o.json then
        print(as_json { findings = symbi.array(findings), files = #files, faults = faults })
        return faults > 0 and 1 or 0
    end
    if o.upstream then return print_upstream(findings, files, cli) end
    for _, f in ipairs(findings) do
        print(cli.safe(place(f), 300) .. ": " .. f.severity .. ": " .. (f.policy and cli.safe(f.policy, 100) .. ": " or "") .. cli.safe(f.message) .. " [" .. f.rule .. "]")
    end
    print(plural(faults, "fault", "faults") .. " and " .. plural(#findings - faults, "note", "notes") .. " in " .. plural(#files, "file", "files"))
    return faults > 0 and 1 or 0
end

return M
