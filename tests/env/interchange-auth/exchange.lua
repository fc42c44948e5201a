-- Our side of tests/env/interchange-auth/run: exchange.lua THEIRS OURS VERDICTS.
local symbi = require "symbi"
local crypto, json = symbi.crypto, symbi.json
local N = 200

local managers = {}
for _, alg in ipairs { "HS256", "HS384", "HS512" } do
    managers[alg] = assert(symbi.auth.manager { jwt_secret_key = "exchange-secret-" .. alg .. "-0123456789abcdef", jwt_algorithm = alg })
end

local function same(a, b)
    table.sort(a)
    table.sort(b)
    return table.concat(a, "\0") == table.concat(b, "\0") and #a == #b
end

local function verdict(c)
    if c.kind == "token" then
        local m = managers[c.alg]
        local user = m.core:validate(c.token, nil, c.type)
        return user ~= nil and user.user_id == c.user and same(user.roles, c.roles) and same(user.permissions, c.permissions)
    end
    local v = assert(symbi.webhook.hmac { secret = crypto.unhex(c.secret), header = "X-Sig", prefix = c.prefix ~= "" and c.prefix or nil })
    local good = v:verify({ ["x-sig"] = c.signature }, crypto.unhex(c.body)) ~= nil
    v:close()
    return good
end

local out = assert(io.open(arg[3], "w"))
for line in io.lines(arg[1]) do
    local c = assert(json.decode(line))
    c.verdict = verdict(c)
    out:write(json.encode(c), "\n")
end
out:close()

local function bytes(max) return crypto.random(1 + crypto.random(2):byte(1) * 256 % max) end
local function pick(list) return list[crypto.random(1):byte() % #list + 1] end

out = assert(io.open(arg[2], "w"))
for _ = 1, N do
    local alg, kind = pick { "HS256", "HS384", "HS512" }, pick { "access", "refresh", "api_key" }
    local user = { user_id = crypto.hex(bytes(20)) .. "é\"\\", roles = symbi.array { pick { "user", "admin", "日本" } }, permissions = symbi.array { pick { "read", "admin" }, "execute" } }
    local token = assert(managers[alg]:generate_token(user, kind))
    out:write(json.encode { kind = "token", alg = alg, type = kind, user = user.user_id, roles = user.roles, permissions = user.permissions, token = token }, "\n")
end
for _ = 1, N do
    local secret, body, prefix = bytes(100), bytes(5000), pick { "", "sha256=", "v1," }
    out:write(json.encode { kind = "hmac", secret = crypto.hex(secret), body = crypto.hex(body), prefix = prefix, signature = prefix .. crypto.hmac_sha256(secret, body) }, "\n")
end
for _ = 1, N do
    local secret = crypto.hex(crypto.random(20))
    local token = assert(symbi.jwt.sign({ iss = "me", exp = os.time() + 60, iat = os.time() }, { alg = "HS256", secret = secret }))
    out:write(json.encode { kind = "jwt-webhook", secret = secret, token = token }, "\n")
end
out:close()
