-- symbi.core.schemapin with each allocation failing in turn: documents, pins, checks, folders, bundles, a lookup.
local core = require "symbi.core"
local sp = core.schemapin
local private, public = sp.keypair()
assert(private, public)
local function try(value, message, err)
    if value == nil and message ~= nil then error(err or message, 0) end
    return value, message
end
local schema = '{"b":[1,2.5,{"y":null}],"a":"\\u00e9","a":"x"}'
return function()
    local discovery = try(sp.discovery { schema_version = "1.2", developer_name = "D", public_key_pem = public, revoked_keys = core.array { "sha256:00" } })
    local hash = try(sp.hash(schema))
    local signature = try(sp.sign(private, (hash:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))))
    local pins = try(sp.pins('{"t@d.com":"sha256:aa"}'))
    local cache = try(sp.cache())
    for _ = 1, 3 do
        local r = try(sp.check { schema = schema, signature = signature, domain = "example.com", tool_id = "add", discovery = discovery, pins = pins, cache = cache, now = 1780000000,
            revocation = try(sp.revocation '{"revoked_keys":[]}'), a2a = { trusted_domains = { "example.com" } } })
        assert(r.valid and #r.warnings == 1 and r:table().valid and r.key_pinning)
    end
    assert(#pins:list() == 2 and pins:find("add", "example.com") and try(pins:json()))
    local folder = try(sp.folder())
    for _, name in ipairs { "b", "a/c" } do
        try(folder:begin(name, "file"))
        try(folder:data(name))
        try(folder:finish())
    end
    assert(try(folder:manifest()).b)
    local sig = try(sp.skill_sign(folder, private, { skill_name = "s", domain = "d.com", now = 1780000000, expires_in = 60 }))
    local r = try(sp.check_skill { folder = folder, signature = sig, discovery = discovery, domain = "d.com", now = 1780000000 })
    assert(r.valid and r.digest == folder:root())
    assert(#try(sp.tampered({ a = "1" }, { a = "2" })).modified == 1)
    local bundle = try(sp.bundle_merge { { created_at = "x", documents = core.array { { domain = "a.com" } } }, { created_at = "y", documents = core.array { { domain = "b.com" } } } })
    bundle = try(sp.bundle_sign(bundle, private, { kid = "k", now = 1780000000 }))
    assert(try(sp.check_bundle { bundle = bundle, authority = { try(sp.fingerprint(public)) }, now = 1780000000 }).valid)
    local m = try(sp.online("example.com", true))
    local ask = try(m:next())
    try(m:resolve(ask.id, { status = 200, body = '{"schema_version":"1.2","public_key_pem":"' .. public:gsub("\n", "\\n") .. '"}' }))
    ask = try(m:next())
    try(m:resolve(ask.id, { records = { "v=schemapin1; fp=sha256:00" } }))
    assert(m:found().dns_fingerprint == "sha256:00")
    return true
end
