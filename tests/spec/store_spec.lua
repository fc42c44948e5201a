--- symbi.store over a state folder, and symbi-lua audit on it.
local symbi = require "symbi"
local audit = symbi.audit

if not pcall(require, "symbi.io") then
    describe("symbi.store", function()
        it("says what is missing", function()
            local none, message, err = symbi.store.open("x")
            assert.is_nil(none)
            assert.is_truthy(message:find("symbi.io", 1, true))
            assert.equal("EUNSUPPORTED", err.code)
        end)
    end)
    return
end

local base

local function quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end
local function sh(command)
    local p = assert(io.popen(command .. " 2>&1; echo \"status=$?\""))
    local out = p:read("*a")
    p:close()
    return out:gsub("status=%d+\n$", ""), tonumber(out:match("status=(%d+)\n$"))
end
local function dir(name) return base .. "/" .. name end
local function read(path)
    local f = assert(io.open(path, "rb"))
    local s = f:read("*a")
    f:close()
    return s
end
local function write(path, text)
    local f = assert(io.open(path, "wb"))
    f:write(text)
    f:close()
end
local function fill(name, n)
    local store = symbi.try(symbi.store.open(dir(name)))
    local a = symbi.try(audit.open(store))
    for i = 1, n do symbi.try(a:commit { event = { type = "tick", n = i, pad = "PADPAD" }, agent_id = "reporter" }) end
    a:close()
    store:close()
end
--- symbi-lua audit ..., on the VM that runs this file.
local function cli(...)
    local words = {}
    for i = 1, select("#", ...) do words[i] = string.format("%q", (select(i, ...))) end
    write(dir("run.lua"), "local s, m = require('symbi.cli.audit').main({" .. table.concat(words, ",") .. "}, {})\n" ..
        "if m then io.stderr:write(tostring(m), '\\n') end\nos.exit(s == nil and 1 or s == true and 0 or s)\n")
    local vm = os.getenv("SYMBI_VM") or (rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match("%d.%d"))
    return sh(vm .. " " .. quote(dir("run.lua")))
end

describe("a state folder", function()
    setup(function()
        base = os.tmpname()
        os.remove(base)
        assert(select(2, sh("mkdir " .. quote(base))) == 0)
    end)
    teardown(function() sh("rm -rf " .. quote(base)) end)

    it("is made on first use and keeps everything", function()
        local store = symbi.try(symbi.store.open(dir("a/b")))
        local a = symbi.try(audit.open(store))
        symbi.try(a:commit({ event = { type = "one" } }, { records = { { ns = "n", key = "k", value = "v\0w" } } }))
        local key = store:public_key()
        a:close()
        store:close()
        assert.has_error(function() store:get("n", "k") end)
        store = symbi.try(symbi.store.open(dir("a/b")))
        assert.equal("v\0w", store:get("n", "k"))
        assert.equal(key, store:public_key())
        assert.equal(1, audit.tail(store).len)
        assert.equal(key .. "\n", read(dir("a/b/audit.pub")))
        local r = audit.verify(store)
        assert.is_true(r.ok and r.outside_anchor)
        store:close()
        assert.equal("600\n", (sh("stat -c %a " .. quote(dir("a/b/audit.key")))))
    end)

    it("can be read without being changed", function()
        fill("ro", 2)
        local store = symbi.try(symbi.store.open(dir("ro"), { readonly = true }))
        assert.is_true(audit.verify(store).ok)
        local none, _, err = audit.open(store)
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        store:close()
        none, _, err = symbi.store.open(dir("nothing"), { readonly = true })
        assert.is_nil(none)
        assert.equal("ENOTFOUND", err.code)
    end)

    it("refuses with path and fix", function()
        assert.equal(0, select(2, sh("mkdir " .. quote(dir("junk")) .. "; echo this is no database at all, not at all > " .. quote(dir("junk/symbi.db")))))
        local none, message, err = symbi.store.open(dir("junk"))
        assert.is_nil(none)
        assert.equal("EIO", err.code)
        assert.is_truthy(message:find("not a SQLite database", 1, true) and message:find("junk/symbi.db", 1, true), message)
        assert.has_error(function() symbi.store.open("a\0b") end)
        assert.has_error(function() symbi.store.open(dir("x"), { read_only = true }) end)
    end)

    it("shows, verifies and exports on the command line", function()
        fill("cli", 3)
        local out, status = cli("show", "--state", dir("cli"))
        assert.equal(0, status)
        assert.is_truthy(out:find("TIME", 1, true) and out:find("reporter", 1, true) and out:find("3 of 3 entries", 1, true), out)
        out, status = cli("show", "--state", dir("cli"), "--json", "--last=1")
        assert.equal(0, status)
        assert.equal(3, symbi.json.decode(out).event.n)
        out, status = cli("verify", "--state", dir("cli"))
        assert.equal(0, status)
        assert.is_truthy(out:find("OK", 1, true) and out:find("entries 0 to 2", 1, true), out)
        out, status = cli("export", "--state", dir("cli"), "--output", dir("x.jsonl"))
        assert.equal(0, status, out)
        out, status = cli("verify", "--file", dir("x.jsonl"), "--key", dir("cli/audit.pub"), "--anchor", dir("cli/anchor.json"))
        assert.equal(0, status, out)
        write(dir("x.jsonl"), (read(dir("x.jsonl")):gsub("PADPAD", "PADPOD", 1)))
        out, status = cli("verify", "--file", dir("x.jsonl"), "--key", dir("cli/audit.pub"))
        assert.equal(1, status)
        assert.is_truthy(out:find("TAMPERED (chain_integrity)", 1, true) and out:find("entry 0", 1, true), out)
        out, status = cli("verify", "--file", dir("x.jsonl"), "--key", ("00"):rep(32))
        assert.equal(1, status, out)
        assert.equal(0, select(2, cli("accept-clock", "--state", dir("cli"))))
    end)

    it("verifies every chain of the folder", function()
        fill("many", 2)
        local store = symbi.try(symbi.store.open(dir("many")))
        local a = symbi.try(audit.open(store, { chain = "worker-1" }))
        symbi.try(a:commit { event = { type = "other" } })
        a:close()
        assert.same({ "main", "worker-1" }, symbi.store.chains(store))
        store:close()
        local out, status = cli("verify", "--state", dir("many"))
        assert.equal(0, status, out)
        assert.is_truthy(out:find("(chain main): OK", 1, true) and out:find("(chain worker-1): OK", 1, true), out)
        assert.is_truthy((cli("show", "--state", dir("many"))):find("--chain worker-1", 1, true))
        local anchor = read(dir("many/anchor-worker-1.json"))
        write(dir("many/anchor-worker-1.json"), (anchor:gsub('"len":1', '"len":9')))
        out, status = cli("verify", "--state", dir("many"))
        assert.equal(1, status)
        assert.is_truthy(out:find("(chain main): OK", 1, true) and out:find("(chain worker-1): TAMPERED", 1, true), out)
        assert.equal(0, select(2, cli("verify", "--state", dir("many"), "--chain", "main")))
        os.remove(dir("many/anchor.json"))
        out, status = cli("verify", "--state", dir("many"), "--chain", "main")
        assert.equal(0, status)
        assert.is_truthy(out:find("anchor file is missing", 1, true), out)
    end)

    it("names the entry that somebody edited in the file", function()
        fill("edited", 5)
        local path = dir("edited/symbi.db")
        local data, n = read(path), 0
        data = data:gsub("PADPAD", function()
            n = n + 1
            return n == 3 and "PADPOD" or nil
        end)
        assert.equal(5, n)
        write(path, data)
        local out, status = cli("verify", "--state", dir("edited"), "--json")
        local r = symbi.json.decode(out)
        assert.equal(1, status)
        assert.is_false(r.ok)
        assert.equal("chain_integrity", r.result)
        assert.is_truthy(r.detail:find("edited", 1, true))
        out, status = cli("show", "--state", dir("edited")) -- what is there can still be looked at
        assert.equal(0, status)
        assert.is_truthy(out:find("5 of 5", 1, true))
    end)

    it("notices a roll-back of the whole database, and does not write on", function()
        fill("roll", 2)
        local old = read(dir("roll/symbi.db"))
        fill("roll", 1)
        write(dir("roll/symbi.db"), old)
        local out, status = cli("verify", "--state", dir("roll"))
        assert.equal(1, status)
        assert.is_truthy(out:find("truncated", 1, true), out)
        local store = symbi.try(symbi.store.open(dir("roll")))
        local none, message, err = audit.open(store)
        assert.is_nil(none)
        assert.equal("EVERIFY", err.code)
        assert.is_truthy(message:find("rolled back", 1, true))
        store:close()
    end)

    it("has a command line that says what it wants", function()
        for _, words in ipairs { {}, { "what" }, { "show", "--wrong" }, { "show", "--state" }, { "show", "--last", "x" }, { "verify", "extra" }, { "show", "--json=1" } } do
            local out, status = cli((table.unpack or unpack)(words)) -- luacheck: ignore
            assert.equal(2, status, out)
            assert.is_truthy(out:find("usage:", 1, true))
        end
        assert.equal(0, select(2, cli("--help")))
        write(dir("object.json"), "{}")
        for _, words in ipairs { { "show", "--state", dir("none") }, { "verify", "--state", dir("none") }, { "verify", "--file", dir("none") },
            { "verify", "--state", dir("cli"), "--key", "zz" }, { "verify", "--state", dir("cli"), "--anchor", dir("none") },
            { "verify", "--state", dir("cli"), "--chain", "typo" }, { "verify", "--state", dir("cli"), "--anchor", dir("object.json") },
            { "export", "--state", dir("cli"), "--output", dir("none/x") }, { "verify", "--file", "/dev/null" } } do
            local out, status = cli((table.unpack or unpack)(words)) -- luacheck: ignore
            assert.equal(1, status, out)
            assert.is_falsy(out:find("traceback", 1, true), out)
            assert.is_true(#out > 10, out)
        end
    end)
end)
