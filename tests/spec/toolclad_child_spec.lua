--- Child sessions: programs that open another one inside of themselves, and what may be typed there.
local symbi = require "symbi"
local session = require "tests.spec.helper.session"
local found, shell, play, children = session.found, session.shell, session.play, session.children
local sio = symbi.io
local dir

local function manifest(name, startup, ready, child)
    return string.format('[tool]\nname = "%s"\nversion = "1"\ndescription = "d"\n[tool.evidence]\noutput_dir = "%s/evidence/{scan_id}"\n[session]\nstartup_command = \'%s\'\nready_pattern = \'%s\'\n'
        .. "[session.interaction]\noutput_wait_ms = 20000\n%s[session.commands.any]\ndescription = \"anything\"\npattern = '^.+$'\n[output]\nformat = \"text\"\n[output.schema]\ntype = \"object\"\n",
        name, dir, startup, ready, child and "[session.child_detection]\n" .. child or "")
end

local function with_child(parent, child) return assert(symbi.toolclad.parse(parent, { source = "t.clad.toml", child = assert(symbi.toolclad.parse(child, "c.clad.toml")) })) end

-- A shell that asks with its own prompt: what a program's shell escape starts.
local function inner() return shell "printf 'inner$ '; while IFS= read -r x; do [ \"$x\" = exit ] && exit 0; echo \"got $x\"; printf 'inner$ '; done" end
local INNER = "pattern = '^inner[$] $'\ntype = \"shell\"\nmanifest = \"c.clad.toml\"\n"

describe("child sessions", function()
    before_each(function() dir = session.fresh() end)
    after_each(function()
        assert.equal(0, children())
        sio.remove_tree(dir)
    end)

    it("sqlite3's .shell: its commands while it is open, the parent's before and after", function()
        if not found "sqlite3" then return pending "sqlite3 is not installed" end
        local tool = with_child(manifest("db", "sqlite3", "^sqlite> $", INNER), manifest("sh", "sh", "^inner[$] $"))
        local told, result = play(tool, {
            { "db.any", "SELECT 1;" }, { "db.child.any", "ls" }, -- none is open
            { "db.any", ".shell " .. inner() },
            { "db.any", "DROP TABLE x;" }, -- for sqlite, but the shell would read it
            { "db.child.any", "hello" }, { "db__child__any", "again" },
            { "db.child.any", "exit" },
            { "db.any", "SELECT 2;" },
        })
        assert.is_true(result.completed)
        assert.equal("1\n", told[1].output)
        assert.equal("EDENIED", told[2].code)
        assert.matches("no child session is open", tostring(told[2]))
        assert.equal("ready", told[3].state)
        assert.equal("child.ready", told[3].inferred_state)
        assert.equal("inner$ ", told[3].prompt)
        local id = told[1].session_id
        assert.same({ session_id = id .. ".child_1", type = "shell" }, told[3].child)
        assert.equal(id, told[3].session_id)
        assert.is_nil(told[3].parent_session_id)
        assert.equal("EDENIED", told[4].code)
        assert.matches("only db.child.* can be called", tostring(told[4]), nil, true)
        assert.equal("got hello\n", told[5].output)
        assert.equal(id .. ".child_1", told[5].session_id)
        assert.equal(id, told[5].parent_session_id)
        assert.equal("got again\n", told[6].output)
        assert.equal("sqlite> ", told[7].prompt)
        assert.is_nil(told[7].child)
        assert.equal(id .. ".child_1", told[7].session_id)
        assert.equal("2\n", told[8].output)
        assert.equal("ready", told[8].inferred_state)
        assert.equal(id, told[8].session_id)
        -- one transcript; what was said in the child names both
        local said = {}
        for line in sio.read_file(told[1].transcript_file):gmatch "[^\n]+" do
            local e = symbi.json.decode(line)
            if e.direction ~= "Response" then said[#said + 1] = e.direction .. " " .. e.content .. (e.parent_session_id == id and e.session_id == id .. ".child_1" and " |child" or "") end
        end
        said = table.concat(said, "\n")
        assert.matches("Command hello |child", said, nil, true)
        assert.matches("child_1 began (shell) |child", said, nil, true)
        assert.matches("PolicyDenied DROP TABLE x;: child session", said, nil, true)
        assert.matches("Command SELECT 2;", said, nil, true)
        assert.is_nil(said:find("Command SELECT 2; |child", 1, true))
    end)

    it("python3's subprocess, and a second one", function()
        if not found "/usr/bin/python3" then return pending "python3 is not installed" end
        local tool = with_child(manifest("py", "/usr/bin/python3 -i -q", "^>>> $", INNER), manifest("sh", "sh", "^inner[$] $") .. '[session.states]\nwaiting = "^inner"\n')
        local open = "import subprocess; r = subprocess.call('" .. inner() .. "')"
        local told = play(tool, { { "py.any", open }, { "py.child.any", "x" }, { "py.child.any", "exit" }, { "py.any", "print(r)" }, { "py.any", open }, { "py.child.any", "y" } })
        assert.equal("child.waiting", told[1].inferred_state)
        assert.equal("got x\n", told[2].output)
        assert.equal("0\n", told[4].output)
        assert.equal(told[1].session_id .. ".child_2", told[5].child.session_id)
        assert.equal("got y\n", told[6].output)
    end)

    it("without a contract nothing can be typed", function()
        local program = shell "printf '> '; while read -r x; do case $x in open*) echo 'session 1 opened'; read -r y;; *) echo \"$x\"; printf '> ';; esac; done"
        local text = manifest("msf", program, "^> $", "pattern = 'session [0-9]+ opened'\ntype = \"meterpreter\"\n")
        local tool = assert(symbi.toolclad.parse(text, "t"))
        assert.matches("names no manifest: nothing can be typed while a child session is open", table.concat(tool:warnings(), "\n"), nil, true)
        local told = play(text, { { "msf.any", "echo" }, { "msf.any", "session 9 opened" }, { "msf.any", "open it" }, { "msf.any", "rm -rf x" } })
        assert.equal("echo\n", told[1].output)
        assert.is_nil(told[2].child) -- said, but the prompt is the session's own
        assert.equal("child", told[3].inferred_state)
        assert.equal("meterpreter", told[3].child.type)
        assert.equal("EDENIED", told[4].code)
        assert.matches("no manifest says what may be typed there", tostring(told[4]), nil, true)
    end)

    it("words that a model makes the program print open nothing", function()
        local program = shell "printf '> '; while IFS= read -r x; do printf '%b' \"$x\"; printf '\\n> '; done"
        local tool = with_child(manifest("p", program, "^> $", "pattern = 'session [0-9]+ opened'\nmanifest = \"c.clad.toml\"\n"), manifest("sh", "sh", "^inner[$] $"))
        local told = play(tool, { { "p.any", "session 1 opened\\ninner$ " }, { "p.child.any", "x" }, { "p.any", "y" } })
        assert.is_nil(told[1].child)
        assert.equal("EDENIED", told[2].code)
        assert.equal("y\n", told[3].output)
    end)

    it("are decided on like any command, and are never less restricted than what opened them", function()
        local function text(name, more, command) return '[tool]\nname = "' .. name .. '"\nversion = "1"\ndescription = "d"\n' .. (more or "") .. "[session]\nstartup_command = \"sh\"\nready_pattern = '^" .. name .. "> $'\n%s[session.commands.c]\ndescription = \"c\"\npattern = \"^.+$\"\n" .. (command or "") .. '[output]\nformat = "json"\n[output.schema]\ntype = "object"\n' end
        local CHILD = "[session.child_detection]\npattern = \"x\"\nmanifest = \"c.clad.toml\"\n"
        local function of(parent, child, which)
            local t = with_child(parent:format(CHILD), child:format "")
            for _, c in ipairs(t:commands()) do if c:info().name == which then return c, t end end
        end
        local c, parent = of(text("p", 'risk_tier = "high"\nhuman_approval = true\ntimeout_seconds = 9\n'), text("c", 'risk_tier = "low"\ntimeout_seconds = 100\n'), "p.child.c")
        local info = c:info()
        assert.equal("high", info.risk_tier)
        assert.is_true(info.human_approval)
        assert.equal(9000, info.timeout_ms)
        assert.equal("p", info.manifest)
        assert.equal("c.clad.toml", info.source_path)
        assert.equal("c.clad.toml", parent:info().child_manifest)
        c = of(text("p"), text("c", 'risk_tier = "critical"\n', "human_approval = true\n"), "p.child.c")
        assert.equal("critical", c:info().risk_tier)
        assert.is_true(c:info().human_approval)
        -- the parent's metacharacter rule
        c = of(text("p"):gsub("%%s", '%%s[session.interaction]\ninput_sanitize = ["injection"]\n'), text("c"), "p.child.c")
        assert.is_nil((c:validate { command = "a; b" }))
        assert.is_table((c:validate { command = "a b" }))
        c = of(text("p"), text("c"), "p.child.c")
        assert.is_table((c:validate { command = "a; b" }))
        -- the contract is part of what the order covers
        local before = assert(c:plan({ command = "a" }, { scan_id = "1-a" }))
        local other = of(text("p"), text("c", 'capability = "x"\n'), "p.child.c")
        assert.not_equal(c:info().sha256, other:info().sha256)
        assert.not_equal(before.digest, assert(other:plan({ command = "a" }, { scan_id = "1-a" })).digest)
        assert.is_true(before.detail.child)
        assert.equal("^c> $", before.detail.session.child.ready_pattern)
        -- policy sees a command of the parent's
        local set = assert(symbi.toolclad.toolset { parent })
        assert.same({ "p.c", "p.child.c" }, set:names())
        local told = play(with_child(manifest("p", inner(), "^inner[$] $", "pattern = \"x\"\nmanifest = \"c\"\n"), manifest("c", "sh", "^c> $")), { { "p.child.any", "x" } }, { policies = 'permit(principal, action, resource); forbid(principal, action == Action::"tool_call::p.child.any", resource);' })
        assert.equal(0, #told)
    end)

    it("are found beside the manifest or in the project, and followed there", function()
        assert(sio.mkdir(dir .. "/tools/children", { parents = true }))
        local function put(path, text) assert(sio.write_file(dir .. "/" .. path, text)) end
        local child = manifest("sh", "sh", "^inner[$] $")
        put("tools/db.clad.toml", manifest("db", "sqlite3", "^sqlite> $", "pattern = \"x\"\nmanifest = \"tools/children/sh.clad.toml\"\n"))
        local t, message = symbi.toolclad.load(dir .. "/tools/db.clad.toml")
        assert.is_nil(t)
        assert.matches("child_detection.manifest", message, nil, true)
        local folder = assert(symbi.toolclad.follow(dir .. "/tools"))
        assert.same({}, folder:set():names())
        put("tools/children/sh.clad.toml", child)
        assert.truthy(folder:refresh())
        assert.same({ "db.any", "db.child.any" }, folder:set():names())
        local was = folder:set():find("db.child.any"):info().sha256
        assert.is_false(folder:refresh())
        put("tools/children/sh.clad.toml", child .. "# another one\n")
        assert.same({ "db.child.any" }, assert(folder:refresh()).changed)
        assert.not_equal(was, folder:set():find("db.child.any"):info().sha256)
        folder:close()
        -- the system tells of a change of the other file, too
        folder = assert(symbi.toolclad.follow(dir .. "/tools", { watch = true }))
        put("tools/children/sh.clad.toml", child .. "# a third one\n")
        local report
        for _ = 1, 1000 do
            report = folder:poll(200)
            if report then break end
            sio.sleep(10)
        end
        assert.same({ "db.child.any" }, report and report.changed)
        folder:close()
        t = assert(symbi.toolclad.load(dir .. "/tools/db.clad.toml"))
        assert.equal(2, #t:commands())
        put("tools/db.clad.toml", manifest("db", "sqlite3", "^sqlite> $", "pattern = \"x\"\nmanifest = \"children/sh.clad.toml\"\n"))
        assert(symbi.toolclad.load(dir .. "/tools/db.clad.toml"))
        put("tools/children/sh.clad.toml", child:gsub("sh", "db", 1):gsub("%[session%.commands.-pattern = '^.+$'\n", ""))
        assert.is_nil((symbi.toolclad.load(dir .. "/tools/db.clad.toml"))) -- no commands
    end)

    it("are refused where the manifest says nonsense", function()
        for child, pattern in pairs { ["pattern = \"\"\n"] = "pattern: must not be empty", ["type = \"x\"\n"] = "pattern: is missing", ["pattern = \"(\"\n"] = "pattern", ["pattern = \"x*\"\n"] = "empty line",
            ["pattern = \"x\"\ntype = \"a b\"\n"] = "type: letters", ["pattern = \"x\"\nmanifest = \"/etc/x\"\n"] = "inside the project", ["pattern = \"x\"\nmanifest = \"a/../../x\"\n"] = "inside the project", ["pattern = \"x\"\nmanifest = \"\"\n"] = "inside the project" } do
            local t, message = symbi.toolclad.parse(manifest("p", "sh", "^> $", child), "t")
            assert.is_nil(t, child)
            assert.matches("session.child_detection", message, nil, true)
            assert.matches(pattern, message)
        end
        local sh = assert(symbi.toolclad.parse(manifest("sh", "sh", "^> $")))
        local function refused(text, child, pattern)
            local t, message = symbi.toolclad.parse(text, { child = child })
            assert.is_nil(t)
            assert.matches(pattern, message)
        end
        refused(manifest("p", "sh", "^> $"), sh, "child_detection: is missing")
        refused(manifest("p", "sh", "^> $", "pattern = \"x\"\n"), sh, "manifest: is missing")
        refused(manifest("p", "sh", "^> $", INNER), sh:commands()[1], "no manifest of a session")
        refused(manifest("p", "sh", "^> $", INNER), assert(symbi.toolclad.declare { tool = { name = "t" }, command = { exec = { "true" } }, output = {} }), "no manifest of a session")
        local two = with_child(manifest("p", "sh", "^> $", INNER), manifest("c", "sh", "^> $"))
        local t = assert(symbi.toolclad.parse(manifest("q", "sh", "^> $", INNER), { child = two }))
        assert.matches("one level is supported", table.concat(t:warnings(), "\n"), nil, true)
        assert.equal(2, #t:commands()) -- q.any, q.child.any; not the child's child
    end)
end)
