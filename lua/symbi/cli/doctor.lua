--- symbi-lua doctor: what is wrong with this installation, and what to do about it. One line per check; nothing is changed.
local args_of = require "symbi.cli.args"
local as_json = args_of.json
local client_of = require "symbi.cli.client"
local safe = args_of.safe

local M = {}

local usage = [[
usage: symbi-lua doctor [--policies DIR] [--tools DIR] [--state DIR] [--no-server] [--json] [options of 'symbi-lua status']

Looks at the packages and modules, the policies (which can never match?), the tools (which do not load?), the state folder (who may read
it? is the trail genuine?), the clock and the server. Each line is ok, warn or fail, with what to do.
Exit status: 0 nothing failed, 1 something did, 2 the command is wrong.]]

local MAX_STATUS_FILE = 64 * 1024 * 1024

-- ---- reports --------------------------------------------------------------------------------------------------------------------------

local Report = {}
Report.__index = Report

function Report:add(level, name, text, advice)
    self.list[#self.list + 1] = { level = level, name = name, text = text, advice = advice }
    self.worst = level == "fail" and "fail" or self.worst ~= "fail" and level == "warn" and "warn" or self.worst
end
function Report:ok(name, text) self:add("ok", name, text) end
function Report:warn(name, text, advice) self:add("warn", name, text, advice) end
function Report:fail(name, text, advice) self:add("fail", name, text, advice) end

-- ---- what is installed ------------------------------------------------------------------------------------------------------------------

local function readable(path)
    local f = io.open(path, "rb")
    if f then f:close() end
    return f ~= nil
end

local function modules(report)
    local core = require "symbi.core"
    report:ok("symbi-lua", core.version .. " on " .. _VERSION)
    local io_ok, library = pcall(function() return require("symbi").io.http_library() end)
    if io_ok then
        report:ok("io", library)
        if not library:find("nghttp2", 1, true) then report:warn("http/2", "libcurl was built without HTTP/2", "nothing to do unless a server needs it") end
    else
        report:fail("io", "symbi/io.so is not there or does not load: " .. tostring(library):match "^[^\n]*", "build it with 'make' (not IO=none), or install libcurl4 and libsqlite3-0")
    end
end

-- The modules of the four ABIs stand side by side, in .../5.4/symbi/core.so (a build folder) or .../lua/5.4/symbi/core.so (installed).
local function abis(report)
    local own = _VERSION:match "%d%.%d"
    local there, missing, from = {}, {}, nil
    for template in package.cpath:gmatch "[^;]+" do
        local before, after = template:match("^(.*/)" .. own:gsub("%.", "%%.") .. "(/.*)$")
        if before and readable((before .. own .. after):gsub("%?", "symbi/core")) then
            from = before
            for _, v in ipairs { "5.1", "5.2", "5.3", "5.4" } do
                local list = readable((before .. v .. after):gsub("%?", "symbi/core")) and there or missing
                list[#list + 1] = v
            end
            break
        end
    end
    if not from then
        report:warn("lua abis", "the modules are not where the other Luas would find theirs", "install with 'make install' if other Luas or nginx are to use symbi-lua")
        return
    end
    local text = "modules for Lua " .. table.concat(there, ", ") .. " in " .. from .. " (5.1 serves LuaJIT and nginx); this one is " .. own
    if #missing == 0 then report:ok("lua abis", text)
    else report:warn("lua abis", text .. "; none for " .. table.concat(missing, ", "), "install liblua" .. missing[1] .. (missing[1] == "5.1" and "-0" or "") .. "-dev and run make, if you use that Lua") end
end

-- Debian's list of packages: name -> version of what is installed. nil where there is none.
local function packages(path)
    local f = io.open(path or "/var/lib/dpkg/status", "rb")
    if not f then return nil end
    local out, name, installed, read = {}, nil, false, 0
    for line in f:lines() do
        read = read + #line + 1
        if read > MAX_STATUS_FILE then break end
        local key, value = line:match "^(%u[%a%-]*): (.*)$"
        if key == "Package" then name, installed = value, false
        elseif key == "Status" then installed = value:find("ok installed", 1, true) ~= nil
        elseif key == "Version" and installed and name then out[name] = value end
    end
    f:close()
    return out
end

local function debian(report, path)
    local has = packages(path)
    if not has then return end
    local seen = {}
    for _, name in ipairs { "libcurl4", "libssl3", "libsqlite3-0", "libyaml-0-2", "libargon2-1", "nginx", "libnginx-mod-http-lua", "luajit2" } do
        if has[name] then seen[#seen + 1] = name .. " " .. has[name] end
    end
    if #seen > 0 then report:ok("packages", table.concat(seen, ", ")) end
    if has.luajit and (has.nginx or has["nginx-core"] or has["nginx-light"] or has["nginx-full"]) and not has["libnginx-mod-http-lua"] then
        report:fail("luajit", "Debian's luajit " .. has.luajit .. " is installed, and it pushed nginx's Lua module out", "apt install luajit2 libnginx-mod-http-lua")
    elseif has.luajit then
        report:warn("luajit", "Debian's luajit " .. has.luajit .. " excludes nginx's Lua module", "use luajit2 instead: apt install luajit2")
    elseif has.nginx and not has["libnginx-mod-http-lua"] then
        report:warn("nginx", "nginx is installed without its Lua module", "apt install libnginx-mod-http-lua, if nginx is to use symbi-lua")
    end
    if has["libnginx-mod-http-lua"] and not has["lua-resty-core"] then report:warn("nginx", "lua-resty-core is missing: client certificates cannot be shown from nginx", "apt install lua-resty-core") end
end

-- ---- policies and tools ---------------------------------------------------------------------------------------------------------------

local function tools(report, o)
    local symbi = require "symbi"
    local dir = o.tools or "./tools"
    if not symbi.io.stat(dir) then
        if o.tools then report:fail("tools", safe(dir, 200) .. " is not there", "correct --tools") end
        return nil
    end
    local set, problems = symbi.toolclad.dir(dir, { partial = true })
    if not set then
        report:fail("tools", safe(problems, 300), "correct --tools, or the folder's permissions")
        return nil
    end
    for _, p in ipairs(problems) do report:fail("tools", safe(p.message, 400), "correct the manifest; symbi-lua policy explain --tools " .. safe(dir, 100) .. " shows what is left") end
    if #problems == 0 then report:ok("tools", "all manifests of " .. safe(dir, 200) .. " load") end
    return set
end

local function policies(report, o, set)
    local symbi, policy = require "symbi", require "symbi.policy"
    local dir = o.policies or "./policies"
    if not symbi.io.stat(dir) then
        if o.policies then report:fail("policies", safe(dir, 200) .. " is not there", "correct --policies")
        else report:warn("policies", "no folder ./policies: without policies every action is denied", "name one with --policies DIR") end
        return
    end
    local files, message = policy.files { dir }
    if not files then return report:fail("policies", safe(message, 300), "correct the folder's permissions") end
    if #files == 0 then return report:warn("policies", safe(dir, 200) .. " holds no .cedar file: every action is denied", "write one: symbi-lua policy --help") end
    local results, good = policy.check(files, {})
    if not good then
        for _, r in ipairs(results) do
            if r.error then report:fail("policies", safe(r.path, 200) .. (r.line and ":" .. r.line or "") .. ": " .. safe(r.error, 300), "correct the policy: nothing of the folder is loaded until it parses") end
        end
        return
    end
    local findings
    findings, message = policy.lint(files, { tools = set })
    if not findings then return report:fail("policies", safe(message, 300)) end
    local faults = 0
    for _, f in ipairs(findings) do
        if f.severity ~= "note" then
            faults = faults + 1
            local text = safe(f.path, 200) .. (f.line and f.line > 0 and ":" .. f.line or "") .. ": " .. (f.policy and safe(f.policy, 80) .. ": " or "") .. safe(f.message, 300) .. " [" .. f.rule .. "]"
            report:add(f.severity == "error" and "fail" or "warn", "policies", text, "symbi-lua policy lint " .. safe(dir, 100))
        end
    end
    if faults == 0 then report:ok("policies", #files .. (#files == 1 and " file" or " files") .. " in " .. safe(dir, 200) .. ": they parse, and each can match") end
end

-- ---- state ------------------------------------------------------------------------------------------------------------------------------

local function octal(mode) return string.format("%04o", mode % 4096) end

-- Which of group's and others' rights a mode gives: "written", "read" or nil.
local function open_to_others(mode)
    local rest = mode % 64
    local group, others = math.floor(rest / 8), rest % 8
    local function has(digit, bit) return math.floor(digit / bit) % 2 == 1 end
    if has(group, 2) or has(others, 2) then return "written" end
    if has(group, 4) or has(others, 4) then return "read" end
end

local function permissions(report, dir)
    local io_of = require("symbi").io
    local info = io_of.stat(dir)
    local closed = open_to_others(info.mode) == nil
    if open_to_others(info.mode) == "written" then report:fail("state", safe(dir, 200) .. " may be written by others (mode " .. octal(info.mode) .. ")", "chmod 700 " .. safe(dir, 200))
    elseif not closed then report:warn("state", safe(dir, 200) .. " may be read by others (mode " .. octal(info.mode) .. ")", "chmod 700 " .. safe(dir, 200)) end
    local entries, message = io_of.list_dir(dir)
    if not entries then return report:fail("state", safe(message, 300), "correct the folder's permissions") end
    local bad = 0
    for _, e in ipairs(entries) do
        local path = dir .. "/" .. e.name
        local i = e.type ~= "directory" and io_of.stat(path)
        local how = i and not e.name:find "%.pub$" and open_to_others(i.mode)
        if how == "written" or (how and e.name:find "key") then
            bad = bad + 1
            report:fail("state", safe(path, 200) .. " may be " .. how .. " by others (mode " .. octal(i.mode) .. ")", "chmod 600 " .. safe(path, 200))
        end
    end
    if closed and bad == 0 then report:ok("state", safe(dir, 200) .. " is the owner's alone") end
end

local function trail(report, dir)
    local symbi = require "symbi"
    local traces = 0 -- a database that is gone leaves its key and anchors behind
    for _, e in ipairs(symbi.io.list_dir(dir) or {}) do
        if e.name == "symbi.db" or e.name:find "^anchor" or e.name:find "^audit%." then traces = traces + 1 end
    end
    if traces == 0 then return report:ok("trail", "nothing is recorded yet") end
    local store, message = symbi.store.open(dir, { readonly = true })
    if not store then return report:fail("trail", safe(message, 300), "symbi-lua audit verify --state " .. safe(dir, 200)) end
    local chains = symbi.store.chains(store) or {}
    for _, chain in ipairs(chains) do
        local r, why = symbi.audit.verify(store, { chain = chain })
        if not r then report:fail("trail", "chain " .. safe(chain, 64) .. ": " .. safe(why, 300), "symbi-lua audit verify --state " .. safe(dir, 200))
        elseif not r.ok then
            report:fail("trail", "chain " .. safe(chain, 64) .. " was tampered with: entry " .. tostring(r.bad_sequence) .. ": " .. safe(r.detail, 200), "symbi-lua audit verify --state " .. safe(dir, 200) .. " tells more; keep the folder as evidence")
        else
            local behind
            for entry in symbi.audit.entries(store, { chain = chain, from = math.max(0, r.entries - 1) }) do behind = (entry.timestamp_ms or 0) / 1000 - os.time() end
            report:ok("trail", "chain " .. safe(chain, 64) .. ": " .. r.entries .. " entries, genuine")
            if behind and behind > 5 then
                report:fail("clock", string.format("the clock stands %.0f s behind the newest entry: actions are denied until it catches up", behind), "set the clock; if it was set back on purpose: symbi-lua audit accept-clock --state " .. safe(dir, 200))
            end
        end
    end
    if #chains == 0 then report:ok("trail", "nothing is recorded yet") end
    store:close()
end

local function state(report, o)
    local dir = o.state or ".symbi"
    if not require("symbi").io.stat(dir) then
        if o.state then report:warn("state", safe(dir, 200) .. " is not there", "it is made by the first run with this folder")
        else report:ok("state", "no state folder yet; the first run makes .symbi") end
        return
    end
    permissions(report, dir)
    local ok, why = pcall(trail, report, dir)
    if not ok then report:fail("trail", safe(why, 300), "symbi-lua audit verify --state " .. safe(dir, 200)) end
end

-- ---- the clock and the server -----------------------------------------------------------------------------------------------------------

local BUILT = 1735689600 -- 2025-01-01: this program is younger

local function clock(report)
    local now = os.time()
    if now < BUILT then report:fail("clock", "the clock says " .. os.date("!%Y-%m-%d", now), "set it (timedatectl set-ntp true): credentials, policies and the trail depend on it")
    else report:ok("clock", os.date("!%Y-%m-%dT%H:%M:%SZ", now)) end
end

local function server(report, o)
    if o["no-server"] then return end
    o.retries, o.timeout = o.retries or 0, o.timeout or 5
    local client, message = client_of.connect(o)
    if not client then return report:fail("settings", safe(message, 300), "correct the settings: symbi-lua client get_configuration shows them") end
    local named = client.manager:get_source "base_url" ~= "default"
    local status = require "symbi.cli.status"
    local r = status.probe(client)
    client:close()
    if not r.reachable then
        report:add(named and "fail" or "warn", "server", safe(r.base_url, 200) .. ": " .. safe(r.error, 300), named and "start it, or correct SYMBIONT_BASE_URL" or "start one, or name it in SYMBIONT_BASE_URL, if you use one")
        return
    end
    if r.error then return report:fail("server", safe(r.base_url, 200) .. ": " .. safe(r.error, 300), "is this a Symbiont server? symbi-lua client health_check") end
    report:add(r.healthy and "ok" or "fail", "server", string.format("%s: %s, version %s, %.1f ms", safe(r.base_url, 200), safe(r.status or "?", 40), safe(r.version or "?", 40), r.latency_ms), not r.healthy and "look at the server's own log" or nil)
    if r.key == "refused" then report:fail("key", "the server refuses SYMBIONT_API_KEY", "get a key of this server")
    elseif r.key == "not given" then report:warn("key", "the server wants a key, and none is set", "set SYMBIONT_API_KEY")
    elseif r.key == "unknown" then report:warn("key", "cannot be tried: " .. safe(r.key_note, 200))
    else report:ok("key", r.key) end
    local d = r.clock_difference_seconds
    if d and math.abs(d) >= 5 then report:warn("clock", "the server's is " .. status.clock_text(d), "let both follow NTP: signatures and tokens of one are late or early for the other")
    elseif d then report:ok("clock", "the server's agrees") end
end

-- ---- the whole --------------------------------------------------------------------------------------------------------------------------

--- All checks: a list of {level, name, text, advice}, and the worst level. o: the options of the command line; o.dpkg = another list of packages.
function M.examine(o)
    local report = setmetatable({ list = {}, worst = "ok" }, Report)
    local checks = {
        modules, abis, function(r) debian(r, o.dpkg) end,
        function(r) policies(r, o, tools(r, o)) end, function(r) state(r, o) end, clock, function(r) server(r, o) end,
    }
    for _, check in ipairs(checks) do
        local ok, why = pcall(check, report) -- what fails here is a finding too
        if not ok then report:fail("doctor", safe(why, 400), "please report this") end
    end
    return report.list, report.worst
end

function M.main(argv, host)
    local flags = { policies = "text", tools = "text", state = "text", ["no-server"] = "flag" }
    for k, v in pairs(client_of.server_options) do flags[k] = v end
    local words = { "doctor" }
    for _, w in ipairs(argv) do words[#words + 1] = w end
    if words[2] == "help" then words[2] = "--help" end
    local o, status = args_of.parse("doctor", usage, { doctor = flags }, words)
    if not o then return status end
    for _, name in ipairs { "policies", "tools", "state" } do o[name] = o[name] or (host and host[name]) end
    local list, worst = M.examine(o)
    status = worst == "fail" and 1 or 0
    if o.json then
        local symbi = require "symbi"
        print(as_json { type = "doctor", ok = status == 0, worst = worst, checks = symbi.array(list) })
        return status
    end
    local counts = { ok = 0, warn = 0, fail = 0 }
    for _, c in ipairs(list) do
        counts[c.level] = counts[c.level] + 1
        print(string.format("%-4s  %-9s  %s", c.level, c.name, c.text))
        if c.advice and c.level ~= "ok" then print("                 -> " .. c.advice) end
    end
    print(string.format("%d ok, %d to look at, %d failed", counts.ok, counts.warn, counts.fail))
    return status
end

return M
