-- Tools in bubblewrap as Lua sees them: the manifest's word, the operator's, a .symbi agent's; and files that are checked before a tool starts.
local symbi = require "symbi"
local io_ = require "symbi.io"

local ALL = "permit(principal, action, resource);"

local function manifest(keys, exec, args)
    return ('[tool]\nname = "t"\nversion = "1"\ndescription = "d"\n%s\n%s\n[command]\nexec = %s\n[output]\nformat = "text"\n[output.schema]\ntype = "object"\n'):format(keys, args or "", exec)
end

local function sh(keys, text) return assert(symbi.toolclad.parse(manifest(keys, '["/bin/sh", "-c", ' .. symbi.json.encode(text) .. "]"), "t.toml")) end

local function execute(tool, options, args)
    local o = { policies = assert(symbi.cedar.policies(ALL)) }
    for k, v in pairs(options or {}) do o[k] = v end
    return symbi.toolclad.execute(tool, args or {}, o)
end

-- what is asked of this machine once
local first = execute(sh('sandbox = "bwrap"', "true"))
local usable = first and first.status == "success"
local function boxed(name, f)
    it(name, function()
        if not usable then
            pending("bubblewrap does not work here: " .. tostring(first and first.error))
            return
        end
        f()
    end)
end

describe("the sandbox of a tool", function()
    local dir
    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        assert(io_.mkdir(dir))
        dir = assert(io_.realpath(dir))
    end)
    after_each(function()
        io_.remove_tree(dir)
        io_.close()
    end)

    it("is the manifest's word, or refused by name", function()
        local plan = assert(sh('sandbox = "bwrap"\nsandbox_network = true\nsandbox_write = ["."]\nsandbox_hide = ["/home"]', "true"):plan {})
        assert.same({ kind = "bwrap", network = true, output = false, write = { "." }, hide = { ".symbi", "/home" } }, plan.sandbox)
        assert.is_nil(assert(sh("", "true"):plan {}).sandbox)
        assert.equal("bwrap", assert(sh("", "true"):plan({}, { sandbox = "bwrap" })).sandbox.kind)
        assert.is_true(assert(sh("", "true"):plan({}, { scan_id = "1" })).digest ~= assert(sh("", "true"):plan({}, { scan_id = "1", sandbox = "bwrap" })).digest)
        for _, word in ipairs { "docker", "gvisor", "firecracker", "e2b", "tier1", "native", "jail" } do
            local t, message, err = symbi.toolclad.parse(manifest('sandbox = "' .. word .. '"', '["true"]'), "t.toml")
            assert.is_nil(t)
            assert.equal("ESCHEMA", err.code)
            assert.matches("t.toml:5: tool.sandbox: ", tostring(err), 1, true)
            assert.matches("bwrap", message, 1, true)
        end
        assert.has_error(function() sh("", "true"):plan({}, { sandbox = "docker" }) end)
        assert.has_error(function() execute(sh("", "true"), { sandbox = "shed" }) end)
    end)

    boxed("keeps a program from the host's files and network", function()
        assert(io_.write_file(dir .. "/in.txt", "read me\n"))
        local e = assert(execute(sh('sandbox = "bwrap"', "cat in.txt; echo x > out.txt || true; echo y > /tmp/f && cat /tmp/f; grep -c : /proc/net/dev; ls -d /proc/[0-9]* | wc -l"), { project_dir = dir }))
        assert.equal("success", e.status)
        assert.equal("bwrap", e.sandbox)
        assert.matches("^read me\ny\n1\n%d\n$", e.results.raw_output)
        assert.matches("Read-only file system", e.stderr, 1, true)
        assert.is_nil(io_.stat(dir .. "/out.txt"))
        e = assert(execute(sh('sandbox = "bwrap"\nsandbox_write = ["."]', "echo x > out.txt"), { project_dir = dir }))
        assert.equal("success", e.status)
        assert.equal("x\n", io_.read_file(dir .. "/out.txt"))
        assert.is_nil(assert(execute(sh("", "true"))).sandbox)
    end)

    boxed("hides the runtime's own folder, and lets a tool write its evidence", function()
        assert(io_.mkdir(dir .. "/.symbi"))
        assert(io_.write_file(dir .. "/.symbi/key", "secret"))
        local e = assert(execute(sh('sandbox = "bwrap"\nsandbox_write = ["."]', "cat .symbi/key; ls -A .symbi; echo end"), { project_dir = dir }))
        assert.equal("end\n", e.results.raw_output)
        local tool = assert(symbi.toolclad.parse(manifest('sandbox = "bwrap"\nsandbox_write = ["{output_dir}"]\n[tool.evidence]\ncapture = true', '["/bin/sh", "-c", "echo own > $0", "{_output_file}"]'), "t"))
        e = assert(execute(tool, { project_dir = dir, evidence_dir = dir .. "/evidence" }))
        assert.equal("success", e.status)
        assert.equal("own\n", io_.read_file(e.output_file))
    end)

    boxed("is what the operator asks of every program", function()
        local e = assert(execute(sh("", "uname -n"), { sandbox = "bwrap" }))
        assert.equal("sandbox\n", e.results.raw_output)
        e = assert(execute(sh('sandbox = "none"', "uname -n"), { sandbox = "bwrap" }))
        assert.equal("sandbox\n", e.results.raw_output)
        -- a program that would run outside of it does not
        local server = assert(symbi.toolclad.parse('[tool]\nname = "m"\n[mcp]\nserver = "s"\ntool = "x"\n[output]\nformat = "json"\n', "m"))
        assert.equal("bwrap", assert(server:plan({}, { sandbox = "bwrap" })).sandbox.kind)
        local live = assert(symbi.toolclad.parse('[tool]\nname = "b"\n[browser]\nconnect = "live"\nendpoint = "http://127.0.0.1:9222"\n[browser.scope]\nallowed_domains = ["a.example"]\n[browser.commands.snapshot]\ndescription = "s"\n[output]\nformat = "json"\n', "b")):commands()[1]
        local plan, message, err = live:plan({}, { sandbox = "bwrap" })
        assert.is_nil(plan)
        assert.equal("EUNSUPPORTED", err.code)
        assert.matches("programs must run in bwrap here", message, 1, true)
    end)

    it("never falls away silently", function()
        io_.close()
        assert(io_.spawner { bwrap = dir .. "/no-bwrap" })
        local refused = assert(execute(sh('sandbox = "bwrap"', "touch ran"), { project_dir = dir }))
        assert.equal("error", refused.status)
        assert.matches("bubblewrap is not installed here", refused.error, 1, true)
        assert.is_nil(io_.stat(dir .. "/ran"))
        io_.close()
        -- a list of places to write that is not there: the tool does not run, and says so
        if not usable then return end
        local e = assert(execute(sh('sandbox = "bwrap"\nsandbox_write = ["missing"]', "touch ran"), { project_dir = dir }))
        assert.equal("error", e.status)
        assert.matches("the tool was not run: missing, which it may write to, is not there", e.error, 1, true)
    end)

    it("is said in a runtime's options, and nonsense is not", function()
        local rt = assert(symbi.runtime { sandbox = "bwrap", no_audit = true })
        assert.equal("bwrap", rt.box)
        assert.is_nil(rt.sandbox)
        rt:close()
        rt = assert(symbi.runtime { sandbox = "docker+bwrap", no_audit = true })
        assert.same({ "bwrap", "docker" }, { rt.box, rt.sandbox })
        rt:close()
        local none, message = symbi.runtime { sandbox = "bwrap+shed", no_audit = true }
        assert.is_nil(none)
        assert.matches("is none of bwrap, docker", message, 1, true)
    end)

    it("is what a .symbi agent asks for, and bwrap is not docker", function()
        local compiled = assert(assert(symbi.dsl.parse('agent bot { with sandbox = "bwrap" { } }')):compile())
        local tool = sh("", "uname -n")
        local gate = assert(symbi.gate.open { policies = assert(symbi.cedar.policies(ALL)), tools = assert(symbi.toolclad.toolset { tool }) })
        local action = { kind = "tool_call", agent = "bot", name = "t", arguments = {} }
        for _, host in ipairs { {}, { sandbox = "bwrap" }, { sandbox = "docker" } } do
            assert(gate:narrow(compiled, host))
            local v = gate:check(action)
            assert.equal("ALLOWED", v.code)
            assert(gate:commit(v))
            local plan = assert(gate:redeem(v, v.permit))
            assert.equal("bwrap", plan.sandbox.kind) -- by the gate, whatever the host says
        end
        for _, tier in ipairs { "docker", "gvisor", "firecracker", "e2b" } do
            local n = assert(assert(symbi.dsl.parse('agent bot { with sandbox = "' .. tier .. '" { } }')):compile())
            assert(gate:narrow(n, { sandbox = "bwrap" }))
            local v = gate:check(action)
            assert.equal("OBLIGATION_UNMET", v.code)
            assert.matches("must run in sandbox " .. tier .. "; this host runs them in bwrap", v.reason, 1, true)
        end
        gate:close()
    end)
end)

describe("a credential file", function()
    local dir, tool
    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        assert(io_.mkdir(dir))
        assert(io_.write_file(dir .. "/creds.txt", "user"))
        tool = assert(symbi.toolclad.parse(manifest("", '["cat", "{f}"]', '[args.f]\ntype = "credential_file"\nrequired = true'), "t"))
    end)
    after_each(function()
        tool = nil
        io_.remove_tree(dir)
        io_.close()
    end)

    it("is looked at by the spawner before the tool starts", function()
        local e = assert(execute(tool, { project_dir = dir }, { f = "creds.txt" }))
        assert.equal("success", e.status)
        assert.equal("user", e.results.raw_output)
        for _, t in ipairs { { "none.txt", "No such file" }, { "sub", "no regular file" } } do
            io_.mkdir(dir .. "/sub")
            e = assert(execute(tool, { project_dir = dir }, { f = t[1] }))
            assert.equal("error", e.status)
            assert.matches(t[2], e.error, 1, true)
        end
    end)

    it("is part of what a permit is for", function()
        local plan = assert(tool:plan({ f = "creds.txt" }, { project_dir = dir, scan_id = "1" }))
        assert.same({ "creds.txt" }, plan.check_files)
        assert.equal(64, #plan.digest)
    end)
end)
