-- MCP tools: a real client against stand-in servers (tests/tools/mcp-server.py) that behave, and many that do not; approvals; runs through
-- the gate.
local symbi = require "symbi"
local core = require "symbi.core"
local symio = symbi.io
local backend = require "symbi.io.backend.mcp"

local HERE = symio.cwd()
local SERVER = HERE .. "/tests/tools/mcp-server.py"

local dir

local function path(name) return dir .. "/" .. name end
local function read(name) return symio.read_file(path(name)) end
local function count_lines(name)
    local n = 0
    for _ in (read(name) or ""):gmatch("\n") do n = n + 1 end
    return n
end

local TOOL = [[
[tool]
name = "%s"
version = "1.0.0"
description = "d"
timeout_seconds = %d
%s
[args.text]
position = 0
type = "string"
required = true
[args.count]
position = 1
type = "integer"
[mcp]
server = "s"
tool = "%s"
[output]
format = "json"
[output.schema]
type = "object"
]]

local function config(behaviour, more)
    assert(symio.write_file(path "mcp-config.toml", ('[servers.s]\ncommand = "/usr/bin/python3"\nargs = [%q, "--state", %q, %q]\n%s\n'):format(SERVER, path "state", behaviour, more or "")))
end

local function options(more)
    local o = { config = path "mcp-config.toml", record = path "record/approvals.json", secrets = function(name) return name == "TOKEN" and "s3cr3t" or nil end }
    for k, v in pairs(more or {}) do o[k] = v end
    return o
end

local function new_set(kind, more)
    local o = options(more)
    return symio.auto { kind = kind or "blocking", mcp = o, secrets = o.secrets }
end

local function gate_of(seconds, name, upstream)
    local tool = assert(symbi.toolclad.parse(TOOL:format(name or "say", seconds or 5, "", upstream or "echo"), "say.clad.toml"))
    local set = assert(core.toolclad.toolset { tool })
    local policies = assert(symbi.cedar.policies "permit(principal, action, resource);")
    return assert(symbi.gate.open { policies = policies, tools = set }), tool, { tool, set, policies }
end

-- What a server noted down, one JSON text a line.
local function noted(name)
    local out = {}
    for line in (read(name) or ""):gmatch("[^\n]+") do out[#out + 1] = symbi.json.decode(line) end
    return out
end

-- What came in with the first call. Each call of a gate carries a trace.
local function first_call()
    local p = noted("state")[1]
    assert.truthy(p._meta.traceparent:find "^00%-%x+%-%x+%-01$")
    p._meta = nil
    return p
end

-- Waits until it noted that much; a test that waits in vain fails by what it looks at next.
local function await_lines(name, n)
    for _ = 1, 1000 do
        if count_lines(name) >= n then return end
        symio.sleep(10)
    end
end

local function plan_of(gate, arguments, name)
    local verdict = gate:check { kind = "tool_call", agent = "reader", name = name or "say", arguments = arguments or { text = "hello" } }
    assert.is_true(verdict.allowed, verdict.reason)
    assert(gate:commit(verdict))
    return assert(gate:redeem(verdict, verdict.permit, { env = { "PATH=/usr/bin:/bin" } }))
end

local function close(list)
    for i = #list, 1, -1 do list[i]:close() end
end

-- One call: the envelope, and what the executor gave.
local function once(o)
    o = o or {}
    local gate, tool, rest = gate_of(o.seconds, nil, o.upstream)
    local set = new_set(o.kind, o.options)
    local plan = plan_of(gate, o.arguments)
    local raw = assert(backend.perform(set, plan))
    local envelope = assert(tool:envelope(plan, raw))
    set:finish()
    gate:close()
    close(rest)
    return envelope, raw
end

local function approve(tool, more) return assert(symbi.mcp.approve("s", tool or "echo", options(more))) end

-- The approval of the well-behaved stand-in's echo (or another tool), as the operator's act gives it; made once.
local records = {}
local function approved(tool)
    tool = tool or "echo"
    if not records[tool] then
        config "good"
        approve(tool)
        records[tool] = assert(read "record/approvals.json")
        os.remove(path "state.notes")
        os.remove(path "state.lists")
        return
    end
    assert(symio.mkdir(path "record", { parents = true, mode = 448 }))
    assert(symio.write_file(path "record/approvals.json", records[tool], 384))
end

local function children()
    local out, p = {}, io.popen("LD_PRELOAD= ps -eo pid=,args= | grep -v grep | grep -F " .. SERVER .. " | grep -F '" .. dir .. "'")
    for line in p:lines() do out[#out + 1] = line end
    p:close()
    return out
end

describe("MCP tools", function()
    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        assert(symio.mkdir(dir, { parents = true }))
    end)
    after_each(function()
        assert.same({}, children())
        assert(symio.remove_tree(dir))
        symio.close()
        symbi.secrets.forget()
    end)

    describe("over a process", function()
        it("are called once they are approved", function()
            config "good"
            local e = once()
            assert.equal("denied", e.status)
            assert.equal(-1, e.exit_code)
            assert.truthy(e.error:find("symbi-lua mcp approve s echo", 1, true))
            assert.equal(0, count_lines "state")
            approve()
            e = once { arguments = { text = "hello", count = 3 } }
            assert.equal("success", e.status)
            assert.equal(0, e.exit_code)
            assert.equal("", e.stderr)
            assert.equal("mcp://s/echo", e.command)
            assert.equal("s", e.mcp_server)
            assert.equal("echo", e.mcp_tool)
            assert.same({ text = "hello", count = 3 }, e.mcp_args)
            assert.equal("2025-11-25", e.mcp_version)
            assert.same({ content = { { type = "text", text = "hello" } } }, e.results)
            assert.truthy(e.output_hash:find("^sha256:%x+$"))
            assert.equal(1, count_lines "state")
            assert.same({ name = "echo", arguments = { text = "hello", count = 3 } }, first_call())
        end)

        it("leave absent arguments out, and give structured results as they are", function()
            config "good"
            approve "sum"
            local e = once { upstream = "sum", arguments = { text = "x" } }
            assert.same({ name = "sum", arguments = { text = "x" } }, first_call())
            assert.same({ sum = 0 }, e.results)
        end)

        it("speak older revisions, and the one without a handshake", function()
            for behaviour, version in pairs { old = "2024-11-05", modern = "2026-07-28" } do
                config(behaviour)
                approve()
                local e = once()
                assert.equal("success", e.status, e.error)
                assert.equal(version, e.mcp_version)
            end
        end)

        it("keep one process for a run, and end it with the run", function()
            config "good"
            approve()
            local gate, _, rest = gate_of()
            local set = new_set()
            for i = 1, 3 do
                local raw = assert(backend.perform(set, plan_of(gate, { text = tostring(i) })))
                assert.equal(tostring(i), raw.result.content[1].text)
                assert.equal(1, #children())
            end
            set:finish()
            assert.same({}, children())
            gate:close()
            close(rest)
        end)

        it("go page by page, and answer what the server asks", function()
            config "pages"
            approve "sum"
            assert.equal("success", once { upstream = "sum", arguments = { text = "x" } }.status)
            config "asks"
            approve()
            assert.equal("success", once().status)
            local answers = {}
            for line in read("state.answers"):gmatch("[^\n]+") do answers[#answers + 1] = symbi.json.decode(line) end
            assert.same({ jsonrpc = "2.0", id = "q1", result = {} }, answers[1])
            assert.equal(-32601, answers[2].error.code)
            assert.equal(77, answers[2].id)
            assert.equal(-32601, answers[3].error.code)
        end)

        it("get a clean environment, with the secrets that the registry names", function()
            config("environment", 'env = { API_TOKEN = "Bearer {_secret:TOKEN}", MODE = "test" }')
            approve()
            local _, raw = once()
            local env = symbi.json.decode((raw.result.content[1].text:gsub("%[REDACTED%]", "s3cr3t")))
            assert.equal("Bearer s3cr3t", env.API_TOKEN)
            assert.equal("test", env.MODE)
            assert.truthy(env.PATH)
            for name in pairs(env) do
                assert.truthy(({ API_TOKEN = 1, MODE = 1, PATH = 1, HOME = 1, LANG = 1, TZ = 1, TMPDIR = 1, LC_CTYPE = 1, LC_ALL = 1, TRACEPARENT = 1 })[name] or name:find "^LC_", name)
            end
            assert.is_nil(raw.result.content[1].text:find("s3cr3t", 1, true))
            config("environment", 'env = { API_TOKEN = "{_secret:NOBODY_HAS_IT}" }')
            local gate, _, rest = gate_of()
            local set = new_set()
            raw = assert(backend.perform(set, plan_of(gate)))
            assert.truthy(raw.error:find("NOBODY_HAS_IT", 1, true))
            set:finish()
            gate:close()
            close(rest)
        end)

        it("do nothing without an order, and nothing twice with one", function()
            config "good"
            approve()
            local gate, tool, rest = gate_of()
            local set = new_set()
            local dry = assert(tool:plan { text = "x" })
            local fine, why = pcall(backend.perform, set, dry)
            assert.is_false(fine)
            assert.truthy(tostring(why):find("the plan carries no order", 1, true))
            assert.equal(0, count_lines "state")
            set:finish()
            set = new_set()
            local plan = plan_of(gate)
            assert(backend.perform(set, plan))
            set:finish()
            set = new_set()
            assert.has_error(function() backend.perform(set, plan) end)
            set:finish()
            local client = assert(core.mcp.client(assert(core.mcp.registry(read "mcp-config.toml")), "s"))
            local nothing, _, err = symio.mcp_pipe(client)
            assert.is_nil(nothing)
            assert.equal("ESTATE", err.code)
            client:close()
            assert.equal(1, count_lines "state")
            gate:close()
            close(rest)
        end)

        -- behaviour -> what the error says; how often the call may have arrived
        local BAD = {
            { "exits", "ended in the middle of .*exit code 4.*no such database", 0 },
            { "noise", "no JSON message", 0 },
            { "init-error", "licence expired", 0 },
            { "unknown%-version", "revision '1999%-01%-01'", 0 },
            { "no%-tools", "offers no tools", 0 },
            { "no%-schema", "no inputSchema", 0 },
            { "list%-error", "no list today", 0 },
            { "listed%-twice", "twice", 0 },
            { "endless%-pages", "more than 100 pages", 0 },
            { "same%-cursor", "leads nowhere", 0 },
            { "nameless", "without a name", 0 },
            { "no%-list", "without a list", 0 },
            { "closes%-output", "timed out after 1 s", 0 },
            { "wrong%-id", "never sent", 1 },
            { "ahead", "never sent", 1 },
            { "batch%-empty", "batch", 1 },
            { "bad%-image", "item 1 of its content has no data in base64", 1 },
            { "content%-words", "item 1 of its content has no type", 1 },
            { "progress", "timed out after 1 s", 1 },
            { "old%-id", "twice", 1 },
            { "string%-id", "never sent", 1 },
            { "no%-id", "without an id", 1 },
            { "both", "exactly one of", 1 },
            { "batch", "batch", 1 },
            { "no%-version", "jsonrpc", 1 },
            { "no%-content", "neither content", 1 },
            { "dies", "exit code 3.*out of cheese", 1 },
            { "killed", "signal 9", 1 },
            { "garbage", "no JSON message.*Traceback", 1 },
            { "invalid%-utf8", "UTF%-8", 1 },
            { "deep", "no JSON message.*nest", 1 },
            { "duplicate%-key", "no JSON message", 1 },
            { "huge", "more than %d+ bytes", 1 },
            { "flood", "more than 10000 messages", 1 },
            { "rpc%-error", "bad arguments", 1 },
            { "never", "timed out after 1 s", 1 },
            { "init%-never", "timed out after 1 s", 0 },
            { "deaf", "timed out after 1 s", 0 },
        }
        for _, case in ipairs(BAD) do
            local behaviour = case[1]:gsub("%%", "")
            it("survive a server that is like this: " .. behaviour, function()
                approved()
                config(behaviour)
                local t = symio.monotonic()
                local e = once { seconds = case[2]:find "timed" and 1 or 20 }
                assert.equal(case[2]:find "timed" and "timeout" or "error", e.status)
                assert.truthy(e.error:find(case[2]), e.error)
                assert.equal(-1, e.exit_code)
                assert.same({}, e.results)
                assert.equal(case[3], count_lines "state")
                assert.is_true(symio.monotonic() - t < 15)
            end)
        end

        it("tell a server that nobody waits any more, and need no answer to that", function()
            approved()
            config "never"
            local notes
            for _ = 1, 5 do -- it has half a second to read it, and the machine may be busy
                assert.equal("timeout", once({ seconds = 1 }).status)
                notes = noted "state.notes"
                if notes[#notes].method == "notifications/cancelled" then break end
            end
            assert.equal("notifications/cancelled", notes[#notes].method)
            assert.equal(3, notes[#notes].params.requestId)
            assert.truthy(notes[#notes].params.reason:find("timed out", 1, true))
            config "init-never" -- what must not be cancelled is not
            local before = count_lines "state.notes"
            assert.equal("timeout", once({ seconds = 1 }).status)
            assert.equal(before, count_lines "state.notes")
            config "good" -- nothing is open
            assert.equal("success", once().status)
            assert.equal("notifications/initialized", noted("state.notes")[before + 1].method)
            assert.equal(before + 1, count_lines "state.notes")
        end)

        it("take batches in the one revision that has them", function()
            approved()
            config "batch-2025"
            local e = once()
            assert.equal("success", e.status, e.error)
            assert.equal("2025-03-26", e.mcp_version)
        end)

        it("give pictures, links and files as they came, and models what they are", function()
            approved()
            config "kinds"
            local e = once()
            assert.equal("success", e.status, e.error)
            assert.equal(7, #e.results.content)
            assert.same({ type = "image", data = "aGVsbG8=", mimeType = "image/png" }, e.results.content[2])
            assert.same({ type = "hologram", beams = 7 }, e.results.content[7])
        end)

        it("tell an error of the tool from one of the server", function()
            approved()
            config "is-error"
            local e = once()
            assert.equal("error", e.status)
            assert.equal(1, e.exit_code)
            assert.equal("tool 'echo' reported error: disk is full", e.error)
            assert.same({ content = { { type = "text", text = "disk is full" } } }, e.results)
        end)

        it("believe structured results only when they keep the promised form", function()
            approved "sum"
            for behaviour, what in pairs { ["lies-schema"] = "outputSchema", ["no-structure"] = "promises structured output" } do
                config(behaviour)
                local e = once { upstream = "sum", arguments = { text = "x" } }
                assert.equal("error", e.status)
                assert.truthy(e.error:find(what, 1, true), e.error)
            end
        end)

        it("take the first of two answers, and end such a conversation", function()
            approved()
            config "twice"
            local gate, _, rest = gate_of()
            local set = new_set()
            for i = 1, 3 do
                local raw = assert(backend.perform(set, plan_of(gate, { text = tostring(i) })))
                if raw.result then assert.equal(tostring(i), raw.result.content[1].text) else assert.truthy(raw.error:find("twice", 1, true), raw.error) end
            end
            assert.is_true(count_lines "state" <= 3)
            set:finish()
            gate:close()
            close(rest)
        end)

        it("end servers that do not want to end, and what they left behind", function()
            approved()
            for _, behaviour in ipairs { "stubborn", "orphan", "chatty" } do
                config(behaviour)
                assert.equal("success", once().status)
                assert.same({}, children())
            end
        end)

        it("cannot be started when the program is not there", function()
            assert(symio.write_file(path "mcp-config.toml", '[servers.s]\ncommand = "/nowhere/at-all"\n'))
            local e = once()
            assert.equal("error", e.status)
            assert.truthy(e.error:find("cannot start '/nowhere/at-all': No such file", 1, true), e.error)
            assert(symio.write_file(path "mcp-config.toml", '[servers.other]\ncommand = "x"\n'))
            e = once()
            assert.equal("MCP server 's' not in registry (mcp-config.toml)", e.error)
        end)

        it("work in the host's loop, side by side", function()
            approved()
            config "slow"
            local gate, _, rest = gate_of()
            local t = symio.monotonic()
            local function one(text)
                return function()
                    local set = new_set "host"
                    local raw = assert(backend.perform(set, plan_of(gate, { text = text })))
                    set:finish()
                    return raw.result and raw.result.content[1].text or raw.error
                end
            end
            local r = assert(symio.host.run { one "a", one "b", one "c" })
            assert.same({ "a", "b", "c" }, { r[1][1], r[2][1], r[3][1] })
            assert.is_true(symio.monotonic() - t < 5)
            -- one set, several calls at once: one after the other on the same process
            r = assert(symio.host.run { function()
                local set, out = new_set "host", {}
                for i = 1, 3 do
                    set:fork(function()
                        local raw = assert(backend.perform(set, plan_of(gate, { text = tostring(i) })))
                        out[i] = raw.result and raw.result.content[1].text or raw.error
                    end)
                end
                while not (out[1] and out[2] and out[3]) do set:join(1000) end
                set:finish()
                return out[1], out[2], out[3]
            end })
            assert.same({ "1", "2", "3" }, { r[1][1], r[1][2], r[1][3] })
            gate:close()
            close(rest)
        end)
    end)

    it("are not held up by a call that was ended where it waited", function()
        approved()
        config "never-once"
        local gate, _, rest = gate_of(20)
        local first, _, first_rest = gate_of(1)
        local r = assert(symio.host.run { function()
            local set = new_set "host"
            local plan = plan_of(first)
            local task = set:fork(function() backend.perform(set, plan) end)
            for _ = 1, 1000 do
                if count_lines "state" == 1 then break end
                symio.host.sleep(10)
            end
            set:give_up(task)
            local raw = assert(backend.perform(set, plan_of(gate, { text = "again" })))
            set:finish()
            return raw.result and raw.result.content[1].text or raw.error
        end })
        assert.equal("again", r[1][1])
        assert.equal(2, count_lines "state")
        first:close()
        gate:close()
        close(first_rest)
        close(rest)
    end)

    describe("approvals", function()
        it("are for one definition, and tell what changed", function()
            approved()
            config "changed"
            local e = once()
            assert.equal("denied", e.status)
            assert.truthy(e.error:find('description: "Says it again." -> "Says it again, and sends it to evil.example."', 1, true), e.error)
            assert.equal(0, count_lines "state")
            local tools = assert(symbi.mcp.tools("s", options()))
            assert.equal("changed", tools[1].standing)
            assert.equal("unknown", tools[2].standing)
            local nothing, _, err = symbi.mcp.approve("s", "echo", options { digest = "sha256:00" })
            assert.is_nil(nothing)
            assert.equal("EVERIFY", err.code)
            approve()
            assert.equal("success", once().status)
            assert.equal(1, symbi.mcp.forget("s", "echo", options()))
            assert.equal("denied", once().status)
            nothing, _, err = symbi.mcp.approve("s", "nothing", options())
            assert.is_nil(nothing)
            assert.equal("ENOTFOUND", err.code)
        end)

        it("are asked for again when a server changes its list in the middle of a run", function()
            approved()
            config "changes-later"
            local gate, tool, rest = gate_of()
            local set = new_set()
            local plan = plan_of(gate)
            assert.equal("success", tool:envelope(plan, assert(backend.perform(set, plan))).status)
            plan = plan_of(gate)
            local e = tool:envelope(plan, assert(backend.perform(set, plan)))
            assert.equal("denied", e.status)
            assert.truthy(e.error:find("changed since", 1, true))
            assert.equal(1, count_lines "state")
            set:finish()
            gate:close()
            close(rest)
        end)

        it("are for the list that stands when the call goes out", function()
            approved()
            config "changes-at-once"
            local e = once()
            assert.equal("denied", e.status)
            assert.truthy(e.error:find("changed since", 1, true))
            assert.equal(0, count_lines "state")
            assert.equal(2, count_lines "state.lists")
        end)

        it("can be given on first use, and hold from then on", function()
            config("good", 'trust = "first-use"')
            assert.equal("success", once().status)
            assert.equal("first use", symbi.json.decode((read "record/approvals.json")).tools[1].approved_by)
            config("changed", 'trust = "first-use"')
            assert.equal("denied", once().status)
        end)

        it("do not come from a file that anybody can write, is damaged, or was edited", function()
            config "good"
            approve()
            local record = read "record/approvals.json"
            local function refused(text, mode, what)
                assert(symio.write_file(path "record/approvals.json", text, mode))
                os.execute(("LD_PRELOAD= chmod %o %s"):format(mode, path "record/approvals.json"))
                local e = once()
                assert.not_equal("success", e.status)
                assert.truthy(e.error:find(what, 1, true), e.error)
                assert.equal(0, count_lines "state")
            end
            refused(record, 438, "can be written by others")
            refused("", 384, "lost their content")
            refused("{", 384, "")
            refused('{"version":2,"tools":[]}', 384, "newer version")
            refused((record:gsub("Says it again", "Says nothing")), 384, "was altered")
            assert(symio.write_file(path "record/approvals.json", record, 384))
            assert.equal("success", once().status)
        end)

        it("are not needed where the server's key signs the schema", function()
            local pair = assert(symbi.schemapin.generate_keypair())
            local other = assert(symbi.schemapin.generate_keypair())
            local schema = { type = "object", properties = { text = { type = "string" } } }
            schema.signature = assert(symbi.schemapin.sign_schema(pair.private_key_pem, symbi.json.encode(schema)))
            local registry = assert(core.mcp.registry('[servers.s]\ncommand = "x"\npublic_key_url = "https://keys.example/k.pem"\n'))
            local gate, _, rest = gate_of()
            local function ask(definition, record, key)
                local c = assert(core.mcp.client(registry, "s"))
                assert(c:call(plan_of(gate)))
                c:take()
                c:feed('{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}}\n')
                c:take()
                c:take()
                c:feed('{"jsonrpc":"2.0","id":2,"result":{"tools":[' .. symbi.json.encode(definition) .. "]}}\n")
                assert.equal("judge", c:next())
                assert.is_true(c:wants_key())
                local changed, message = c:judge(record, key, 0)
                local next = c:next()
                c:close()
                return changed, message, next
            end
            local definition = { name = "echo", description = "d", inputSchema = schema }
            local record, _, next = ask(definition, "", pair.public_key_pem)
            assert.equal("send", next)
            assert.equal(pair.fingerprint, symbi.json.decode(record).keys[1].fingerprint)
            assert.is_false((ask(definition, record, pair.public_key_pem)))
            local nothing, message
            nothing, message, next = ask(definition, record, other.public_key_pem)
            assert.is_nil(nothing)
            assert.equal("failed", next)
            assert.truthy(message:find("its key changed", 1, true))
            _, message = ask(definition, record, "")
            assert.truthy(message:find("is not to be had", 1, true))
            _, message = ask(definition, record, "-----BEGIN")
            assert.truthy(message:find("no public key", 1, true))
            schema.properties.text.type = "integer"
            _, message = ask(definition, record, pair.public_key_pem)
            assert.truthy(message:find("signature is not good", 1, true))
            registry:close()
            gate:close()
            close(rest)
        end)
    end)

    describe("over HTTP", function()
        local function serve(behaviour, more)
            local out, pidfile = path "port", path "pid"
            os.remove(out)
            os.execute(("LD_PRELOAD= python3 %s --http --state %s %s >%s 2>/dev/null </dev/null & echo $! >%s"):format(SERVER, path "state", behaviour, out, pidfile))
            local port
            for _ = 1, 500 do
                port = (symio.read_file(out) or ""):match("^(%d+)\n")
                if port then break end
                symio.sleep(20)
            end
            local url = "http://127.0.0.1:" .. assert(port, "the stand-in did not start") .. "/mcp"
            assert(symio.write_file(path "mcp-config.toml", ('[servers.s]\nurl = %q\n%s\n'):format(url, more or "")))
            return function()
                local pid = read("pid"):match("%d+")
                os.execute("LD_PRELOAD= kill " .. pid)
                for _ = 1, 300 do
                    if #children() == 0 then return end
                    symio.sleep(10)
                end
            end
        end

        local function both(f)
            f(function(o) return once(o) end)
            f(function(o)
                local r = assert(symio.host.run { function()
                    o = o or {}
                    o.kind = "host"
                    return once(o)
                end })
                return r[1][1]
            end)
        end

        for _, behaviour in ipairs { "good", "sse", "session", "modern", "asks" } do
            it("work: " .. behaviour, function()
                local stop = serve(behaviour)
                approve()
                both(function(call)
                    local e = call { arguments = { text = "h\195\169llo" } }
                    assert.equal("success", e.status, e.error)
                    assert.same({ { type = "text", text = "h\195\169llo" } }, e.results.content)
                    assert.equal(behaviour == "modern" and "2026-07-28" or "2025-11-25", e.mcp_version)
                end)
                assert.equal(2, count_lines "state")
                if behaviour == "session" or behaviour == "sse" then assert.is_true(count_lines "state.deleted" >= 1) end
                if behaviour == "asks" then assert.equal(6, count_lines "state.answers") end -- before the call is over
                stop()
            end)
        end

        for behaviour, gets in pairs { resume = 1, ["resume-polls"] = 4, ["resume-cut"] = 1, ["resume-503"] = 3 } do
            it("go on with a stream that broke off, and call nothing twice: " .. behaviour, function()
                approved()
                local stop
                for _, kind in ipairs { "blocking", "host" } do
                    stop = serve(behaviour)
                    local e
                    if kind == "host" then
                        e = assert(symio.host.run { function() return once { kind = "host", seconds = 20 } end })[1][1]
                    else
                        e = once { seconds = 20 }
                    end
                    assert.equal("success", e.status, e.error)
                    assert.same({ { type = "text", text = "hello" } }, e.results.content)
                    stop()
                end
                assert.equal(2, count_lines "state")
                assert.equal(2 * gets, count_lines "state.gets")
                local get = noted("state.gets")[1]
                assert.equal("call-1", get[1])
                assert.equal("text/event-stream", get[2])
                assert.truthy(get[3]:find "^s%-%d+$")
                assert.equal("2025-11-25", get[4])
                -- PUC 5.1 cannot wait where a set ends, inside a task
                assert.is_true(count_lines "state.deleted" == 2 or _VERSION == "Lua 5.1" and not rawget(_G, "jit") and count_lines "state.deleted" == 1)
            end)
        end

        for behaviour, what in pairs { ["resume-404"] = "does not go on with it %(HTTP status 404%)", ["resume-405"] = "HTTP status 405", ["resume-json"] = "the rest of a stream", ["resume-never"] = "without having answered",
            ["resume-late"] = "timed out" } do
            it("end where a stream that broke off cannot be had: " .. behaviour, function()
                approved()
                local stop = serve(behaviour)
                local t = symio.monotonic()
                local e = once { seconds = 60 }
                assert.equal(behaviour == "resume-late" and "timeout" or "error", e.status)
                assert.truthy(e.error:find(what), e.error)
                assert.is_true(symio.monotonic() - t < 55) -- a pause that leaves no time is not waited for
                assert.equal(1, count_lines "state")
                assert.equal(behaviour == "resume-never" and 100 or behaviour == "resume-late" and 0 or 1, count_lines "state.gets")
                stop()
            end)
        end

        it("say goodbye: the call is given up, the session over", function()
            approved()
            local stop = serve "never"
            both(function(call)
                local notes, deleted = count_lines "state.notes", count_lines "state.deleted"
                assert.equal("timeout", call({ seconds = 1 }).status)
                await_lines("state.notes", notes + 2)
                await_lines("state.deleted", deleted + 1)
                notes = noted "state.notes"
                assert.equal("notifications/cancelled", notes[#notes].method)
                assert.equal(3, notes[#notes].params.requestId)
                assert.equal(deleted + 1, count_lines "state.deleted")
            end)
            stop()
            stop = serve "modern-never" -- there the end of the connection says it
            local before = count_lines "state.notes"
            assert.equal("timeout", once({ seconds = 1 }).status)
            assert.equal(before, count_lines "state.notes")
            stop()
        end)

        it("put arguments in headers where the definition says so", function()
            for _, behaviour in ipairs { "mirror", "mismatch" } do
                local stop = serve(behaviour)
                approve()
                for _, text in ipairs { "plain", " h\195\169llo\tthere ", "=?base64?x?=" } do
                    local e = once { arguments = { text = text, count = -3 } }
                    assert.equal("success", e.status, e.error)
                end
                assert.equal("success", once({ arguments = { text = "no count" } }).status)
                local headers = noted "state.headers"
                local last = headers[#headers][2]
                assert.equal("no count", last["Mcp-Param-Text"])
                assert.is_nil(last["Mcp-Param-Count"])
                stop()
                os.remove(path "state.headers")
            end
            assert.equal(8, count_lines "state") -- what was refused for its headers was not done
        end)

        it("leave out what a server may not put in headers", function()
            local stop = serve "bad-mirror"
            local tools, left_out = assert(symbi.mcp.tools("s", options()))
            assert.equal(1, #tools)
            assert.equal("echo", tools[1].name)
            assert.equal("sum", left_out[1].name)
            assert.truthy(left_out[1].reason:find("neither string nor integer nor boolean", 1, true))
            local e = once { upstream = "sum", arguments = { text = "x" } }
            assert.equal("error", e.status)
            assert.truthy(e.error:find("cannot be used over HTTP", 1, true), e.error)
            assert.equal(0, count_lines "state")
            stop()
        end)

        it("look again where a server will not tell that its list changed", function()
            for behaviour, lists in pairs { modern = 3, fresh = 1, good = 1 } do
                local stop = serve(behaviour)
                approve()
                os.remove(path "state.lists")
                local gate, _, rest = gate_of()
                local set = new_set()
                for i = 1, 3 do assert.equal(tostring(i), assert(backend.perform(set, plan_of(gate, { text = tostring(i) }))).result.content[1].text) end
                assert.equal(lists, count_lines "state.lists")
                set:finish()
                gate:close()
                close(rest)
                stop()
            end
        end)

        it("begin in the other way where a proxy refuses the first", function()
            local stop = serve "proxy-400"
            approve()
            assert.equal("success", once().status)
            stop()
        end)

        it("begin a new session once when theirs is gone", function()
            local stop = serve "session-lost"
            approve()
            assert.equal("success", once().status)
            assert.equal(1, count_lines "state")
            stop()
        end)

        it("say who they are", function()
            local stop = serve("unauthorised", 'headers = { Authorization = "Bearer {_secret:TOKEN}" }')
            approve()
            assert.equal("success", once().status)
            stop()
            stop = serve "unauthorised"
            local e = once()
            assert.truthy(e.error:find("HTTP status 401", 1, true), e.error)
            stop()
        end)

        it("need not wait for the end of a stream", function()
            local stop = serve "sse-open"
            approve()
            both(function(call)
                local t = symio.monotonic()
                assert.equal("success", call().status)
                assert.is_true(symio.monotonic() - t < 4)
            end)
            stop()
        end)

        for behaviour, what in pairs { redirects = "302", html = "without having answered", empty = "without having answered", ["sse-ends"] = "without having answered", never = "timed out", ["wrong-id"] = "never sent",
            huge = "than allowed", garbage = "without having answered", ["invalid-utf8"] = "UTF%-8", flood = "more than 10000", ["input-required"] = "asks for input", ["strange-type"] = "what resultType 'surprise' means", ["asks-modern"] = "servers ask nothing", ["sse-huge"] = "larger than",
            ["sse-batch"] = "batch", batch = "batch", both = "exactly one of", ["duplicate-key"] = "no JSON message", ["string-id"] = "never sent", ahead = "never sent", ["old-id"] = "twice", ["no-id"] = "without an id", deep = "nest",
            ["rpc-error"] = "bad arguments", ["bad-image"] = "base64", progress = "timed out" } do
            it("survive a server that is like this: " .. behaviour, function()
                approved()
                local stop = serve(behaviour)
                both(function(call)
                    local late = behaviour == "never" or behaviour == "progress"
                    local e = call { seconds = late and 1 or 20 }
                    assert.equal(late and "timeout" or "error", e.status)
                    assert.truthy(e.error:find(what), e.error)
                end)
                assert.is_true(count_lines "state" <= 2)
                stop()
            end)
        end

        it("tell when nobody listens", function()
            local stop = serve "good"
            approve()
            stop()
            local e = once()
            assert.equal("error", e.status)
            assert.truthy(e.error:find("MCP server 's'", 1, true))
        end)
    end)

    it("are part of a run: gate, evidence, the trace, what the model is told", function()
        approved()
        config "kinds"
        assert(symio.mkdir(path "tools"))
        assert(symio.mkdir(path "policies"))
        assert(symio.write_file(path "tools/say.clad.toml", TOOL:format("say", 5, "", "echo")))
        assert(symio.write_file(path "tools/secret.clad.toml", TOOL:format("secret", 5, "", "echo")))
        assert(symio.write_file(path "policies/p.cedar", 'permit(principal, action == Action::"tool_call::say", resource);\npermit(principal, action == Action::"respond", resource);\n'))
        assert(symio.write_file(path "replay.json", symbi.json.encode { turns = {
            { tool_calls = { { id = "1", name = "say", arguments = { text = "from the model" } }, { id = "2", name = "secret", arguments = { text = "no" } } } },
            { content = "done" },
        } }))
        local rt = assert(symbi.runtime { policies = path "policies", tools = path "tools", state = path "state-dir", replay = path "replay.json", project_dir = dir, mcp = options() })
        local agent = assert(rt:agent { id = "reader" })
        local r = assert(agent:run "go")
        assert.equal("done", r.output)
        assert.equal(1, count_lines "state")
        assert.truthy(read("state"):find("from the model", 1, true))
        local trace = symbi.json.decode((read "state"))._meta.traceparent
        assert.truthy(trace:find "^00%-%x+%-%x+%-01$")
        assert.equal(55, #trace)
        rt:close()
        rt.policies:close()
        rt.tools:close()
    end)

    it("do not leave descriptors, processes or library objects behind", function()
        config "good"
        approve()
        local before = require("tests.spec.helper.fds").list()
        for i = 1, 20 do
            if i % 4 == 0 then config "dies" elseif i % 4 == 1 then config "good" end
            once { kind = "blocking" }
        end
        assert.same({}, require("tests.spec.helper.fds").added(before, require("tests.spec.helper.fds").list()))
        assert.same({}, children())
    end)
end)

describe("mcp-config.toml", function()
    local function bad(text, what)
        local r, message, err = core.mcp.registry(text, "mcp-config.toml")
        assert.is_nil(r)
        assert.truthy(message:find(what, 1, true), message)
        assert.equal("mcp-config.toml", err.path)
        return err
    end

    it("names every fault with file, line and key", function()
        assert.equal(2, bad("[servers.a]\ncommand = 1\n", "servers.a.command: string expected, got integer").line)
        bad("[servers.a]\n", "servers.a: needs command")
        bad('[servers.a]\ncommand = "x"\nurl = "https://a.example"\n', "not by both")
        bad('[servers.a]\nurl = "ftp://a.example"\n', "servers.a.url")
        bad('[servers.a]\ncommand = "x"\nargs = "y"\n', "servers.a.args: list of strings expected")
        bad('[servers.a]\ncommand = "x"\nargs = ["--token={_secret:T}"]\n', "a secret may stand in env and headers only")
        bad('[servers.a]\ncommand = "x"\nenv = { "A=B" = "c" }\n', "'A=B' is no name of a variable")
        bad('[servers.a]\nurl = "https://a.example"\nheaders = { Host = "b" }\n', "is set by the client itself")
        bad('[servers.a]\nurl = "https://a.example"\nheaders = { X = "a\\r\\nY: b" }\n', "control character")
        bad('[servers.a]\ncommand = "x"\npublic_key_url = "http://a.example/k"\n', "must begin with https://")
        bad('[servers.a]\ncommand = "x"\ntrust = "yes"\n', 'must be "approved" or "first-use"')
        bad("servers = 1\n", "table expected")
        bad("[servers.a\n", "")
    end)

    it("is read as it stands", function()
        local r = assert(core.mcp.registry('[servers.b]\ncommand = "npx"\nargs = ["-y", "x"]\nenv = { K = "{_secret:A}{_secret:B}{_secret:A}" }\ncomand = 1\n[servers.a]\nurl = "https://a.example/mcp"\ntrust = "first-use"\n'))
        assert.same({ "b", "a" }, r:names())
        local b = r:server "b"
        assert.same({ "-y", "x" }, b.args)
        assert.same({ "A", "B" }, b.secrets)
        assert.same({ "K" }, b.env)
        assert.equal("approved", b.trust)
        assert.equal("first-use", r:server("a").trust)
        assert.is_nil((r:server "c"))
        assert.equal(1, #r:warnings())
        assert.truthy(r:warnings()[1]:find("did you mean 'command'?", 1, true))
        r:close()
        assert.has_error(function() r:names() end)
    end)
end)
