--- Sessions against real interactive programs: one program at a terminal per run, through the gate, with a recorded model.
local symbi = require "symbi"
local core = require "symbi.core"
local json = core.json
local sio = symbi.io

local ALL = "permit(principal, action, resource);"
local dir, serial = nil, 0

local function fresh()
    serial = serial + 1
    dir = string.format("%s/symbi-session-%d-%d", os.getenv("TMPDIR") or "/tmp", math.floor(sio.monotonic() * 1000) % 1000000007, serial)
    assert(sio.mkdir(dir, { parents = true, mode = 448 }))
end

local function has(program) return os.execute("command -v " .. program .. " >/dev/null 2>&1") end
local function found(program)
    local a, _, c = has(program)
    return a == 0 or a == true or c == 0 and a ~= nil
end

local function shell(text)
    local path = dir .. "/program.sh"
    assert(sio.write_file(path, "#!/bin/bash\n" .. text, 448))
    return path
end

local function manifest(name, startup, ready, more, interaction)
    return string.format('[tool]\nname = "%s"\nversion = "1"\ndescription = "d"\n[tool.evidence]\noutput_dir = "%s/evidence/{scan_id}"\n'
        .. "[session]\nstartup_command = '%s'\nready_pattern = '%s'\n%s[session.interaction]\noutput_wait_ms = 1000\n%s"
        .. '[session.commands.any]\ndescription = "anything"\npattern = "^.+$"\n'
        .. '[session.commands.select]\ndescription = "a question"\npattern = "^SELECT [a-z0-9 +*,]+;$"\nrisk_tier = "low"\n'
        .. '[output]\nformat = "text"\n[output.schema]\ntype = "object"\n', name, dir, startup, ready, more or "", interaction or "")
end

-- Runs the calls in order: each is {tool, command}; returns what the tools gave (the journal's result events), and the end.
local function play(text, calls, options)
    options = options or {}
    local turns = {}
    for i, c in ipairs(calls) do
        turns[i] = { tool_calls = { { id = "c" .. i, name = c[1], arguments = c.arguments or { command = c[2] } } } }
    end
    turns[#turns + 1] = { content = "done" }
    local path = dir .. "/replay.json"
    assert(sio.write_file(path, json.encode { turns = turns }))
    assert(sio.mkdir(dir .. "/policies", { parents = true }))
    assert(sio.write_file(dir .. "/policies/all.cedar", options.policies or ALL))
    local runtime = assert(symbi.runtime { policies = dir .. "/policies", tools = { (assert(symbi.toolclad.parse(text, "t.clad.toml"))) },
        state = dir .. "/state", replay = path })
    local agent = assert(runtime:agent { id = "tester" })
    local told, events = {}, {}
    local result, message = agent:run("go", { watch = function(kind, a, b)
        if kind == "result" then told[#told + 1] = b.value or b.error or b
        elseif kind == "event" then events[#events + 1] = a end
    end })
    runtime:close()
    assert(result, message)
    return told, result, events
end

local function children()
    local n = 0
    for _, e in ipairs(sio.list_dir("/proc") or {}) do
        if e.name:match("^%d+$") then
            local stat = io.open("/proc/" .. e.name .. "/stat", "rb")
            if stat then
                local line = stat:read("*a") or ""
                stat:close()
                if line:find("symbi%-pipe") then n = n + 1 end
            end
        end
    end
    return n
end

describe("sessions", function()
    before_each(fresh)
    after_each(function() sio.remove_tree(dir) end)

    it("sqlite3 answers, and keeps its tables from call to call", function()
        if not found "sqlite3" then return pending "sqlite3 is not installed" end
        local told, result = play(manifest("db", "sqlite3", "^sqlite> $"), {
            { "db.any", "CREATE TABLE t (a, b);" },
            { "db.any", "INSERT INTO t VALUES (1, 'one'), (2, 'two');" },
            { "db.any", "SELECT a, b FROM t ORDER BY a;" },
            { "db.select", "SELECT 6*7;" },
            { "db.any", ".quit" },
            { "db.any", "SELECT 1;" },
        })
        assert.is_true(result.completed)
        assert.equal("ready", told[1].state)
        assert.equal("", told[1].output)
        assert.equal("1|one\n2|two\n", told[3].output)
        assert.equal("sqlite> ", told[3].prompt)
        assert.equal("42\n", told[4].output)
        assert.equal(4, told[4].interaction_count)
        assert.equal(told[1].session_id, told[4].session_id)
        assert.equal("terminated", told[5].state)
        assert.equal(0, told[5].exit_code)
        assert.equal("ESTATE", told[6].code)
        -- the transcript: mode, lines, and the chain that the last envelope names
        local bytes, info = sio.read_file_info(told[1].transcript_file, { max = 1e6 })
        assert.equal(384, info.mode)
        local h, n, commands = string.rep("\0", 32), 0, {}
        for line in bytes:gmatch("[^\n]*\n") do
            n = n + 1
            local hex = core.crypto.sha256(h .. line)
            h = hex:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end)
            if n == told[5].transcript_entries then assert.equal(told[5].transcript_sha256, hex) end
            local e = json.decode(line)
            if e.direction == "Command" then commands[#commands + 1] = e.content end
        end
        assert.same({ "CREATE TABLE t (a, b);", "INSERT INTO t VALUES (1, 'one'), (2, 'two');", "SELECT a, b FROM t ORDER BY a;", "SELECT 6*7;", ".quit" }, commands)
        assert.equal(0, children())
    end)
end)
