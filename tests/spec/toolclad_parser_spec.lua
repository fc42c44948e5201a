--- Custom output parsers: programs of the operator's that turn a tool's output into JSON. Real ones, and what goes wrong with them.
local symbi = require "symbi"
local files = require "tests.spec.helper.files"
local toolclad = symbi.toolclad

local PERMIT = { { name = "p.cedar", text = 'permit(principal, action == Action::"tool_call::t", resource);' } }

local function toml(s) return '"' .. s:gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"' end

-- A tool t whose exec is given, with a parser.
local function manifest(exec, parser, more)
    local words = {}
    for i, w in ipairs(exec) do words[i] = toml(w) end
    return '[tool]\nname = "t"\nversion = "1"\ndescription = "d"\ntimeout_seconds = 30\n' .. (more or "") .. "[command]\nexec = [" .. table.concat(words, ", ") .. "]\n[output]\nformat = \"text\"\nparser = " ..
        toml("custom:" .. parser) .. '\n[output.schema]\ntype = "object"\n'
end

describe("custom parsers", function()
    local dir, tmp
    setup(function()
        dir, tmp = files.tmpdir(), files.tmpdir()
        local say = assert(toolclad.parse((manifest({ "true" }, "/x"):gsub("parser = [^\n]*\n", "")))) -- what is made once and stays: the spawner
        for _ = 1, 2 do assert(say:execute({}, { policies = PERMIT })) end
    end)
    teardown(function()
        symbi.io.remove_tree(dir)
        symbi.io.remove_tree(tmp)
    end)

    local function program(name, text) return files.program(dir .. "/" .. name, text) end

    -- Runs exec, reads with parser; allowed: what the operator lists (the parser itself when nil).
    local function run(exec, parser, options)
        options = options or {}
        local tool = assert(toolclad.parse(manifest(exec, parser, options.more)))
        local env = { "PATH=/usr/bin:/bin", "TMPDIR=" .. tmp }
        if options.allowed ~= false then env[#env + 1] = "SYMBIONT_TOOLCLAD_ALLOWED_PARSERS=" .. (options.allowed or parser) end
        return tool:execute({}, { policies = PERMIT, env = env, timeout_ms = options.timeout_ms, sandbox = options.sandbox, audit = options.audit, evidence_dir = dir .. "/evidence", project_dir = options.project_dir })
    end

    -- An envelope of a parser that failed: no success, and nothing of what it was to read.
    local function failed(e, pattern)
        assert.equal("error", e.status)
        assert.matches(pattern, e.error)
        assert.same({}, e.results)
        assert.equal(0, e.exit_code) -- the tool's
        assert.same({}, symbi.io.list_dir(tmp)) -- its file is gone
    end

    -- With more and more time, until the machine was fast enough for what is to be seen.
    local function patiently(attempt)
        local ms = 1000
        while not attempt(ms) and ms < 60000 do ms = ms * 2 end
    end

    it("read the tool's output from a file and give JSON", function()
        local sh = program("lines", '#!/bin/sh\nn=$(wc -l < "$1")\nprintf \'{"lines": %d, "first": "%s"}\' "$n" "$(head -n 1 "$1")"\n')
        local e = assert(run({ "printf", "alpha\nbeta\n" }, sh))
        assert.equal("success", e.status)
        assert.same({ lines = 2, first = "alpha" }, e.results)
        assert.equal("sha256:" .. symbi.crypto.sha256 "alpha\nbeta\n", e.output_hash) -- of what the tool printed
        assert.equal(sh, e.parser.path)
        assert.equal(symbi.crypto.sha256(assert(symbi.io.read_file(sh))), e.parser.sha256)
        assert.equal(0, e.parser.exit_code)
        assert.same({}, symbi.io.list_dir(tmp))
        local py = program("up.py", "#!/usr/bin/env python3\nimport json, sys\nprint(json.dumps([w.upper() for w in open(sys.argv[1]).read().split()]))\n")
        assert.same({ parsed_output = { "A", "B" } }, assert(run({ "printf", "a b" }, py)).results) -- always an object
    end)

    it("see the tool's environment, one argument, and a file that is theirs alone", function()
        local p = program("look.py", [[#!/usr/bin/env python3
import json, os, stat, sys
s = os.stat(sys.argv[1]); d = os.stat(os.path.dirname(sys.argv[1]))
status = dict(l.split(":\t", 1) for l in open("/proc/self/status").read().splitlines() if ":\t" in l)
print(json.dumps({"n": len(sys.argv), "file": stat.S_IMODE(s.st_mode), "dir": stat.S_IMODE(d.st_mode), "stdin": sys.stdin.read(), "cwd": os.getcwd(),
    "env": sorted(k for k in os.environ if k not in ("LC_CTYPE", "PWD", "SHLVL", "_")), "nnp": status["NoNewPrivs"].strip(),
    "fds": [f for f in os.listdir("/proc/self/fd") if int(f) > 2 and os.path.exists("/proc/self/fd/" + f)], "leader": os.getsid(0) == os.getpid()}))
]])
        local e = assert(run({ "echo", "x" }, p, { project_dir = dir }))
        assert.equal("success", e.status, e.error)
        assert.same({ n = 2, file = 256, dir = 448, stdin = "", cwd = symbi.io.realpath(dir), env = { "PATH", "TMPDIR" }, nnp = "1", fds = {}, leader = true }, e.results)
    end)

    it("must be listed, or the tool is not run at all", function()
        local p, mark = program("ok", "#!/bin/sh\necho '{}'\n"), dir .. "/ran"
        for _, allowed in ipairs { false, "", "/somewhere/else", p .. "x", dir, p:sub(2) } do
            local e, message, err = run({ "touch", mark }, p, { allowed = allowed })
            assert.is_nil(e)
            assert.equal("EDENIED", err.code)
            assert.matches("is not in SYMBIONT_TOOLCLAD_ALLOWED_PARSERS", message)
            assert.is_nil(symbi.io.stat(mark))
        end
        assert.equal("success", assert(run({ "true" }, p, { allowed = "/other: " .. p .. " :/more" })).status) -- entries are trimmed
    end)

    it("are refused when they fail, lie, or print something else", function()
        failed(assert(run({ "echo", "secret" }, program("exit3", "#!/bin/sh\necho 'cannot read this' >&2\nexit 3\n"))), "exited with code 3: cannot read this")
        failed(assert(run({ "echo", "secret" }, program("bad", "#!/bin/sh\necho '{\"a\":'\n"))), "gave no JSON")
        failed(assert(run({ "echo", "secret" }, program("two", "#!/bin/sh\necho '{} {}'\n"))), "gave no JSON")
        failed(assert(run({ "echo", "secret" }, program("none", "#!/bin/sh\n:\n"))), "gave no JSON")
        failed(assert(run({ "echo", "secret" }, program("cat", '#!/bin/sh\ncat "$1"\n'))), "gave no JSON")
        failed(assert(run({ "echo", "secret" }, program("dies", "#!/bin/sh\nkill -9 $$\n"))), "killed by signal 9")
        failed(assert(run({ "echo", "secret" }, program("noexec", "just text\n"))), "ENOEXEC")
        failed(assert(run({ "echo", "secret" }, program("nointerp", "#!/nonexistent/sh\n"))), "ENOENT")
    end)

    it("are ended when they hang, and so is what they leave behind", function()
        local pid = dir .. "/pid"
        local hang, e = program("hang", "#!/bin/sh\nsleep 600 & echo $! > " .. pid .. "\nwait\n"), nil
        patiently(function(ms)
            e = assert(run({ "echo", "secret" }, hang, { timeout_ms = ms }))
            return e.status ~= "timeout" and symbi.io.stat(pid)
        end)
        failed(e, "did not end")
        -- one that forks and goes: its answer counts, its child does not live on
        local left = program("fork", "#!/bin/sh\n(trap '' TERM HUP; sleep 600) & echo $! > " .. pid .. "2\necho '{\"a\":1}'\n")
        e = assert(run({ "echo", "x" }, left))
        assert.same({ a = 1 }, e.results)
        for _, f in ipairs { pid, pid .. "2" } do
            local n = assert(symbi.io.read_file(f)):match "%d+"
            local gone
            for _ = 1, 1000 do
                local stat = io.open("/proc/" .. n .. "/stat")
                local text = stat and stat:read "*a"
                if stat then stat:close() end
                gone = not text or text:find(") Z", 1, true) ~= nil
                if gone then break end
                symbi.io.sleep(10)
            end
            assert.is_true(gone)
        end
    end)

    it("cannot print without end", function()
        local flood, e = program("flood", "#!/bin/sh\nexec cat /dev/zero\n"), nil
        patiently(function(ms)
            e = assert(run({ "echo", "secret" }, flood, { timeout_ms = ms }))
            return e.status ~= "timeout"
        end)
        failed(e, "did not end")
        -- more than the tool itself may print, and then ends
        e = assert(run({ "echo", "secret" }, program("large.py", "#!/usr/bin/env python3\nimport sys\nsys.stdout.write('\"' + 'a' * (11 << 20) + '\"')\n")))
        failed(e, "printed more than %d+ bytes")
    end)

    it("read a large output whole", function()
        local p = program("count.py", "#!/usr/bin/env python3\nimport json, sys, hashlib\nb = open(sys.argv[1], 'rb').read()\nprint(json.dumps({'n': len(b), 'h': hashlib.sha256(b).hexdigest()}))\n")
        local e = assert(run({ "head", "-c", "5000000", "/dev/zero" }, p))
        assert.same({ n = 5000000, h = symbi.crypto.sha256(("\0"):rep(5000000)) }, e.results)
    end)

    it("are not run over what a failed tool printed", function()
        local mark = dir .. "/parsed"
        local p = program("mark", "#!/bin/sh\ntouch " .. mark .. "\necho '{}'\n")
        local e = assert(run({ "sh", "-c", "echo out; echo no >&2; exit 4" }, p))
        assert.equal("error", e.status)
        assert.equal(4, e.exit_code)
        assert.equal("no", e.error)
        assert.is_nil(e.parser)
        assert.equal("timeout", assert(run({ "sleep", "600" }, p, { timeout_ms = 200 })).status)
        assert.is_nil(symbi.io.stat(mark))
    end)

    it("must still be there, and nobody else may have a hand in them", function()
        local mark = dir .. "/ran2"
        local function refused(p, pattern)
            local e = assert(run({ "touch", mark }, p))
            assert.equal("error", e.status)
            assert.matches(pattern, e.error)
            assert.is_nil(symbi.io.stat(mark)) -- it is said before the tool does something
        end
        local function chmod(mode, path) assert(os.execute("chmod " .. mode .. " " .. path)) end
        refused(dir .. "/removed", "is not there")
        local p = program("loose", "#!/bin/sh\necho '{}'\n")
        chmod("770", p)
        refused(p, "can be written by others")
        chmod("707", p)
        refused(p, "can be written by others")
        chmod("600", p)
        refused(p, "is not executable")
        refused(dir, "is no regular file")
        assert(symbi.io.mkdir(dir .. "/open", { mode = 448 }))
        local q = files.program(dir .. "/open/p", "#!/bin/sh\necho '{}'\n")
        chmod("777", dir .. "/open")
        refused(q, "/open can be written by others")
        chmod("700", dir .. "/open")
        assert.equal("success", assert(run({ "true" }, q)).status)
        assert(os.execute("ln -s " .. q .. " " .. dir .. "/link && ln -s " .. dir .. "/open " .. dir .. "/dirlink"))
        refused(dir .. "/link", "symbolic link")
        refused(dir .. "/dirlink/p", "symbolic link")
        -- a tool that takes the parser away meanwhile, or puts another file in its place
        local r = program("going", "#!/bin/sh\necho '{}'\n")
        failed(assert(run({ "sh", "-c", "echo secret; rm " .. r }, r)), "is not there")
        r = program("swapped", "#!/bin/sh\necho '{}'\n")
        failed(assert(run({ "sh", "-c", "echo secret; chmod 722 " .. r }, r)), "can be written by others")
    end)

    it("are named in the manifest by a plain absolute path, for tools that run programs", function()
        for path, pattern in pairs { ["rel/p"] = "absolute path", [""] = "absolute path", ["/a//b"] = "empty part", ["/a/../b"] = "'%.%.'", ["/a/./b"] = "'%.'", ["/a/"] = "empty part", ["/"] = "empty part", ["/a:b"] = "':'",
            ["/" .. ("x"):rep(4096)] = "too long", ["/a\\nb"] = "control character" } do
            local text = manifest({ "true" }, "PATH"):gsub("PATH", function() return path end)
            local t, message = toolclad.parse(text)
            assert.is_nil(t, path)
            assert.matches("output.parser", message, nil, true)
            assert.matches(pattern, message)
        end
        local head, tail = '[tool]\nname = "t"\n', '[output]\nparser = "custom:/usr/bin/p"\n'
        for backend, table in pairs { http = '[http]\nurl = "https://x.example/"\n', mcp = '[mcp]\nserver = "s"\ntool = "t"\n', session = '[session]\nstartup_command = "bc"\nready_pattern = "^> $"\n[session.commands.c]\npattern = "^x$"\ndescription = "d"\n',
            browser = '[browser]\n[browser.commands.snapshot]\ndescription = "d"\n' } do
            local t, message = toolclad.parse(head .. table .. tail)
            assert.is_nil(t, backend)
            assert.matches("builtin: parsers only", message)
        end
    end)

    it("are part of what an order covers, and an executor without them gives no result", function()
        local p = program("plain", "#!/bin/sh\necho '{}'\n")
        local env = { env = { "SYMBIONT_TOOLCLAD_ALLOWED_PARSERS=" .. p }, scan_id = "1-a" }
        local with = assert(toolclad.parse(manifest({ "true" }, p)))
        local without = assert(toolclad.parse((manifest({ "true" }, p):gsub("parser = [^\n]*\n", ""))))
        local a, b = assert(with:plan({}, env)), assert(without:plan({}, env))
        assert.equal(p, a.parser)
        assert.is_nil(b.parser)
        assert.not_equal(a.digest, b.digest)
        local e = assert(with:envelope(a, { stdout = '{"a":1}', exit_code = 0 }))
        assert.equal("error", e.status)
        assert.matches("does not run parsers", e.error)
        assert.same({}, e.results)
    end)

    it("keep what the schema and the evidence say", function()
        local p = program("typed", "#!/bin/sh\necho '{\"n\": \"three\"}'\n")
        local text = manifest({ "echo", "raw" }, p, '[tool.evidence]\ncapture = true\n') .. '[output.schema.properties.n]\ntype = "integer"\n'
        local tool = assert(toolclad.parse(text))
        local store = symbi.store.memory()
        local audit = assert(symbi.audit.open(store, { key = assert(symbi.crypto.ed25519 { seed = ("k"):rep(32) }) }))
        local e = assert(tool:execute({}, { policies = PERMIT, env = { "PATH=/usr/bin:/bin", "SYMBIONT_TOOLCLAD_ALLOWED_PARSERS=" .. p }, evidence_dir = dir .. "/evidence", audit = audit }))
        assert.same({ "Property 'n' has type 'string' but expected 'integer'" }, e.schema_warnings)
        assert.equal("raw\n", symbi.io.read_file(e.output_file)) -- what the tool printed, not what was made of it
        local record = symbi.json.decode(assert(store:get("evidence", e.evidence_sha256)))
        assert.equal(p, record.parser.path)
        assert.equal(e.parser.sha256, record.parser.sha256)
    end)
end)
