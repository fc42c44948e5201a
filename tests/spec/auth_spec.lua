--- symbi.auth from Lua: the manager, the key file and what can be wrong with it, roles, small texts.
local core = require "symbi.core"
local symbi = require "symbi"
local auth = symbi.auth
local symio = symbi.io

local SECRET = "unit-test-secret-key-0123456789abcdef"
local CHEAP = { m_kib = 8, t = 1, p = 1 }
do
    local m = assert(auth.manager { jwt_secret_key = SECRET }) -- fetched once per state
    m:authenticate_with_jwt(m:generate_tokens({ user_id = "u" }).access)
    m:close()
    local k = core.auth.keys()
    k:check("a.b", 0)
    k:close()
end

local dir
local function fresh()
    dir = os.tmpname()
    os.remove(dir)
    assert(symio.mkdir(dir, { mode = 448 }))
end
local function cleanup()
    assert(symio.remove_tree(dir))
end
local function failed(code, part, value, message, err)
    assert.is_nil(value)
    assert.equal(code, err.code)
    assert.truthy(message:find(part, 1, true), message)
    return err
end

describe("tokens", function()
    local now
    local function manager(o)
        o = o or {}
        o.jwt_secret_key = o.jwt_secret_key or SECRET
        o.now = function() return now end
        now = 1000
        return assert(auth.manager(o))
    end

    it("open the door, each type its own", function()
        local m = manager()
        local t = assert(m:generate_tokens { user_id = "u1", roles = { "user" }, permissions = { "read", "write" } })
        local user = assert(m:authenticate("jwt", { token = t.access }))
        assert.equal("u1", user.user_id)
        assert.same({ "user" }, user.roles)
        assert.same({ "read", "write" }, user.permissions)
        assert.is_true(user.authenticated)
        assert.equal(4600, user.expires_at)
        assert.equal("TYPE", failed("EVERIFY", "another type", m:authenticate_with_jwt(t.refresh)).reason)
        now = 4600
        local err = failed("EVERIFY", "expired", m:authenticate_with_jwt(t.access))
        assert.equal("JWT", err.reason)
        assert.equal("EXPIRED", err.jwt_reason)
        assert.equal("JWT", failed("EVERIFY", "", m:authenticate_with_jwt "a.b").reason)
        m:close()
    end)

    it("are refreshed once", function()
        local m = manager()
        local t = assert(m:generate_tokens { user_id = "u1", roles = { "user" } })
        local u = assert(m:refresh_token(t.refresh))
        assert.equal("Bearer", u.token_type)
        assert.equal(3600, u.expires_in)
        assert.equal("u1", u.user.user_id)
        assert(m:authenticate_with_jwt(u.access_token))
        assert.equal("REUSED", failed("EVERIFY", "used before", m:refresh_token(t.refresh)).reason)
        assert.equal("REVOKED", failed("EVERIFY", "revoked", m:authenticate_with_jwt(u.access)).reason)
        assert.equal("TYPE", failed("EVERIFY", "another type", m:refresh_token(t.access)).reason)
        m:close()
        m = manager { enable_refresh_tokens = false }
        t = assert(m:generate_tokens { user_id = "u1" })
        assert.is_nil(t.refresh)
        assert.equal("DISABLED", failed("EDENIED", "disabled", m:refresh_token "x").reason)
        m:close()
    end)

    it("end with a logout, everywhere and for good", function()
        local store = symbi.store.memory()
        local a, b = manager { store = store }, manager { store = store }
        local t = assert(a:generate_tokens { user_id = "u1" })
        assert(b:authenticate_with_jwt(t.access))
        assert.is_true(a:logout(t.access))
        assert.equal("REVOKED", failed("EVERIFY", "revoked", b:authenticate_with_jwt(t.access)).reason)
        assert.equal("REVOKED", failed("EVERIFY", "revoked", b:refresh_token(t.refresh)).reason)
        a:close()
        b:close()
        store:close()
    end)

    it("are used once across processes and restarts with the store of a state folder", function()
        local folder = os.tmpname()
        os.remove(folder)
        local one, two = assert(symbi.store.open(folder)), assert(symbi.store.open(folder))
        local a, b = manager { store = one }, manager { store = two }
        local t = assert(a:generate_tokens { user_id = "u1" })
        assert(a:refresh_token(t.refresh))
        assert.equal("REUSED", failed("EVERIFY", "used before", b:refresh_token(t.refresh)).reason)
        a:close() b:close() one:close() two:close()
        one = assert(symbi.store.open(folder))
        a = manager { store = one }
        assert.equal("REVOKED", failed("EVERIFY", "revoked", a:authenticate_with_jwt(t.access)).reason)
        a:close() one:close()
        assert(symbi.io.remove_tree(folder))
    end)

    it("may be those of the SDK, byte for byte", function()
        local m = manager { plain_tokens = true, jwt_secret_key = "unit-test-secret-key-32-bytes-long!!" }
        now = 1767225600
        local t = assert(m:generate_token({ user_id = "u1", permissions = { "read" } }, "access"))
        -- from PyJWT, through the SDK (shared vectors, rest/auth_jwt.json)
        assert.equal("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1MSIsImlhdCI6MTc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwLCJpc3MiOiJzeW1iaW9udCIsImF1ZCI6InN5bWJpb250LWFwaSIsInR5cGUiOiJhY2Nlc3MiLCJyb2xlcyI6W10sInBlcm1pc3Npb25zIjpbInJlYWQiXX0.bze5Am0cz0eulSNaKUkZc7T2mefKwYPR77G9iYVCDLc", t)
        m:close()
    end)

    it("need a key that fits", function()
        failed("EINVAL", "5 bytes; 32 are the least", auth.manager { jwt_secret_key = "short" })
        local m = assert(auth.manager { jwt_secret_key = "short", short_secret = true })
        m:close()
        failed("EINVAL", "JWT algorithm is required", auth.manager { jwt_secret_key = SECRET, jwt_algorithm = "none" })
        m = assert(auth.manager {})
        failed("ESTATE", "JWT secret key is required", m:generate_tokens { user_id = "u" })
        failed("ESTATE", "JWT secret key is required", m:authenticate_with_jwt "x")
        assert.is_true(m:validate_permissions({ roles = { "user" } }, "write"))
        m:close()
        local key = symbi.crypto.ed25519()
        m = assert(auth.manager { key = key, sign_key = key, jwt_algorithm = "EdDSA" })
        assert(m:authenticate_with_jwt(m:generate_tokens({ user_id = "u" }).access))
        m:close()
        assert.has_error(function() auth.manager { jwt_secert = "x" } end)
        assert.has_error(function() auth.manager { jwt_secret_key = SECRET, key = 5 } end)
    end)
end)

describe("roles", function()
    it("grant; what a token lists does not", function()
        local now = 100
        local m = assert(auth.manager { now = function() return now end })
        assert.is_true(m:validate_permissions({ roles = { "readonly" } }, "READ"))
        assert.is_false(m:validate_permissions({ roles = { "readonly" }, permissions = { "admin" } }, "write"))
        assert.is_true(m:validate_permissions({ roles = { "admin" } }, "delete"))
        assert.is_false(m:validate_permissions({ roles = { "admin" } }, "fly"))
        assert.is_false(m:validate_permissions({}, "read"))
        assert.is_false(m:validate_permissions(nil, "read"))
        assert.is_false(m:validate_permissions({ roles = { "admin" } }, nil))
        assert(m:create_role { name = "night", permissions = { "delete" }, expires_at = 200 })
        assert.is_true(m:validate_permissions({ roles = { "night" } }, "delete"))
        now = 200
        assert.is_false(m:validate_permissions({ roles = { "night" } }, "delete"))
        assert.same({ "read", "write", "execute" }, m:get_user_permissions { roles = { "user" } })
        assert(m:create_role { name = "day", permissions = { "delete" }, expires_at = symbi.null })
        assert.is_true(m:validate_permissions({ roles = { "day" } }, "delete"))
        assert.has_error(function() m:create_role { name = "x", permissions = { "fly" } } end)
        m:close()
    end)
end)

describe("API keys", function()
    before_each(fresh)
    after_each(cleanup)

    it("are made, found, limited and revoked", function()
        local path = dir .. "/keys.json"
        local keys = auth.api_keys(path)
        local now = 1000
        local key = assert(keys:create({ description = "ci", agent_scope = { "a1" }, permissions = { "read" }, expires_at = 5000, cost = CHEAP }, now))
        local all = assert(keys:create({ key_id = "ops", cost = CHEAP }, now))
        assert.equal(384, symio.stat(path).mode)
        local text = assert(symio.read_file(path))
        assert.is_nil(text:find(key:match "%.(.*)$", 1, true))
        local m = assert(auth.manager { api_keys_file = path, now = function() return now end })
        local user = assert(m:authenticate("api_key", { api_key = key }))
        assert.same({ "a1" }, user.agent_scope)
        assert.is_true(m:validate_permissions(user, "Read"))
        assert.is_false(m:validate_permissions(user, "write"))
        assert.is_true(m:may_agent(user, "a1"))
        assert.is_false(m:may_agent(user, "a2"))
        user = assert(m:authenticate("api_key", { api_key = all }))
        assert.equal("ops", user.user_id)
        assert.is_true(m:may_agent(user, "a2"))
        assert.is_true(m:validate_permissions(user, "delete"))
        assert.is_false(m:may_agent(nil, "a2"))
        -- the same words whatever is wrong; the reason is for the log
        for reason, presented in pairs { MISMATCH = key .. "x", UNKNOWN = "nope.x", MALFORMED = "", LEGACY = "legacy" } do
            assert.equal(reason, failed("EVERIFY", "Invalid API key", m:authenticate_with_api_key(presented)).reason)
        end
        now = 5000
        assert.equal("EXPIRED", failed("EVERIFY", "Invalid API key", m:authenticate_with_api_key(key)).reason)
        assert(os.execute("ln -s keys.json " .. dir .. "/keys-link.json")) -- by another name of the same file
        local link = auth.api_keys(dir .. "/keys-link.json")
        assert.is_true(link:revoke "ops") -- another process does that: the manager sees it
        assert.equal("link", symio.stat(dir .. "/keys-link.json", { follow = false }).type)
        link:close()
        assert.equal("REVOKED", failed("EVERIFY", "Invalid API key", m:authenticate_with_api_key(all)).reason)
        failed("ENOTFOUND", "no key nope", keys:revoke "nope")
        local list = assert(keys:list())
        assert.equal(2, #list)
        assert.is_nil(list[1].key_hash)
        m:close()
        keys:close()
    end)

    it("refuse everyone when the file cannot be trusted", function()
        local path = dir .. "/keys.json"
        local keys = auth.api_keys(path)
        failed("EVERIFY", "Invalid API key", keys:check("a.b", 0)) -- no file is no keys
        local key = assert(keys:create({ cost = CHEAP }, 0))
        assert(keys:check(key, 0))
        local good = assert(symio.read_file(path))
        assert(symio.write_file(path, good, 416))
        failed("EDENIED", "API keys file " .. path .. " has insecure mode 0640; expected 0600. Run: chmod 600 " .. path, keys:check(key, 0))
        assert(symio.write_file(path, good:sub(1, 30), 384))
        failed("EPARSE", "Failed to parse API keys JSON", keys:check(key, 0))
        failed("EPARSE", "Failed to parse API keys JSON", keys:create({ cost = CHEAP }, 0)) -- and is not written over
        assert.equal(good:sub(1, 30), (assert(symio.read_file(path))))
        assert(symio.write_file(path, "{}", 384))
        failed("ESCHEMA", "list of records", keys:check(key, 0))
        assert(symio.write_file(path, good, 384))
        assert(keys:check(key, 0))
        os.remove(path)
        failed("EVERIFY", "Invalid API key", keys:check(key, 0))
        keys:close()
    end)

    it("have the SDK's stub only behind its name", function()
        local m = assert(auth.manager {})
        failed("EVERIFY", "Invalid API key", m:authenticate_with_api_key "anything")
        m:close()
        m = assert(auth.manager { insecure_accept_any_api_key = true })
        assert.equal("0f2c10bf3d128c71", m:authenticate_with_api_key("sk-1").user_id) -- shared vectors, auth/seed_api_key.json
        assert.is_true(m:validate_permissions(m:authenticate_with_api_key "sk-1", "write"))
        assert.is_false(m:validate_permissions(m:authenticate_with_api_key "sk-1", "admin"))
        failed("EVERIFY", "Invalid API key", m:authenticate_with_api_key "")
        local f = io.open((os.getenv "SYMBI_VECTORS" or "../shared/vectors") .. "/auth/seed_api_key.json", "rb")
        for _, c in ipairs(f and symbi.json.decode(f:read "*a").cases or {}) do
            local user = m:authenticate_with_api_key(c.api_key)
            if c.user == symbi.null then
                assert.is_nil(user)
            else
                table.sort(user.permissions)
                assert.same({ c.user.user_id, c.user.roles, c.user.permissions }, { user.user_id, user.roles, user.permissions })
            end
        end
        if f then f:close() end
        m:close()
    end)

    it("go beside providers of one's own", function()
        local m = assert(auth.manager {})
        m:register_auth_provider("none", function() return nil end)
        m:register_auth_provider("ldap", { authenticate = function(_, c) return c.user == "x" and { user_id = "x" } or nil end })
        assert.equal("x", m:authenticate("basic", { user = "x" }).user_id)
        failed("EVERIFY", "no provider", m:authenticate("basic", { user = "y" }))
        m:close()
    end)
end)

describe("small texts", function()
    it("mean one thing", function()
        assert.equal("production", auth.environment " PROD ")
        assert.equal("development", auth.environment())
        failed("EINVAL", "allowed values are", auth.environment "production-like")
        assert.equal("abcdefgh", auth.check_token " abcdefgh\n")
        local err = failed("EINVAL", "placeholder", auth.check_token "Tester12")
        assert.is_nil(err.message:find("Tester12", 1, true))
        assert.is_true(auth.same_token("abcdefgh", "abcdefgh"))
        assert.is_false(auth.same_token("abcdefgh", "abcdefgx"))
        assert.is_false(auth.same_token("", ""))
        assert.equal("x.y", auth.bearer "Bearer x.y")
        for _, bad in ipairs { "bearer x", "Bearer  x", "Bearer x y", "Bearer ", "Basic x" } do assert.is_nil(auth.bearer(bad)) end
        assert.is_nil(auth.bearer(nil))
        assert.equal("the key is revoked", core.auth.key_reasons.REVOKED)
        assert.equal("the token was revoked", core.auth.reasons.REVOKED)
        assert.is_true(core.auth.in_scope(nil, "a"))
        assert.is_false(core.auth.in_scope({}, "a"))
        assert.has_error(function() core.auth.in_scope({ 5 }, "a") end)
    end)
end)
