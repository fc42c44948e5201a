--- Watched folders (symbi.io.watch), and gates that follow theirs: alone, in a loop, under a run.
local symbi = require "symbi"

local function write(path, text)
    local f = assert(io.open(path, "wb"))
    assert(f:write(text))
    f:close()
end

local ALL = "permit(principal, action, resource);"
local read = symbi.tool { name = "read", description = "reads", args = { path = "path" }, run = function(a) return a.path end }
local CALL = { agent = "bot", name = "read", arguments = { path = "a" } }
local FAST = { quiet_ms = 10, most_ms = 200 }

describe("symbi.io.watch", function()
    local dir
    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        assert(symbi.io.mkdir(dir))
    end)
    after_each(function() os.execute("rm -rf '" .. dir .. "'") end)

    it("tells once that something changed", function()
        local w = assert(symbi.io.watch(dir, FAST))
        assert.is_false(w:poll())
        assert.equal(-1, tonumber(w:due()))
        write(dir .. "/a", "x")
        assert.is_true(w:poll(2000))
        assert.is_false(w:poll(30))
        local other = assert(symbi.io.watch({ dir, dir .. "/below" }, FAST))
        assert(symbi.io.mkdir(dir .. "/below"))
        assert.is_true(other:poll(2000))
        write(dir .. "/below/a", "x")
        assert.is_true(other:poll(2000))
        w:close()
        other:close()
        w:close()
        assert.has_error(function() w:poll() end)
        assert.has_error(function() symbi.io.watch() end)
        assert.has_error(function() symbi.io.watch { 1 } end)
        assert.has_error(function() symbi.io.watch(dir, { quick = true }) end)
        assert.has_error(function() symbi.io.watch(dir .. "\0x") end)
        local none, _, err = symbi.io.watch ""
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
    end)

    it("is one of the things that a loop waits for", function()
        local w, loop = assert(symbi.io.watch(dir, FAST)), assert(symbi.io.loop())
        local id = assert(loop:watch(w))
        assert.equal(0, tonumber(loop:count()))
        assert.is_false(loop:wait(20))
        local nap = assert(loop:sleep(10000))
        write(dir .. "/a", "x")
        local got, kind, value = loop:wait(3000)
        assert.same({ id, "watch", true }, { got, kind, value })
        write(dir .. "/b", "x")
        assert.is_false(loop:wait(60)) -- it told once
        id = assert(loop:watch(w))
        got = loop:wait(3000)
        assert.equal(id, got)
        id = assert(loop:watch(w))
        assert.is_true(loop:cancel(id))
        assert.is_true(loop:cancel(nap))
        assert.is_nil(loop:wait(10))
        assert(loop:watch(w))
        w:close() -- the loop keeps what it needs
        write(dir .. "/c", "x")
        local _, again = loop:wait(3000)
        assert.equal("watch", again)
        loop:close()
        assert.has_error(function() loop:watch(w) end)
    end)

    describe("under a gate", function()
        local gate
        after_each(function()
            if gate then gate:close() end
            gate = nil
            collectgarbage()
        end)
        local function open(more)
            write(dir .. "/a.cedar", ALL)
            local o = { policies = dir, tools = { read } }
            for k, v in pairs(more or {}) do o[k] = v end
            gate = assert(symbi.gate.open(o))
            return gate
        end
        -- what gate:poll says once the folder is quiet
        local function poll()
            for _ = 1, 300 do
                local r, message, err = gate:poll()
                if r ~= false then return r, message, err end
                symbi.io.sleep(10)
            end
            error("the change was not noticed")
        end

        it("has an edit in force soon, whole", function()
            open()
            assert.is_true(gate:follow(FAST))
            assert.is_true(gate:status().following)
            assert.is_false(gate:poll())
            write(dir .. "/b.cedar", 'forbid(principal, action == Action::"tool_call::read", resource);')
            assert.equal(2, tonumber(poll()))
            assert.equal("FORBIDDEN", gate:check(CALL).code)
            -- of the same length and time, which no look from outside shows
            write(dir .. "/b.cedar", 'forbid(principal, action == Action::"tool_call::rode", resource);')
            assert.equal(3, tonumber(poll()))
            assert.equal("ALLOWED", gate:check(CALL).code)
            os.rename(dir .. "/b.cedar", dir .. "/b.off")
            assert.equal(4, tonumber(poll()))
            write(dir .. "/notes.txt", "no policy")
            symbi.io.sleep(100)
            assert.is_false(gate:poll()) -- the same set is no reload
            assert.equal(4, tonumber(gate:generation()))
        end)

        it("keeps what is in force when an edit is broken, and says so once", function()
            local store = assert(symbi.store.memory())
            local audit = assert(symbi.audit.open(store, { key = assert(symbi.crypto.ed25519 { seed = ("07"):rep(32) }) }))
            open { audit = audit }
            assert(gate:follow(FAST))
            write(dir .. "/b.cedar", "forbid(principal, action, resource); forbid(")
            for _ = 1, 2 do
                local ok, message, err = poll()
                assert.is_nil(ok)
                assert.equal("EPARSE", err.code)
                assert.truthy(message:find("b.cedar", 1, true))
                assert.equal("ALLOWED", gate:check(CALL).code)
                write(dir .. "/c.txt", tostring(message)) -- something happens, and it is as broken as before
            end
            symbi.io.sleep(50)
            gate:poll()
            assert.truthy(gate:status().broken)
            assert.equal(1, gate:status().failures)
            write(dir .. "/b.cedar", "forbid(principal, action, resource);")
            assert.equal(2, tonumber(poll()))
            assert.equal("FORBIDDEN", gate:check(CALL).code)
            os.execute("rm -rf '" .. dir .. "'")
            assert.is_nil((poll()))
            assert.equal("FORBIDDEN", gate:check(CALL).code)
            assert(symbi.io.mkdir(dir))
            write(dir .. "/a.cedar", ALL)
            while gate:check(CALL).code ~= "ALLOWED" do poll() end
            gate:close()
            audit:close()
            store:close()
        end)

        it("is followed by the host's loop, without anybody asking", function()
            local host = require "symbi.io.host"
            open { surface = "http" }
            local codes = assert(host.run { function()
                local seen = { gate:check(CALL).code }
                assert(gate:follow(FAST))
                assert(gate:follow(FAST)) -- twice is once
                assert(symbi.io.mkdir(dir .. "/http"))
                for _, text in ipairs { "forbid(principal, action, resource);", "// nothing", "broken" } do
                    write(dir .. "/http/x.cedar", text)
                    host.sleep(150)
                    seen[#seen + 1] = gate:check(CALL).code
                end
                return seen, gate:status().broken
            end })
            assert.same({ "ALLOWED", "FORBIDDEN", "ALLOWED", "ALLOWED" }, codes[1][1])
            assert.truthy(codes[1][2]:find("x.cedar", 1, true))
        end)

        it("decides in the middle of a run by what the folder says then", function()
            write(dir .. "/a.cedar", ALL)
            local turn = 0
            local script = { '{"tool_calls":[{"id":"a","name":"read","arguments":{"path":"a"}}]}', '{"tool_calls":[{"id":"b","name":"read","arguments":{"path":"b"}}]}', '{"content":"done"}' }
            local rt = assert(symbi.runtime { policies = dir, tools = { read }, no_audit = true, model = { provider = "openai", base_url = "http://127.0.0.1:1", name = "x" } })
            local agent = assert(rt:agent { id = "bot", tools = { "read" } })
            local base = symbi.io.auto { tools = { read } }
            local io = setmetatable({ model = function()
                turn = turn + 1
                if turn == 2 then
                    write(dir .. "/b.cedar", 'forbid(principal, action, resource) when { context.input has path && context.input.path == "b" };')
                    symbi.io.sleep(120)
                end
                return { neutral = script[turn] }
            end }, { __index = base })
            local result = assert(agent:run("go", { io = io }))
            assert.same({ true, 1, 1 }, { result.completed, tonumber(result.tool_calls), tonumber(result.denied) })
            agent:close()
            rt:close()
        end)

        it("says where there is nothing to follow", function()
            gate = assert(symbi.gate.open { policies = { { name = "p", text = ALL } }, tools = { read } })
            for _, f in ipairs { "follow", "poll", "refresh" } do
                local ok, _, err = gate[f](gate)
                assert.is_nil(ok)
                assert.equal("ESTATE", err.code)
            end
            assert.equal(0, gate:status().reloads)
        end)
    end)
end)
