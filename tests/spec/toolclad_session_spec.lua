--- Sessions against real interactive programs: one program at a terminal per run, through the gate, with a recorded model.
local symbi = require "symbi"
local core = require "symbi.core"
local json = core.json
local sio = symbi.io

local session = require "tests.spec.helper.session"
local ALL, found, shell, manifest, play, children = session.ALL, session.found, session.shell, session.manifest, session.play, session.children
local dir

describe("sessions", function()
    before_each(function() dir = session.fresh() end)
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

    it("python3 and bc answer as well", function()
        local told
        if found "/usr/bin/python3" then
            told = play(manifest("py", "/usr/bin/python3 -i -q", "^>>> $"), { { "py.any", "x = [i*i for i in range(5)]" }, { "py.any", "print(sum(x), 'é')" }, { "py.any", "1/0" }, { "py.any", "exit()" } })
            assert.equal("", told[1].output)
            assert.equal("30 é\n", told[2].output)
            assert.truthy(told[3].output:find("ZeroDivisionError", 1, true))
            assert.equal("terminated", told[4].state)
            assert.equal(0, told[4].exit_code)
        end
        if found "bc" then -- bc has no prompt of its own
            told = play(manifest("calc", shell "printf '> '; while read -r x; do echo \"$x\" | bc -q; printf '> '; done", "^> $"), { { "calc.any", "2^64" }, { "calc.any", "1/0" } })
            assert.equal("18446744073709551616\n", told[1].output)
            assert.truthy(told[2].output:find("ivide by zero", 1, true))
        end
        assert.equal(0, children())
    end)

    it("a command is judged by itself, and the gate knows the state of the session", function()
        local told, _, events = play(manifest("sh", shell "echo hi; while read -e -r -p 'ready> ' x; do echo \"$x\"; done", "^(ready|loaded)> $", "", "")
            .. '[session.states]\nidle = "^ready> $"\n', {
            { "sh.any", "one" }, { "sh.select", "SELECT 1;" }, { "sh.any", "two" }, { "sh.any", "three" }, { "sh", "x" }, { "sh.any", "a\nb" }, { "sh.select", "DROP 1;" },
        }, { policies = 'permit(principal, action, resource in Tool::"sh") when { context.session_state == "spawning" || context.interaction_count < 2 };'
            .. 'forbid(principal, action == Action::"tool_call::sh.select", resource); permit(principal, action == Action::"respond", resource);' })
        assert.equal(2, #told) -- one, two; then interaction_count is 2
        assert.equal("one\n", told[1].output)
        assert.equal("two\n", told[2].output)
        assert.equal("idle", told[2].inferred_state)
        local reasons = {}
        for _, e in ipairs(events) do reasons[#reasons + 1] = json.encode(e) end
        reasons = table.concat(reasons, "\n")
        for _, want in ipairs { "forbidden by policy", "no policy permits", "no tool is called 'sh'", "control character", "does not match pattern" } do
            assert.truthy(reasons:find(want, 1, true), want)
        end
    end)

    it("is called by the form of its name that providers take", function()
        local text = manifest("sh", shell "printf '> '; while read x; do echo \"$x\"; printf '> '; done", "^> $")
        local told = play(text, { { "sh__any", "one" }, { "sh__none", "x" } })
        assert.equal(1, #told)
        assert.equal("one\n", told[1].output)
    end)

    it("a program that never has a prompt is given up", function()
        local t0 = sio.monotonic()
        local told = play(manifest("mute", shell "echo starting; sleep 60", "^> $", "startup_timeout_seconds = 1\n"), { { "mute.any", "x" }, { "mute.any", "y" } })
        assert.equal("timed_out", told[1].state)
        assert.equal("starting\n", told[1].output)
        assert.truthy(told[1].error:find("startup_timeout_seconds", 1, true))
        assert.equal("ESTATE", told[2].code)
        assert.is_true(sio.monotonic() - t0 < 5000)
        assert.equal(0, children())
    end)

    it("a program that dies in the middle, and one that is not there", function()
        local told = play(manifest("dies", shell "printf '> '; read x; echo half; kill -9 $$", "^> $"), { { "dies.any", "x" } })
        assert.equal("terminated", told[1].state)
        assert.equal("half\n", told[1].output)
        assert.equal(9, told[1].signal)
        told = play(manifest("none", "/nonexistent/program", "^> $"), { { "none.any", "x" } })
        assert.equal("failed", told[1].state)
        assert.truthy(told[1].error:find("No such file", 1, true))
    end)

    it("a flood is cut, and the prompt after it is still found", function()
        local told = play(manifest("flood", shell "printf '> '; while read x; do yes 0123456789 | head -c 3000000; printf '\\n> '; done", "^> $", "", "output_max_bytes = 1000\n"), { { "flood.any", "x" }, { "flood.any", "y" } })
        for i = 1, 2 do
            assert.equal("ready", told[i].state)
            assert.is_true(told[i].truncated)
            assert.equal(1000, #told[i].output)
            assert.is_true(told[i].output_bytes > 3000000)
        end
        told = play(manifest("endless", shell "printf '> '; read x; yes", "^> $", "", "output_max_bytes = 1000\n", 200), { { "endless.any", "x" } })
        assert.equal("timed_out", told[1].state)
        assert.is_true(told[1].truncated)
        assert.equal(0, children())
    end)

    it("what ignores SIGHUP is killed, with all its children", function()
        local pids = dir .. "/pids"
        local told = play(manifest("deaf", shell(string.format(
            "trap '' HUP TERM; (trap '' HUP TERM; exec setsid sleep 300) & echo $! > %s; echo $$ >> %s; printf '> '; while true; do read x && printf 'got\\n> '; done", pids, pids)), "^> $"), { { "deaf.any", "x" } })
        assert.equal("got\n", told[1].output)
        for pid in sio.read_file(pids, 100):gmatch("%d+") do assert.is_nil(sio.stat("/proc/" .. pid), pid) end
        assert.equal(0, children())
    end)

    it("a prompt in the middle of the output is not taken for the end", function()
        local told = play(manifest("fake", shell "printf '> '; while read x; do printf 'a\\n> not\\n> really\\n> '; done", "^> $"), { { "fake.any", "x" } })
        assert.equal("a\n> not\n> really\n", told[1].output)
    end)

    it("the program gets a plain terminal, a clean environment and nothing of ours", function()
        local told = play(manifest("env", shell [[
            PS1= ; printf '> '; while read x; do case "$x" in
              env) env | grep -v -e '^_=' -e '^PWD=' -e '^SHLVL=' -e '^OLDPWD=' | cut -d= -f1 | sort | tr '\n' ' '; echo; echo "$TERM";;
              fd) ls /proc/$$/fd;; # no pipe: its ends would stand there
              tty) tty | cut -c1-8; stty size; stty -a | grep -o -e '-echo ';;
              priv) grep NoNewPrivs /proc/self/status | tr -d '\t'; ulimit -c; ulimit -n;;
            esac; printf '> '; done]], "^> $"), { { "env.any", "env" }, { "env.any", "fd" }, { "env.any", "tty" }, { "env.any", "priv" } })
        local allowed = { HOME = true, LANG = true, PATH = true, TERM = true, TZ = true, TMPDIR = true }
        local names, term = told[1].output:match("^(.-)\n(.-)\n$")
        assert.equal("dumb", term)
        for name in names:gmatch("%S+") do assert.is_true(allowed[name] or name:match("^LC_") ~= nil, name) end
        for fd in told[2].output:gmatch("%d+") do assert.is_true(tonumber(fd) <= 2 or tonumber(fd) == 255, told[2].output) end -- 255: bash's own script
        assert.equal("/dev/pts\n24 200\n-echo \n", told[3].output)
        assert.equal("NoNewPrivs:1\n0\n1024\n", told[4].output)
    end)

    it("waits in the host's loop without holding up others, and one session belongs to one run", function()
        local host = require "symbi.io.host"
        local text = manifest("slow", shell "n=0; printf '> '; while read x; do n=$((n+1)); sleep 0.4; echo $n; printf '> '; done", "^> $")
        local ticks, ids = 0, {}
        local function task(k)
            return function()
                local turns = { { tool_calls = { { id = "a", name = "slow.any", arguments = { command = "x" } } } }, { tool_calls = { { id = "b", name = "slow.any", arguments = { command = "y" } } } }, { content = "done" } }
                assert(sio.write_file(dir .. "/replay" .. k, json.encode { turns = turns }))
                local runtime = assert(symbi.runtime { policies = dir .. "/policies", tools = { (assert(symbi.toolclad.parse(text, "t"))) }, state = dir .. "/state" .. k, replay = dir .. "/replay" .. k })
                local agent = assert(runtime:agent { id = "t" .. k })
                local outputs = {}
                assert(agent:run("go", { watch = function(kind, _, b)
                    if kind == "result" then outputs[#outputs + 1] = b.value.output ids[b.value.session_id] = true end
                end }))
                runtime:close()
                assert.same({ "1\n", "2\n" }, outputs) -- its own program counts
            end
        end
        assert(sio.mkdir(dir .. "/policies", { parents = true }))
        assert(sio.write_file(dir .. "/policies/all.cedar", ALL))
        local t0 = sio.monotonic()
        host.run { task(1), task(2), task(3), function() for _ = 1, 20 do host.sleep(20) ticks = ticks + 1 end end }
        assert.equal(20, ticks)
        assert.is_true(sio.monotonic() - t0 < 2200) -- three of 0.8 s side by side
        local n = 0
        for _ in pairs(ids) do n = n + 1 end
        assert.equal(3, n)
        assert.equal(0, children())
    end)

    it("an order is spent once, and a dry run has none", function()
        local tool = assert(symbi.toolclad.parse(manifest("db", "sqlite3", "^sqlite> $"), "t")):commands()[1]
        local plan = assert(tool:plan({ command = "SELECT 1;" }))
        assert.has_error(function() sio.session(plan) end)
        assert.equal(0, children())
    end)
end)
