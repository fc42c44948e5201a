--- symbi-lua skills list|scan|show|sign|verify: skills on the command line. Exit status: 0 well, 1 something was found or does not hold,
-- 2 misuse or nothing to work on.
local args = require "symbi.cli.args"
local as_json = args.json
local safe = args.safe

local usage = [[
usage: symbi-lua skills scan [--profile strict|seed|runtime] [--fail-on SEVERITY] [--suppress FILE] [--format text|json|sarif] [--output FILE]
                             [--deny PATTERN]... [--quiet] DIR|FILE...
       symbi-lua skills list [--path DIR]... [--profile P] [--require-signed] [--allow-unsigned-from DIR]... [--discovery FILE] [--json]
       symbi-lua skills show [--discovery FILE] [--json] DIR
       symbi-lua skills sign --key FILE.pem --domain D [--kid KID] [--expires DAYS] DIR
       symbi-lua skills verify [--discovery FILE] [--revocation FILE] [--domain D] [--json] DIR
       symbi-lua skills rules [--profile P] [--json]

scan reads every file of each DIR (a skill) and ends with exit status 1 when one does not pass, or when a finding is as grave as --fail-on
(info, warning, medium, high, critical). --suppress is a JSON or YAML list of {rule, path, line, reason, until_time}. list loads the skills below the load
paths (.agents/skills, ~/.claude/skills, ~/.codex/skills, ~/.symbiont/skills) and says which are rejected, and why. verify fails unless the signature holds.]]

local commands = {
    scan = { profile = "text", ["fail-on"] = "text", suppress = "text", format = "text", output = "text", deny = "list", quiet = "flag", json = "flag", rest = "DIR" },
    list = { path = "list", profile = "text", ["require-signed"] = "flag", ["allow-unsigned-from"] = "list", discovery = "text", json = "flag" },
    show = { discovery = "text", json = "flag", profile = "text", rest = "DIR" },
    sign = { key = "text", domain = "text", kid = "text", expires = "number", rest = "DIR" },
    verify = { discovery = "text", revocation = "text", domain = "text", json = "flag", rest = "DIR" },
    rules = { profile = "text", json = "flag" },
}

local ORDER = { info = 1, warning = 2, medium = 3, high = 4, critical = 5 }
local ICON = { critical = "!!", high = "!+", medium = "!~", warning = "!", info = "i" }

local function misuse(message) return args.misuse("skills", usage, message) end

local function problem(message)
    io.stderr:write("symbi-lua skills: ", safe(message, 400), "\n")
    return 2
end

local function read_data(path)
    local symbi = require "symbi"
    local text, message, err = symbi.io.read_file(path, 1024 * 1024)
    if not text then return nil, message, err end
    local value
    if path:find "%.ya?ml$" then
        value, message, err = symbi.yaml.decode(text, { source = path })
    else
        value, message, err = symbi.json.decode(text)
        message = path .. ":" .. tostring(message)
    end
    if value == nil then return nil, message, err end
    return value
end

-- A line on standard error that is written over while a long scan goes on; only for people.
local function progress(quiet)
    local symbi = require "symbi"
    if quiet or not symbi.io.isatty(2) then return nil, function() end end
    local last, shown = symbi.io.monotonic(), false
    return function(files, path)
        local now = symbi.io.monotonic()
        if now - last < 0.2 then return end
        last, shown = now, true
        io.stderr:write("\r\27[K", tostring(files), " files  ", safe(path, 60))
    end, function()
        if shown then io.stderr:write "\r\27[K" end
    end
end

local function line_of(f)
    local where = f.file and safe(f.file, 120) or ""
    if f.line then where = where .. ":" .. f.line .. (f.column and ":" .. f.column or "") end
    local how = f.how and " [" .. safe(f.how, 60) .. "]" or ""
    return ("[%s] %s - %s (%s)%s  %s%s"):format(ICON[f.severity], f.severity:upper(), safe(f.message, 200), where, how, safe(f.rule, 60),
        f.suppressed and "  suppressed: " .. safe(f.reason or "", 80) or "")
end

local function print_result(path, result, seconds, several, out)
    if several then out(safe(path, 200) .. ":") end
    for _, f in ipairs(result.findings) do
        out(line_of(f))
        if f.excerpt then out("      " .. safe(f.excerpt, 160)) end
    end
    local verdict = result.passed and "PASSED" or "FAILED"
    local n, held = #result.findings, result.totals.suppressed or 0
    if n == 0 then
        out(("No findings. Skill passed all security checks. (%.1fs)"):format(seconds))
    else
        out(("%d finding%s%s. %s (%.1fs)"):format(n, n == 1 and "" or "s", held > 0 and ", " .. held .. " suppressed" or "", verdict, seconds))
    end
end

local function grave(result, least)
    for _, f in ipairs(result.findings) do
        if not f.suppressed and least and ORDER[f.severity] >= ORDER[least] then return true end
    end
    return not result.passed
end

local function plain(result) return { passed = result.passed, findings = result.findings, totals = result.totals } end

local function scan(o)
    local symbi = require "symbi"
    local sio, core = symbi.io, require "symbi.core"
    if #o.rest == 0 then return misuse "scan needs the folder of a skill" end
    if o["fail-on"] and not ORDER[o["fail-on"]] then return misuse("--fail-on must be info, warning, medium, high or critical, not '" .. safe(o["fail-on"], 40) .. "'") end
    local format = o.json and "json" or o.format or "text"
    if format ~= "text" and format ~= "json" and format ~= "sarif" then return misuse("--format must be text, json or sarif, not '" .. safe(format, 40) .. "'") end
    local profile = o.profile or "strict"
    if profile ~= "strict" and profile ~= "seed" and profile ~= "runtime" then return misuse("--profile must be strict, seed or runtime, not '" .. safe(profile, 40) .. "'") end
    local suppress
    if o.suppress then
        local message
        suppress, message = read_data(o.suppress)
        if not suppress then return problem(message) end
        if type(suppress) == "table" and suppress.suppress then suppress = suppress.suppress end
    end
    local tell, done = progress(o.quiet)
    local scanner, message = symbi.skills.scanner { profile = profile, suppress = suppress, deny_content = o.deny, progress = tell }
    if not scanner then return problem(message) end
    local lines, scans, list, failed = {}, {}, core.array {}, false
    local function out(text) lines[#lines + 1] = text end
    for _, path in ipairs(o.rest) do
        local began = sio.monotonic()
        local info = sio.stat(path)
        local result, why = nil, path .. ": no such file or folder"
        if info then
            if info.type == "directory" then result, why = scanner:scan_dir(path) else result, why = scanner:scan_file(path) end
        end
        done()
        if not result then return problem(why) end
        if grave(result, o["fail-on"]) then failed = true end
        if format == "text" then print_result(path, result, sio.monotonic() - began, #o.rest > 1, out) end
        local entry = plain(result)
        entry.path = args.utf8(path)
        list[#list + 1] = entry
        scans[#scans + 1] = { root = info.type == "directory" and path:gsub("/+$", "") .. "/" or path:match "^(.*/)[^/]*$" or "", findings = result.findings }
    end
    if format == "json" then
        out(as_json { passed = not failed, profile = profile, results = list })
    elseif format == "sarif" then
        local rules = {}
        for _, rule in ipairs(symbi.skills.rules(profile)) do rules[rule.id] = rule end
        out(as_json(require("symbi.skills.sarif").log(scans, rules, symbi.version)))
    end
    local text = table.concat(lines, "\n") .. "\n"
    if o.output then
        local ok, why = sio.write_file(o.output, text)
        if not ok then return problem(why) end
    else
        io.stdout:write(text)
    end
    return failed and 1 or 0
end

local function documents(o)
    local discovery, revocation, message
    if o.discovery then
        discovery, message = read_data(o.discovery)
        if not discovery then return nil, message end
    end
    if o.revocation then
        revocation, message = read_data(o.revocation)
        if not revocation then return nil, message end
    end
    return true, discovery, revocation
end

-- What people read about a skill that is not admitted: of findings, how many, and the gravest.
local function why_rejected(r)
    local findings, worst, count = r.skill and r.skill.scan_result and r.skill.scan_result.findings or {}, nil, 0
    for _, f in ipairs(findings) do
        if not f.suppressed then
            count = count + 1
            if not worst or ORDER[f.severity] > ORDER[worst.severity] then worst = f end
        end
    end
    if r.reason == "scan_failed" and worst then
        return ("%d finding%s: %s (%s%s)"):format(count, count == 1 and "" or "s", worst.message, worst.file, worst.line and ":" .. worst.line or "")
    end
    local message = tostring(r.message)
    return message:sub(1, #r.path + 2) == r.path .. ": " and message:sub(#r.path + 3) or message
end

local function list(o)
    local symbi, core = require "symbi", require "symbi.core"
    local ok, discovery = documents(o)
    if not ok then return problem(discovery) end
    local loader, message = symbi.skills.loader {
        load_paths = o.path, profile = o.profile, require_signed = o["require-signed"], allow_unsigned_from = o["allow-unsigned-from"], discovery = discovery,
    }
    if not loader then return problem(message) end
    local loaded, rejected = loader:load_all()
    if o.json then
        local out = { skills = core.array {}, rejected = core.array {} }
        for i, s in ipairs(loaded) do
            out.skills[i] = { name = args.utf8(s.name), path = args.utf8(s.path), status = s.signature_status, description = s.metadata and s.metadata.description, findings = s.scan_result and #s.scan_result.findings }
        end
        for i, r in ipairs(rejected) do
            out.rejected[i] = { path = args.utf8(r.path), name = r.name and args.utf8(r.name), reason = r.reason, message = args.utf8(tostring(r.message)), findings = r.skill and r.skill.scan_result and r.skill.scan_result.findings }
        end
        print(as_json(out))
        return #rejected > 0 and 1 or 0
    end
    local rows = {}
    for _, s in ipairs(loaded) do
        rows[#rows + 1] = { safe(s.name, 24), safe(s.path, 40), s.signature_status, s.signature and safe(s.signature.domain or "", 40) or "" }
    end
    if #rows > 0 then args.print_table({ "NAME", "PATH", "STATUS", "DOMAIN" }, rows) end
    for _, r in ipairs(rejected) do print(("rejected: %s (%s) %s"):format(safe(r.path, 60), r.reason, safe(why_rejected(r), 200))) end
    if #rows + #rejected == 0 then
        print "No skills found. Looked in:"
        for _, path in ipairs(o.path or require("symbi.skills.loader").DEFAULT_PATHS) do print("  " .. safe(path, 200)) end
    else
        print(("%d skill%s found, %d rejected."):format(#loaded, #loaded == 1 and "" or "s", #rejected))
    end
    return #rejected > 0 and 1 or 0
end

local function one(o, command)
    if #o.rest == 1 then return o.rest[1] end
    return nil, misuse(command .. " needs one folder")
end

local function show(o)
    local symbi = require "symbi"
    local dir, status = one(o, "show")
    if not dir then return status end
    local ok, discovery = documents(o)
    if not ok then return problem(discovery) end
    local loader, message = symbi.skills.loader { profile = o.profile, discovery = discovery }
    if not loader then return problem(message) end
    local skill, why, err = loader:load_skill(dir)
    local shown = skill or err and err.skill
    if not shown then return problem(why) end
    if o.json then
        print(as_json {
            name = args.utf8(shown.name), path = args.utf8(shown.path), status = shown.signature_status, metadata = shown.metadata, problems = shown.problems, scan = shown.scan_result,
            admitted = skill ~= nil, reason = not skill and err.reason or nil,
        })
        return skill and 0 or 1
    end
    print("name:      " .. safe(shown.name, 200))
    if shown.metadata and shown.metadata.description then print("about:     " .. safe(shown.metadata.description, 400)) end
    print("path:      " .. safe(shown.path, 200))
    print("signature: " .. shown.signature_status .. (shown.signature and shown.signature.message and " (" .. safe(shown.signature.message, 200) .. ")" or ""))
    for _, p in ipairs(shown.problems) do print(("SKILL.md:%d: %s"):format(p.line, safe(p.message, 200))) end
    for _, f in ipairs(shown.scan_result.findings) do print(line_of(f)) end
    print(skill and "admitted" or "rejected: " .. safe(why, 300))
    return skill and 0 or 1
end

local function sign(o)
    local symbi = require "symbi"
    local dir, status = one(o, "sign")
    if not dir then return status end
    if not o.key or not o.domain then return misuse "sign needs --key and --domain" end
    local pem, message = symbi.io.read_file(o.key, 16384)
    if not pem then return problem(message) end
    local document, why = symbi.schemapin.skill.sign_skill(dir, pem, { domain = o.domain, signer_kid = o.kid, expires_in = o.expires and o.expires * 86400 })
    if not document then return problem(why) end
    local files = 0
    for _ in pairs(document.file_manifest) do files = files + 1 end
    print(("signed %s for %s at %s\nkid   %s\nhash  %s\nfiles %d"):format(safe(document.skill_name, 100), safe(document.domain, 100), safe(document.signed_at, 40), safe(document.signer_kid, 100), safe(document.skill_hash, 100), files))
    return 0
end

local function verify(o)
    local symbi = require "symbi"
    local dir, status = one(o, "verify")
    if not dir then return status end
    local ok, discovery, revocation = documents(o)
    if not ok then return problem(discovery) end
    if not discovery then return misuse "verify needs --discovery, the signer's document; symbi-lua schemapin skill verify fetches it" end
    local r, message = symbi.schemapin.skill.verify_skill { dir = dir, discovery = discovery, revocation = revocation, domain = o.domain, refuse_expired = true }
    if not r then return problem(message) end
    if o.json then
        print(as_json { valid = r.valid, status = r.status, domain = r.domain, code = r.code, message = r.message })
    else
        print(("Result: %s%s"):format(r.status, r.message and r.message ~= "" and " - " .. safe(r.message, 300) or ""))
        if r.domain and r.domain ~= "" then print("domain: " .. safe(r.domain, 100)) end
    end
    return r.valid and 0 or 1
end

local function rules(o)
    local symbi = require "symbi"
    local list_of = symbi.skills.rules(o.profile or "strict")
    if o.json then
        print(as_json(list_of))
        return 0
    end
    local rows = {}
    for i, r in ipairs(list_of) do rows[i] = { r.id, r.severity, r.category or "", r.message } end
    args.print_table({ "RULE", "SEVERITY", "CATEGORY", "MESSAGE" }, rows)
    print(#rows .. " rules")
    return 0
end

local run = { scan = scan, list = list, show = show, sign = sign, verify = verify, rules = rules }

return function(argv)
    local o, command = args.parse("skills", usage, commands, argv)
    if not o then return command end
    return run[command](o)
end
