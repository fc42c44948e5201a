--- symbi.secrets from Lua: the file store and everything that can be wrong with it, scopes, audit, references, redaction, Vault.
local core = require "symbi.core"
local symbi = require "symbi"
local secrets = symbi.secrets
local symio = symbi.io

assert(symbi.crypto.sha256 "x") -- fetched once per state
assert(symio.spawner()) -- started once
symbi.crypto.hex(assert(symbi.crypto.random(1)))

-- One cheap container to warm what Argon2 and AES need, and a folder of one's own for each test.
local dir
local function fresh()
    dir = os.tmpname()
    os.remove(dir)
    assert(symio.mkdir(dir, { mode = 448 }))
    return dir
end
local function cleanup()
    if dir then assert(symio.remove_tree(dir)) end
    dir = nil
end
local RAW = "LXLgFlAy70hL6LBG5CTk2TqjTBux4Nir7jYHWmPgXoc=" -- 32 bytes: containers that cost no Argon2

do
    local box = assert(core.secrets.box_seal("{}", RAW, { kind = "raw" }))
    assert(core.secrets.box_open(box, RAW, { kind = "raw" }))
end

local function failed(code, part, value, message, err)
    assert.is_nil(value)
    assert.equal(code, err.code)
    assert.truthy(message:find(part, 1, true), message)
    return err
end

local function file(options)
    options = options or {}
    options.backend, options.path, options.key, options.kind = "file", options.path or dir .. "/secrets.json", options.key or RAW, options.kind or "raw"
    return assert(secrets.open(options))
end

describe("the file store", function()
    before_each(fresh)
    after_each(function()
        secrets.forget()
        cleanup()
    end)

    it("keeps values, encrypted, in a file that only its owner reads", function()
        local s = file { kind = "envelope", key = "master" }
        assert.same({}, s:list())
        failed("ENOTFOUND", "Secret not found: a", s:get "a")
        assert.is_true(s:set("a", "hunter2-a"))
        assert.is_true(s:set("b.c-d_E", "zwei\n"))
        assert.equal("hunter2-a", s:get "a")
        assert.same({ "a", "b.c-d_E" }, s:list())
        local text, info = assert(symio.read_file_info(dir .. "/secrets.json"))
        assert.equal(384, info.mode)
        assert.is_nil(text:find("hunter2", 1, true))
        local box = symbi.json.decode(text)
        assert.equal("Argon2id-m65536-t3-p1-ad", box.kdf)
        assert.is_true(s:delete "a")
        failed("ENOTFOUND", "Secret not found: a", s:get "a")
        failed("ENOTFOUND", "Secret not found: a", s:delete "a")
        s:close()
        s = file { kind = "envelope", key = "other" }
        local err = failed("EVERIFY", "the key is another one", s:get "a")
        assert.equal("DECRYPT", err.reason)
        assert.equal(dir .. "/secrets.json", err.path)
        failed("EVERIFY", "the key is another one", s:set("a", "x")) -- and the file is as it was
        assert.equal(text ~= nil, true)
        s:close()
        s = file { kind = "envelope", key = "master" }
        assert.equal("zwei\n", s:get "b.c-d_E")
        s:close()
    end)

    it("writes what today's runtime reads, when told so", function()
        local s = file { kind = "envelope", key = "master", upstream = true }
        assert(s:set("a", "1"))
        s:close()
        assert.equal("Argon2id-m65536-t3-p1", symbi.json.decode(assert(symio.read_file(dir .. "/secrets.json"))).kdf)
    end)

    it("sees what others write, and is not disturbed by two at once", function()
        local a, b = file(), file()
        assert(a:set("x", "1"))
        assert.equal("1", b:get "x")
        assert(b:set("y", "2"))
        assert.same({ "x", "y" }, a:list())
        for i = 1, 10 do
            assert(a:set("a" .. i, "v"))
            assert(b:set("b" .. i, "v"))
        end
        assert.equal(22, #a:list())
        a:close()
        b:close()
    end)

    it("changes the file that a link names, and not the link", function()
        local a = file()
        assert(a:set("x", "1"))
        assert(os.execute("ln -s secrets.json " .. dir .. "/link.json"))
        local b = file { path = dir .. "/link.json" }
        assert(b:set("y", "2"))
        assert.same({ "x", "y" }, a:list())
        assert(b:rotate_key((RAW:gsub("^.", "M"))))
        assert.equal("link", symio.stat(dir .. "/link.json", { follow = false }).type)
        failed("EVERIFY", "", a:get "x")
        a:close()
        b:close()
    end)

    it("names what is wrong with a file and leaves it alone", function()
        local path = dir .. "/secrets.json"
        local s = file()
        assert(s:set("a", "1"))
        s:close()
        local good = assert(symio.read_file(path))
        local function broken(text, mode, options, code, part)
            assert(symio.write_file(path, text, mode))
            local st = file(options)
            failed(code, part, st:get "a")
            failed(code, part, st:list())
            failed(code, part, st:set("b", "2"))
            failed(code, part, st:delete "a")
            assert.equal(text, (assert(symio.read_file(path))))
            st:close()
        end
        broken(good, 416, nil, "EDENIED", "has insecure mode 0640; expected 0600")
        broken(good, 388, nil, "EDENIED", "has insecure mode 0604")
        broken("", 384, nil, "EPARSE", "the file is empty")
        broken(good:sub(1, 20), 384, nil, "EPARSE", "cut off")
        broken(good:sub(1, -2), 384, nil, "EVERIFY", "altered")
        broken(good, 384, { key = "!" }, "EINVAL", "base64 of 32 bytes")
        broken('{"a":"1"}', 384, { kind = "envelope", key = "k" }, "ESCHEMA", "is not encrypted")
        broken('{"ciphertext":"x","nonce":"y","algorithm"', 384, { kind = "envelope", key = "k" }, "EPARSE", "cut off")
        broken("nonsense", 384, { kind = "envelope", key = "k" }, "EPARSE", "not a container")
        assert(symio.write_file(path, good, 384))
        s = file()
        assert.equal("1", s:get "a")
        s:close()
        os.remove(path)
        assert(symio.mkdir(path))
        s = file()
        assert.is_nil((s:get "a"))
        s:close()
    end)

    it("reads plain files, and the shell's, and makes better ones of them", function()
        local function put(name, text) assert(symio.write_file(dir .. "/" .. name, text, 384)) return dir .. "/" .. name end
        local s = file { path = put("s.env", "# c\nA=1\nB='two'\n"), encrypted = false, kind = "envelope" }
        assert.equal("two", s:get "B")
        failed("EUNSUPPORTED", "not encrypted", s:set("C", "3"))
        s:close()
        s = file { path = put("s.toml", 'a = "1"\nn = 5\n'), encrypted = false, kind = "envelope" }
        assert.equal("5", s:get "n")
        s:close()
        s = file { path = put("s.json", '{"a":"1","o":{"x":[1]}}'), encrypted = false, kind = "envelope" }
        assert.equal('{"x":[1]}', s:get "o")
        s:close()
        local map = assert(secrets.read_file { path = dir .. "/s.env", encrypted = false })
        s = file()
        assert.equal(2, s:import(map))
        assert.equal("1", s:get "A")
        failed("EEXISTS", "there is a secret A already", s:import(map))
        assert.equal(2, s:import(map, true))
        map:close()
        s:close()
        -- made by an independent implementation (shared vectors): passphrase "pass"
        local hex = "106d99339a33f67f8dfc2c875150454dc7d3265b06771e3670a8d9f956645f42bf57f59c9a"
        s = file { path = put("secrets.enc", symbi.crypto.unhex(hex)), kind = "shell", key = "pass" }
        assert.equal("1", s:get "A")
        failed("EUNSUPPORTED", "only read", s:set("B", "2"))
        s:close()
    end)

    it("changes its key as a whole", function()
        local s = file()
        assert(s:set("a", "1"))
        local other = "1AM2PI4e9mxL8TPSHJnDBbgr/8OyBdHvzHk/m5aroSc="
        assert.is_nil((s:rotate_key "not a key"))
        assert.equal("1", s:get "a")
        assert.is_true(s:rotate_key(other))
        assert.equal("1", s:get "a")
        s:close()
        s = file()
        failed("EVERIFY", "another one", s:get "a")
        s:close()
        s = file { key = other }
        assert.equal("1", s:get "a")
        s:close()
    end)

    it("checks names and values", function()
        local s = file()
        for _, bad in ipairs { "", "a/b", "..", "a..b", "a b", ("x"):rep(129), "\195\169" } do failed("EINVAL", "Invalid secret key format", s:set(bad, "v")) end
        failed("EINVAL", "not UTF-8", s:set("a", "\255"))
        failed("ELIMIT", "longer than 65536", s:set("a", ("x"):rep(65537)))
        assert(s:set("a", ("x"):rep(65536)))
        assert.has_error(function() s:set("a", 5) end)
        assert.has_error(function() s:get(5) end)
        assert.has_error(function() secrets.open { backend = "file" } end)
        assert.has_error(function() secrets.open { backend = "keychain" } end)
        assert.has_error(function() secrets.open { backend = "file", path = "x", colour = 1 } end)
        s:close()
    end)
end)

describe("scopes", function()
    before_each(fresh)
    after_each(function()
        secrets.forget()
        cleanup()
    end)

    it("give an agent what they name, and nothing else", function()
        local s = file { scope = { ["agent-1"] = { "db_*" }, ["writer"] = { read = { "tmp_*" }, write = { "tmp_*" } } } }
        assert(s:set("db_password", "pw-12345"))
        assert(s:set("api_key", "ak-12345"))
        local a = s:for_agent "agent-1"
        assert.equal("pw-12345", a:get "db_password")
        failed("EDENIED", "Permission denied accessing secret: api_key", a:get "api_key")
        failed("EDENIED", "Permission denied accessing secret: nothing", a:get "nothing") -- not even whether it exists
        assert.same({ "db_password" }, a:list())
        failed("EDENIED", "Permission denied", a:set("db_password", "x"))
        failed("EDENIED", "Permission denied", a:delete "db_password")
        assert.same({}, s:for_agent("agent-2"):list())
        local w = s:for_agent "writer"
        assert(w:set("tmp_x", "1234"))
        assert.equal("1234", w:get "tmp_x")
        assert(w:delete "tmp_x")
        failed("EDENIED", "Permission denied", w:set("db_password", "x"))
        s:close()
        s = file() -- no scope: the operator alone
        failed("EDENIED", "Permission denied", s:for_agent("agent-1"):get "db_password")
        assert.same({}, s:for_agent("agent-1"):list())
        s:close()
        s = secrets.open { backend = "env", env = function() return "v" end }
        failed("EDENIED", "Permission denied", s:for_agent("agent-1"):get "HOME")
        s:close()
        failed("ESCHEMA", "list", secrets.open { backend = "env", scope = { a = 5 } })
        assert.has_error(function() s:for_agent "" end)
    end)
end)

describe("the audit of secrets", function()
    before_each(fresh)
    after_each(function()
        secrets.forget()
        cleanup()
    end)

    it("writes attempt and result, and no value", function()
        local store = symbi.store.memory()
        local audit = assert(symbi.audit.open(store, { key = symbi.crypto.ed25519() }))
        local s = file { audit = audit, scope = { a = { "x" } } }
        assert(s:set("x", "hunter2-value"))
        assert(s:for_agent("a"):get "x")
        assert.is_nil((s:for_agent("a"):get "y"))
        s:list()
        local seen = {}
        for e in symbi.audit.entries(store) do
            assert.is_nil(e.event:find("hunter2", 1, true))
            local d = symbi.json.decode(e.event)
            seen[#seen + 1] = table.concat({ d.operation, d.secret_key or "-", d.outcome, d.error or "-", e.agent_id }, " ")
        end
        assert.same({
            "set_secret x attempt - ", "set_secret x success - ", "get_secret x attempt - a", "get_secret x success - a",
            "get_secret y attempt - a", "get_secret y failure EDENIED a", "list_secrets - attempt - ", "list_secrets - success - ",
        }, seen)
        s:close()
        audit:close()
        store:close()
    end)

    it("refuses what cannot be written down, unless it may", function()
        local s = file()
        assert(s:set("x", "1234"))
        s:close()
        local broken = { commit = function() return nil, "disk is gone", { code = "EIO" } end }
        s = file { audit = broken }
        failed("EIO", "Audit logging failed (strict mode): disk is gone", s:get "x")
        s:close()
        s = file { audit = broken, audit_mode = "permissive" }
        assert.equal("1234", s:get "x")
        s:close()
        -- the attempt was written, the result cannot be: the value stays inside
        local n = 0
        local half = { commit = function() n = n + 1 if n > 1 then return nil, "full", { code = "EIO" } end return n end }
        s = file { audit = half }
        failed("EIO", "Audit logging failed", s:get "x")
        s:close()
        assert.has_error(function() secrets.open { backend = "env", audit_mode = "loose" } end)
    end)
end)

describe("the environment", function()
    it("is read by name", function()
        local env = { APP_TOKEN = "t-12345", APP_EMPTY = "" }
        local s = secrets.open { backend = "env", prefix = "APP_", names = { "TOKEN", "NONE", "EMPTY" }, env = function(n) return env[n] end, redactor = secrets.redactor() }
        assert.equal("t-12345", s:get "TOKEN")
        assert.equal("", s:get "EMPTY")
        failed("ENOTFOUND", "Secret not found: NONE", s:get "NONE")
        failed("EINVAL", "Invalid secret key format", s:get "A=B")
        assert.same({ "TOKEN", "EMPTY" }, s:list())
        failed("EUNSUPPORTED", "not supported", s:set("TOKEN", "x"))
        assert.equal("x [REDACTED] y", s:redact "x t-12345 y")
        s:close()
    end)
end)

describe("references", function()
    after_each(secrets.forget)
    it("are resolved where they say, or are an error", function()
        local env = { TOKEN = "t-12345" }
        local store = secrets.open { backend = "env", env = function(n) return env[n] end, scope = { a = { "TOKEN" } } }
        local r = secrets.resolver { env = store, secret = store }
        assert.equal("t-12345", r:resolve "env://TOKEN")
        assert.equal("t-12345", r:resolve "secret://TOKEN")
        assert.equal("plain", r:resolve "plain")
        assert.equal("https://x", r:resolve "https://x")
        failed("ENOTFOUND", "no such store", r:resolve "vault://TOKEN")
        failed("ENOTFOUND", "Secret not found: NONE", r:resolve "env://NONE")
        failed("EINVAL", "Invalid secret key format", r:resolve "env://../x")
        failed("EINVAL", "Invalid secret key format", r:resolve "env://")
        assert.equal("t-12345", r:resolve("env://TOKEN", "a"))
        failed("EDENIED", "Permission denied", r:resolve("env://TOKEN", "b"))
        assert.same({ a = { "t-12345", 5 }, b = "x" }, r:expand { a = { "env://TOKEN", 5 }, b = "x" })
        failed("ENOTFOUND", "no such store", r:expand { a = { "file://x" } })
        assert.same({ "secret", "a/b" }, { secrets.parse_reference "secret://a/b" })
        assert.is_nil((secrets.parse_reference "https://x"))
        assert.has_error(function() secrets.resolver { http = store } end)
        store:close()
    end)
end)

describe("the master key", function()
    before_each(fresh)
    after_each(cleanup)
    it("is found in its order, and made only when asked", function()
        local env = {}
        local function get(n) return env[n] end
        env.HOME = dir
        failed("ENOTFOUND", "no master key", secrets.master_key { env = get })
        local key, from = assert(secrets.master_key { env = get, create = true })
        assert.equal(dir .. "/.symbi/master.key", from)
        assert.equal(64, #key)
        assert.equal(384, symio.stat(from).mode)
        assert.equal(key, (secrets.master_key { env = get }))
        env.XDG_STATE_HOME = dir .. "/state"
        assert.equal(dir .. "/state/symbiont/master.key", secrets.master_key_path(get))
        env.SYMBIONT_MASTER_KEY_FILE = dir .. "/key"
        assert(symio.write_file(dir .. "/key", " from a file \n", 384))
        assert.equal("from a file", (secrets.master_key { env = get }))
        env.SYMBIONT_MASTER_KEY = "from the environment"
        assert.equal("from the environment", (secrets.master_key { env = get }))
        assert.equal("from a file", (secrets.master_key { env = get, path = dir .. "/key" }))
        env.SYMBIONT_MASTER_KEY = nil
        assert(symio.write_file(dir .. "/key", "x", 420))
        failed("EDENIED", "has insecure mode 0644", secrets.master_key { env = get })
        assert(symio.write_file(dir .. "/key", " \n", 384))
        failed("EPARSE", "is empty", secrets.master_key { env = get })
        os.remove(dir .. "/key")
        env.SYMBIONT_ENV = "prod"
        failed("EDENIED", "none is made in production", secrets.master_key { env = get, create = true })
        env.SYMBIONT_ENV = "nonsense" -- an unknown environment is treated as production
        failed("EDENIED", "none is made in production", secrets.master_key { env = get, create = true })
        env.SYMBIONT_ALLOW_EPHEMERAL_KEY = "1"
        assert(secrets.master_key { env = get, create = true })
    end)
end)

describe("redaction", function()
    after_each(secrets.forget)
    it("takes handed-out values out of texts", function()
        assert.equal("hunter2", secrets.redact "hunter2")
        local store = secrets.open { backend = "env", env = function() return "hunter2/x" end }
        store:get "X"
        assert.equal("a [REDACTED] b", secrets.redact "a hunter2/x b")
        assert.equal("a [REDACTED] b", secrets.redact "a hunter2%2Fx b")
        assert.same({ note = { "[REDACTED]", 5 }, ["[REDACTED]"] = true }, secrets.redact { note = { "hunter2/x", 5 }, ["hunter2/x"] = true })
        -- what a tool written in Lua gives back goes the same way
        local common = require "symbi.io.common"
        local run = { redeem = function() return { arguments = {} } end }
        local tool = { leak = function() return { text = "it is hunter2/x" } end, fail = function() return nil, "hunter2/x does not fit" end, raise = function() error "hunter2/x" end }
        local function reply(name) return common.tool({ tools = tool }, { backend = "callback", tool = name, id = 1, permit = "p" }, run, nil, pcall) end
        assert.same({ value = { text = "it is [REDACTED]" } }, reply "leak")
        assert.equal("[REDACTED] does not fit", reply("fail").error.message)
        assert.is_nil(reply("raise").error.message:find("hunter2", 1, true))
        store:close()
        local r = secrets.redactor()
        r:add "hunter2"
        assert.same({ password = "***", note = "[REDACTED] and [REDACTED:EMAIL]", n = 5 }, r:mask { password = 5, note = "hunter2 and a@b.org", n = 5 })
        assert.equal("Bearer [REDACTED] [REDACTED]", r:mask "bearer abcdefghijklmnop hunter2")
        assert.equal(1, r:count())
        r:close()
        assert.equal("***", secrets.mask({ api_key = 1 }).api_key)
        assert.is_true(secrets.sensitive "X-Auth-Token")
        assert.is_false(secrets.sensitive "name")
    end)
end)

describe("a run", function()
    before_each(fresh)
    after_each(function()
        cleanup()
        secrets.forget()
    end)

    it("keeps handed-out values from the model, from whoever watches and from the trail", function()
        local value = "hunter2-of-the-database"
        local function write(name, text) assert(symio.write_file(dir .. "/" .. name, text)) end
        assert(symio.mkdir(dir .. "/tools"))
        write("tools/show.clad.toml", [[
[tool]
name = "show"
version = "1.0.0"
description = "Shows a file"
binary = "cat"
[args.path]
type = "path"
position = 1
required = true
[command]
exec = ["cat", "{path}"]
[output]
format = "text"
[output.schema]
type = "object"
]])
        write("config.txt", "password = " .. value .. "\n")
        write("replay.json", symbi.json.encode {
            turns = {
                { tool_calls = { { name = "show", arguments = { path = "config.txt" } }, { name = "show", arguments = { path = value } } } },
                { content = "It is " .. value .. ".", expect = { any_tool = "password = [REDACTED]" } },
            },
        })
        assert(symio.mkdir(dir .. "/policies"))
        write("policies/all.cedar", "permit(principal, action, resource);")
        local store = secrets.open { backend = "env", env = function() return value end }
        assert(store:get "DB")
        local runtime = assert(symbi.runtime { policies = dir .. "/policies", tools = dir .. "/tools", state = dir .. "/state", replay = dir .. "/replay.json", project_dir = dir })
        local seen = {}
        local agent = assert(runtime:agent { id = "a" })
        local result = assert(agent:run("go", { watch = function(kind, data) if kind == "event" then seen[#seen + 1] = symbi.json.encode(data) end end }))
        assert.is_true(result.completed, tostring(result.error))
        assert.equal("ok", assert(runtime:verify()).result)
        agent:close()
        runtime:close()
        store:close()
        assert.is_nil(table.concat(seen):find(value, 1, true))
        assert.truthy(table.concat(seen):find("[REDACTED]", 1, true))
        for _, name in ipairs { "symbi.db", "symbi.db-wal" } do
            local bytes = symio.read_file(dir .. "/state/" .. name)
            assert.is_nil(bytes and bytes:find(value, 1, true), name)
        end
    end)
end)

describe("Vault", function()
    after_each(secrets.forget)
    local function answer(status, body) return { status = status, headers = {}, body = body and symbi.json.encode(body) or "" } end
    local function vault(options, handler)
        local seen = {}
        local o = { backend = "vault", url = "https://vault.example:8200", auth = { method = "token", token = "t0" }, scope = { a = { "*" } } }
        for k, v in pairs(options) do o[k] = v end
        o.http = function(rq)
            seen[#seen + 1] = rq
            local headers = {}
            for _, h in ipairs(rq.headers) do headers[h[1]] = h[2] end
            rq.h = headers
            return handler(rq, #seen)
        end
        return assert(secrets.open(o)), seen
    end

    it("reads, lists, writes and deletes in KV version 2", function()
        local kept = {}
        local s, seen = vault({ namespace = "team" }, function(rq)
            local key = rq.url:match "/secrets/([^?/]+)$"
            if rq.method == "POST" then kept[key] = symbi.json.decode(rq.body).data.value return answer(200, {}) end
            if rq.method == "DELETE" then kept[key] = nil return answer(204) end
            if rq.url:find "list=true" then
                local keys = symbi.array {}
                for k in pairs(kept) do keys[#keys + 1] = k end
                keys[#keys + 1] = "folder/"
                return answer(200, { data = { keys = keys } })
            end
            if not kept[key] then return answer(404, { errors = symbi.array {} }) end
            return answer(200, { data = { data = { value = kept[key] }, metadata = { version = 1 } } })
        end)
        local a = s:for_agent "a"
        failed("EDENIED", "Permission denied", a:set("x", "v")) -- reading is not writing
        failed("EDENIED", "Permission denied", s:for_agent("b"):get "x")
        assert.equal(0, #seen) -- nothing left this machine
        s:close()
        s, seen = vault({ namespace = "team", scope = { a = { read = { "*" }, write = { "*" } } } }, function(rq)
            local key = rq.url:match "/secrets/([^?/]+)$"
            if rq.method == "POST" then kept[key] = symbi.json.decode(rq.body).data.value return answer(200, {}) end
            if rq.method == "DELETE" then kept[key] = nil return answer(204) end
            if rq.url:find "list=true" then
                local keys = symbi.array { "folder/" }
                for k in pairs(kept) do keys[#keys + 1] = k end
                return answer(200, { data = { keys = keys } })
            end
            if not kept[key] then return answer(404, { errors = symbi.array {} }) end
            return answer(200, { data = { data = { value = kept[key] }, metadata = { version = 1 } } })
        end)
        a = s:for_agent "a"
        assert(a:set("x", "hunter2-v"))
        assert.equal("hunter2-v", a:get "x")
        assert.same({ "x" }, a:list())
        assert(a:delete "x")
        failed("ENOTFOUND", "Secret not found: x", a:get "x")
        assert.equal("https://vault.example:8200/v1/secret/data/agents/a/secrets/x", seen[1].url)
        assert.equal("https://vault.example:8200/v1/secret/metadata/agents/a/secrets?list=true", seen[3].url)
        assert.equal("https://vault.example:8200/v1/secret/metadata/agents/a/secrets/x", seen[4].url)
        assert.equal("t0", seen[1].h["X-Vault-Token"])
        assert.equal("team", seen[1].h["X-Vault-Namespace"])
        assert.is_true(seen[1].by_operator)
        failed("EINVAL", "secrets belong to agents", s:get "x")
        failed("EINVAL", "Invalid secret key format", a:get "../../sys")
        failed("EINVAL", "cannot stand in a path", vault({ scope = { ["x/y"] = { "*" } } }, error):for_agent("x/y"):get "k")
        s:close()
    end)

    it("knows version 1, field names and content", function()
        local s = vault({ api_version = "v1", path = "apps/{key}", mount_path = "kv/team" }, function(rq)
            assert.equal("https://vault.example:8200/v1/kv/team/apps/k", rq.url)
            return answer(200, { data = { content = "c" } })
        end)
        assert.equal("c", s:get "k")
        s:close()
        s = vault({ path = "apps/{key}", field = "password" }, function() return answer(200, { data = { data = { password = 5 } } }) end)
        assert.equal("5", s:get "k")
        s:close()
        s = vault({ path = "apps/{key}" }, function() return answer(200, { data = { data = { other = "x" } } }) end)
        failed("ENOTFOUND", "without a field value", s:get "k")
        s:close()
    end)

    it("logs in, keeps its token, and logs in again", function()
        local now, logins = 1000, 0
        local s = vault({ path = "{key}", auth = { method = "approle", role_id = "r", secret_id = "s" }, now = function() return now end }, function(rq)
            if rq.url:find "/auth/approle/login$" then
                logins = logins + 1
                assert.same({ role_id = "r", secret_id = "s" }, symbi.json.decode(rq.body))
                return answer(200, { auth = { client_token = "t" .. logins, lease_duration = 100 } })
            end
            if rq.h["X-Vault-Token"] == "t2" then return answer(403, {}) end
            return answer(200, { data = { data = { value = rq.h["X-Vault-Token"] } } })
        end)
        assert.equal("t1", s:get "k")
        assert.equal("t1", s:get "k")
        assert.equal(1, logins)
        now = 1081 -- four fifths of its life are over: t2, which is refused, then t3
        assert.equal("t3", s:get "k")
        assert.equal(3, logins)
        s:close()
        s = vault({ path = "{key}", auth = { method = "approle", role_id = "r", secret_id = "wrong" } }, function() return answer(400, { errors = { "invalid secret id wrong" } }) end)
        local err = failed("EDENIED", "Authentication failed: Vault answered 400 to the approle login", s:get "k")
        assert.is_nil(err.message:find("wrong", 1, true))
        s:close()
    end)

    it("sends a Kubernetes account's token", function()
        fresh()
        assert(symio.write_file(dir .. "/token", "jwt-of-the-pod\n", 384))
        local s = vault({ path = "{key}", auth = { method = "kubernetes", role = "app", token_path = dir .. "/token", mount_path = "k8s" } }, function(rq)
            if rq.url:find "/auth/k8s/login$" then
                assert.same({ role = "app", jwt = "jwt-of-the-pod" }, symbi.json.decode(rq.body))
                return answer(200, { auth = { client_token = "t" } })
            end
            return answer(200, { data = { data = { value = "v" } } })
        end)
        assert.equal("v", s:get "k")
        s:close()
        cleanup()
    end)

    it("turns every answer into an error of its own, without its body", function()
        local cases = { { 403, "EDENIED", "Permission denied accessing secret: k" }, { 404, "ENOTFOUND", "Secret not found: k" }, { 429, "ELIMIT", "Rate limit exceeded" }, { 500, "EIO", "Vault answered 500" }, { 503, "EIO", "Vault answered 503" }, { 302, "EIO", "Vault answered 302" } }
        for _, c in ipairs(cases) do
            local s = vault({ path = "{key}" }, function() return { status = c[1], headers = {}, body = "hunter2" } end)
            local err = failed(c[2], c[3], s:get "k")
            assert.is_nil(err.message:find("hunter2", 1, true))
            s:close()
        end
        for _, body in ipairs { "hunter2", "[]", "{}", '{"data":5}', '{"data":{"data":null}}' } do
            local s = vault({ path = "{key}" }, function() return { status = 200, headers = {}, body = body } end)
            local value, message = s:get "k"
            assert.is_nil(value)
            assert.is_nil(message:find("hunter2", 1, true))
            s:close()
        end
        local s = vault({ path = "{key}" }, function() return nil, "refused", { code = "EIO" } end)
        failed("EIO", "Connection error: refused", s:get "k")
        s:close()
        s = vault({ path = "{key}" }, function() return nil, "late", { code = "ETIMEOUT" } end)
        failed("ETIMEOUT", "Operation timed out", s:get "k")
        s:close()
    end)

    it("does not leave https, but for this machine", function()
        local token = { method = "token", token = "t" }
        failed("EDENIED", "over https", secrets.open { backend = "vault", url = "http://vault.example", auth = token })
        failed("EDENIED", "over https", secrets.open { backend = "vault", url = "http://127.0.0.1:8200", auth = token })
        failed("EDENIED", "over https", secrets.open { backend = "vault", url = "http://127.0.0.1.evil.example", auth = token, insecure_loopback = true })
        local s = assert(secrets.open { backend = "vault", url = "http://127.0.0.1:8200", auth = token, insecure_loopback = true })
        s:close()
        for _, more in ipairs { "/v1", "?", "?token=hvs.abcdef", "#", "#hvs.abcdef", "/?x" } do
            local _, message = secrets.open { backend = "vault", url = "https://vault.example" .. more, auth = token }
            assert.equal("the URL of Vault is scheme, host and port, and nothing else", message)
        end
        failed("EUNSUPPORTED", "auth.method", secrets.open { backend = "vault", url = "https://vault.example", auth = { method = "aws" } })
        failed("EINVAL", "auth.token is missing", secrets.open { backend = "vault", url = "https://vault.example", auth = { method = "token" } })
        assert.is_nil((secrets.open { backend = "vault", url = "nonsense", auth = token }))
        assert.has_error(function() secrets.open { backend = "vault", url = "https://x.example", auth = token, path = "a/../{key}" } end)
        assert.has_error(function() secrets.open { backend = "vault", url = "https://x.example", auth = token, path = "a/b" } end)
        assert.has_error(function() secrets.open { backend = "vault", url = "https://x.example", auth = token, skip_verify = true } end)
    end)
end)

describe("configurations", function()
    before_each(fresh)
    after_each(function()
        secrets.forget()
        cleanup()
    end)
    it("open what the runtime's would, or say what they cannot", function()
        local path = dir .. "/s.json"
        assert(symio.write_file(path, '{"a":"1-2-3-4"}', 384))
        local s = assert(secrets.from_config { type = "file", path = path, watch_for_changes = true, permissions = 384 })
        assert.equal("1-2-3-4", s:get "a")
        s:close()
        assert(symio.write_file(dir .. "/key", "master\n", 384))
        local c = { type = "file", path = dir .. "/enc.json", encryption = { enabled = true, algorithm = "AES-256-GCM", kdf = "PBKDF2", key = { provider = "file", file_path = dir .. "/key" } } }
        s = assert(secrets.from_config(c))
        assert(s:set("a", "b"))
        assert.equal("Argon2id-m65536-t3-p1", symbi.json.decode(assert(symio.read_file(dir .. "/enc.json"))).kdf) -- the runtime reads it too
        s:close()
        c.encryption.key = { provider = "env", env_var = "SYMBI_NO_SUCH_VARIABLE" }
        s = assert(secrets.from_config(c))
        failed("ENOTFOUND", "SYMBI_NO_SUCH_VARIABLE, which is not set", s:get "a")
        s:close()
        local function bad(code, part, config, options) failed(code, part, secrets.from_config(config, options)) end
        bad("ESCHEMA", "type must be", { type = "keychain" })
        bad("ESCHEMA", "pth is no setting", { type = "file", path = "x", pth = "y" })
        bad("ESCHEMA", "encryption.kfd is no setting", { type = "file", path = "x", encryption = { kfd = 1 } })
        bad("ESCHEMA", "path must be", { type = "file" })
        bad("EUNSUPPORTED", "keychains", { type = "file", path = "x", encryption = { enabled = true, key = { provider = "os_keychain" } } })
        bad("EUNSUPPORTED", "AES-256-GCM", { type = "file", path = "x", encryption = { enabled = true, algorithm = "DES" } })
        bad("EUNSUPPORTED", "backup", { type = "file", path = "x", backup = { enabled = true } })
        bad("EUNSUPPORTED", "0600", { type = "file", path = "x", permissions = 420 })
        bad("EINVAL", "asks for a trail", { type = "file", path = "x", common = { audit = { file_path = "y" } } })
        bad("ESCHEMA", "failure_mode", { type = "file", path = "x", common = { audit = { failure_mode = "loose" } } }, { audit = {} })
        local v = { type = "vault", url = "https://v.example", auth = { method = "token", token = "t" } }
        s = assert(secrets.from_config(v))
        s:close()
        v.tls = { skip_verify = true }
        bad("EDENIED", "certificates are always checked", v)
        v.tls = { ca_cert = "/x" }
        bad("EUNSUPPORTED", "tls.ca_cert", v)
        v.tls, v.auth = nil, { method = "aws", region = "x" }
        bad("EUNSUPPORTED", "aws", v)
    end)
end)

describe("core.secrets", function()
    it("opens and seals texts", function()
        local box = assert(core.secrets.box_seal("x", RAW, { kind = "raw" }))
        assert.equal("x", core.secrets.box_open(box, RAW, { kind = "raw" }))
        local v, _, err = core.secrets.box_open(box:sub(1, 10), RAW, { kind = "raw" })
        assert.is_nil(v)
        assert.equal("TRUNCATED", err.reason)
        assert.equal("the file is cut off", core.secrets.reasons.TRUNCATED)
        assert.is_nil(core.secrets.guess "x")
        assert.has_error(function() core.secrets.box_open("x", "y", { kind = "zip" }) end)
        assert.has_error(function() core.secrets.read("x", "ini") end)
        local m = core.secrets.map()
        m:close()
        assert.has_error(function() m:get "x" end)
        local scope = core.secrets.scope { a = { "x" } }
        assert.is_true(scope:allows("a", "x"))
        assert.is_false(scope:allows("a", "x", "write"))
        scope:close()
        assert.has_error(function() scope:allows("a", "x") end)
    end)
end)
