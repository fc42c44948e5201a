-- Maps, containers (with a key that costs nothing), scopes, redaction.
local secrets = require("symbi.core").secrets
local KEY = "LXLgFlAy70hL6LBG5CTk2TqjTBux4Nir7jYHWmPgXoc="
return function()
    local map, message = secrets.read('{"a":"hunter2","n":[1,{"x":2}]}')
    if not map then return nil, message end
    local ok, why = map:set("b", "correct horse")
    if not ok then return nil, why end
    local scope = secrets.scope { agent = { "a*", "b" } }
    if not scope then return nil, "no memory for a scope" end
    local keys = map:keys(scope, "agent")
    assert(#keys == 2)
    local value, m, err = map:get("n", scope, "agent")
    if err.code == "ENOMEM" then return nil, m end
    assert(value == nil and err.code == "EDENIED")
    value, m = map:get("a", scope, "agent")
    if not value then return nil, m end
    local box = map:seal(KEY, { kind = "raw" })
    if not box then return nil, "no memory to seal" end
    local again
    again, m = secrets.open(box, KEY, { kind = "raw" })
    if not again then return nil, m end
    assert(again:count() == 3)
    local r = secrets.redactor()
    if not r or not r:add(value) then return nil, "no memory for a redactor" end
    local text, masked = r:apply "a hunter2 b", r:mask { password = 1, note = "hunter2", mail = { "a@b.org" } }
    if not text or not masked then return nil, "no memory to redact" end
    assert(text == "a [REDACTED] b" and masked.note == "[REDACTED]" and masked.password == "***")
    map:delete "a"
    return true
end
