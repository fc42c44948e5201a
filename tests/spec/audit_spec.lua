--- symbi.audit over a store in memory: writing, reading, verification, batches, exports.
local symbi = require "symbi"
local audit, crypto = symbi.audit, symbi.crypto

local SEED = ("07"):rep(32)

local function trail(options)
    options = options or {}
    local store = symbi.store.memory()
    options.key = crypto.ed25519 { seed = SEED }
    return store, symbi.try(audit.open(store, options)), options.key:public()
end

local function fill(a, n)
    for i = 1, n do symbi.try(a:commit { event = { type = "tick", n = i }, agent_id = "agent-" .. i, loop_id = "loop", iteration = i }) end
end

describe("symbi.audit", function()
    it("writes entries and verifies them", function()
        local store, a, key = trail()
        assert.equal(1, a:commit { event = { type = "started", b = 1, a = symbi.null }, agent_id = "reporter" })
        assert.equal(3, a:commit { { event = '{"kept" : "byte for byte"}' }, { event = { n = 2 } } })
        assert.equal(3, a:len())
        local r = audit.verify(store, { public_key = key })
        assert.is_true(r.ok)
        assert.equal("ok", r.result)
        assert.equal(3, r.entries)
        assert.equal(3, r.anchored)
        assert.equal(2, r.checkpoints)
        assert.equal(a:head(), r.head)
        assert.is_nil(r.bad_sequence)
        local seen = {}
        for e in audit.entries(store) do seen[#seen + 1] = e end
        assert.equal(3, #seen)
        assert.equal('{"a":null,"b":1,"type":"started"}', seen[1].event)
        assert.equal("reporter", seen[1].agent_id)
        assert.equal('{"kept" : "byte for byte"}', seen[2].event)
        assert.equal(2, seen[3].data.n)
        assert.equal(seen[1].hash, seen[2].prev_hash)
        assert.equal(("0"):rep(64), seen[1].prev_hash)
        a:close()
        store:close()
    end)

    it("walks a part", function()
        local store, a = trail()
        fill(a, 5)
        local seen = {}
        for e in audit.entries(store, { from = 1, to = 3 }) do seen[#seen + 1] = e.data.n end
        assert.same({ 2, 3, 4 }, seen)
        for _ in audit.entries(store, { from = 9 }) do error("nothing is there") end
        for _ in audit.entries(store, { chain = "other" }) do error("nothing is there") end
    end)

    it("refuses events that are none, and says which", function()
        local _, a = trail()
        for _, bad in ipairs { "", "x", "[]", '{"a":1,"a":2}', "{} {}" } do
            local none, message, err = a:commit { event = bad }
            assert.is_nil(none)
            assert.is_string(message)
            assert.equal("EPARSE", err.code)
        end
        local none, _, err = a:commit { event = { f = function() end } }
        assert.is_nil(none)
        assert.equal("ESCHEMA", err.code)
        assert.has_error(function() a:commit { agent_id = "x" , event = 7 } end)
        assert.has_error(function() a:commit { evnt = {}, event = {} } end)
        assert.has_error(function() a:commit "x" end)
        assert.has_error(function() a:commit { { event = {} }, 7 } end)
        assert.equal(0, a:len())
    end)

    it("needs a key and a good chain name", function()
        local store = symbi.store.memory()
        local none, _, err = audit.open(store)
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        none, _, err = audit.open(store, { key = crypto.ed25519(), chain = "../x" })
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        none, _, err = audit.verify(store)
        assert.is_nil(none)
        assert.equal("ENOTFOUND", err.code)
        assert.has_error(function() audit.open(store, { key = "text" }) end)
        assert.has_error(function() audit.open(store, { sign = "sometimes" }) end)
        assert.has_error(function() audit.verify(store, { public_key = "zz" }) end)
        assert.has_error(function() audit.verify(store, { public_key = ("0"):rep(64), anchor = {} }) end)
    end)

    it("tells another key", function()
        local store, a = trail()
        fill(a, 2)
        local r = audit.verify(store, { public_key = crypto.ed25519():public() })
        assert.equal("invalid_signature", r.result)
        assert.is_false(r.ok)
        assert.equal(0, r.bad_sequence)
        assert.equal(0, r.anchored)
    end)

    it("checks against an outside anchor", function()
        local store, a, key = trail()
        fill(a, 3)
        local anchor = audit.checkpoint(store, -1)
        assert.equal(3, anchor.len)
        assert.is_true(audit.verify(store, { public_key = key, anchor = anchor }).ok)
        local shorter, b = trail()
        fill(b, 2)
        local r = audit.verify(shorter, { public_key = key, anchor = anchor })
        assert.equal("truncated", r.result)
        assert.equal(2, r.bad_sequence)
        local other, c = trail()
        c:commit { { event = { x = 1 } }, { event = { x = 2 } }, { event = { x = 3 } } }
        assert.equal("anchor_mismatch", audit.verify(other, { public_key = key, anchor = { len = 3, head = anchor.head } }).result)
    end)

    it("keeps records in the same transaction, and uses a single-use one once", function()
        local store, a = trail()
        local open = { ns = "approval", key = "k", value = "open" }
        local use = { ns = "approval", key = "k", value = "used", expect = "open" }
        symbi.try(a:commit({ event = { type = "asked" } }, { records = { open } }))
        assert.equal("open", store:get("approval", "k"))
        symbi.try(a:commit({ event = { type = "used" } }, { records = { use }, durable = false }))
        local none, _, err = a:commit({ event = { type = "used" } }, { records = { use } })
        assert.is_nil(none)
        assert.equal("EEXISTS", err.code)
        assert.equal(2, a:len())
        assert.is_nil((store:get("approval", "none")))
        local seen = {}
        for k, v in symbi.store.records(store, "approval") do seen[k] = v end
        assert.same({ k = "used" }, seen)
        symbi.try(a:commit({}, { records = { { ns = "approval", key = "k" } } })) -- deleted
        assert.is_nil((store:get("approval", "k")))
    end)

    it("hands a batch to a writer elsewhere", function()
        local store, a, key = trail()
        local batch = symbi.try(a:prepare({ event = { type = "decision" } }, { records = { { ns = "n", key = "k", value = "v" } } }))
        assert.equal(0, a:len())
        local none, _, err = a:commit { event = {} }
        assert.is_nil(none)
        assert.equal("ESTATE", err.code)
        none, _, err = audit.apply(store, batch:sub(1, -2), key)
        assert.is_nil(none)
        assert.equal("EPARSE", err.code)
        none, _, err = audit.apply(store, batch, crypto.ed25519():public())
        assert.is_nil(none)
        assert.equal("EVERIFY", err.code)
        local receipt = symbi.try(audit.apply(store, batch, key))
        assert.equal(32, #receipt)
        none, _, err = a:confirm("something else")
        assert.is_nil(none)
        assert.equal("EVERIFY", err.code)
        assert.equal(1, a:confirm(receipt))
        assert.equal("v", store:get("n", "k"))
        symbi.try(a:prepare { event = {} })
        a:abandon()
        symbi.try(a:commit { event = { after = true } })
        assert.equal(1, audit.verify(store, { public_key = key }).gaps)
        symbi.try(a:prepare { event = {} })
        a:retract()
        symbi.try(a:commit { event = { after = true } })
        assert.equal(1, audit.verify(store, { public_key = key }).gaps)
    end)

    it("can be closed in any order", function()
        local store, a, key = trail()
        fill(a, 1)
        store:close() -- waits for its last audit
        assert.has_error(function() audit.tail(store) end)
        symbi.try(a:commit { event = {} })
        a:close()
        a:close()
        assert.has_error(function() a:commit { event = {} } end)
        assert.has_error(function() a:len() end)
        store:close()
        assert.is_string(key)
        fill(select(2, trail()), 1) -- collected without being closed
        collectgarbage()
        collectgarbage()
    end)

    it("has a clock check", function()
        local _, a = trail()
        fill(a, 1)
        assert.is_true(a:check_clock())
        assert.is_true(a:accept_clock())
        assert.equal(1, a:len())
    end)

    describe("export", function()
        local function export(store, key, options)
            local lines = {}
            options = options or {}
            options.public_key = key
            symbi.try(audit.export(store, function(l) lines[#lines + 1] = l end, options))
            return lines
        end
        local function check(lines, options)
            local i = 0
            return audit.verify_export(function()
                i = i + 1
                return lines[i]
            end, options)
        end

        it("is verified with the public key alone", function()
            local store, a, key = trail { sign = "entry" }
            fill(a, 4)
            a:commit { { event = { type = "x" }, iteration = 2 ^ 53 }, { event = { type = "y" } } }
            local lines = export(store, key)
            assert.equal(1 + 6 + 5, #lines)
            local r = symbi.try(check(lines))
            assert.equal("ok", r.result)
            assert.is_false(r.trusted_key)
            assert.equal(6, r.entries)
            r = symbi.try(check(lines, { public_key = key }))
            assert.is_true(r.ok and r.trusted_key)
            assert.equal("invalid_signature", symbi.try(check(lines, { public_key = crypto.ed25519():public() })).result)
        end)

        it("shows every change of a line", function()
            local store, a, key = trail()
            fill(a, 5)
            local lines = export(store, key)
            local function changed(f)
                local copy = {}
                for i, l in ipairs(lines) do copy[i] = l end
                f(copy)
                return check(copy, { public_key = key })
            end
            assert.equal("ok", changed(function() end).result)
            local r = changed(function(l) l[4] = l[4]:gsub("tick", "tock") end) -- header, 0, cp, 1, cp, ...
            assert.equal("chain_integrity", r.result)
            assert.equal(1, r.bad_sequence)
            assert.equal("truncated", changed(function(l) table.remove(l, 4) end).result)
            assert.equal("sequence", changed(function(l) table.remove(l, 4) table.remove(l, 4) end).result)
            assert.equal("sequence", changed(function(l) l[4], l[6] = l[6], l[4] end).result)
            assert.equal("truncated", changed(function(l) table.remove(l, 10) end).result)
            assert.equal("truncated", changed(function(l) table.remove(l) table.remove(l) end).result) -- the header's anchor knows
            assert.equal("sequence", changed(function(l) l[#l + 1] = l[#l] end).result)
            assert.is_false(changed(function(l) l[2] = l[2]:gsub('"hash":"%x', '"hash":"0', 1):gsub('"prev_hash":"0', '"prev_hash":"1', 1) end).ok)
        end)

        it("names the line that is no export", function()
            local store, a, key = trail()
            fill(a, 1)
            local lines = export(store, key)
            for _, case in ipairs {
                { {}, "line 1" }, { { "garbage" }, "line 1" }, { { "{}" }, "line 1" }, { { "[1]" }, "line 1" }, { { lines[2] }, "line 1" },
                { { lines[1], "garbage" }, "line 2" }, { { lines[1], "{}" }, "line 2" }, { { lines[1], '{"type":"entry"}' }, "line 2" },
                { { lines[1], lines[2]:gsub('"iteration":1', '"iteration":"x"') }, "line 2" }, { { lines[1], lines[2]:gsub('"sequence":0', '"sequence":-1') }, "line 2" },
                { { lines[1], lines[2]:gsub('"agent_id":"agent%-1"', '"agent_id":{}') }, "line 2" }, { { lines[1], '{"type":"checkpoint","len":{}}' }, "line 2" },
                { { (lines[1]:gsub('"version":1', '"version":2')) }, "line 1" }, { { (lines[1]:gsub('"public_key":"%x%x', '"public_key":"', 1)) }, "line 1" },
            } do
                local none, message, err = check(case[1])
                assert.is_nil(none)
                assert.is_truthy(message:find(case[2], 1, true), message)
                assert.equal("EPARSE", err.code)
            end
        end)
    end)
end)
