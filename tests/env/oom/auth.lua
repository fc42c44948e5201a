-- Sessions, roles, API keys (with a cheap hash), revocation in a store.
local core = require "symbi.core"
return function()
    local store, message = core.audit.memstore()
    if not store then return nil, message end
    local a, why = core.auth.new { secret = ("k"):rep(32) }
    if not a then return nil, why end
    a:use_store(store)
    local e
    local access, refresh = a:login({ user_id = "u", roles = { "user" }, permissions = { "read" } }, 1000)
    if not access then return nil, refresh end
    local user, m = a:validate(access, 1000)
    if not user then return nil, m end
    assert(user.user_id == "u" and a:permitted(user.roles, "write", 1000))
    local access2, refresh2
    access2, refresh2, e = a:refresh(refresh, 1000)
    if not access2 then return nil, refresh2 end
    assert(e.user_id == "u")
    local ok
    ok, m, e = a:refresh(refresh, 1000)
    if e.code == "ENOMEM" then return nil, m end
    assert(ok == nil and e.reason == "REUSED", m)
    ok, m = a:role("night", { "delete" }, 2000)
    if not ok then return nil, m end
    local keys
    keys, m = core.auth.keys()
    if not keys then return nil, m end
    local key
    key, m = keys:create({ agent_scope = { "x" }, permissions = { "read" }, cost = { m_kib = 8, t = 1, p = 1 } }, 1000)
    if not key then return nil, m end
    local hit
    hit, m = keys:check(key, 1000)
    if not hit then return nil, m end
    ok, m = keys:revoke(hit.key_id)
    if not ok then return nil, m end
    return keys:text(), "no memory to write"
end
