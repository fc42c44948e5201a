-- The codecs of the wire, in and out, refusals included.
local wire = require("symbi.core").wire
return function()
    local u = wire.url "https://h.example:8443/p?q=1#f"
    local joined, message = wire.join("http://h/a/b", "../c")
    if not u or not joined then return nil, message or "no memory" end
    local refused, why = wire.url "http://u@h/"
    if refused or not why then return nil, "no reason" end
    local s = wire.sse()
    if not s then return nil, "no decoder" end
    local events, m = s:feed("event: a\ndata: 1\ndata: " .. ("2"):rep(300) .. "\n\nid: 7\nretry: 5\ndata:x\n\n")
    if not events then return nil, m end
    local h = wire.http1()
    if not h then return nil, "no codec" end
    local bytes, wm = wire.response { status = 403, headers = { { "X-A", "b" }, { "X-C", "d" } }, body = "no" }
    if not bytes then return nil, wm end
    local body, done = h:feed(bytes)
    if not body then return nil, done end
    local head = h:head()
    local rq, rm = wire.request { url = "http://h/x", method = "POST", headers = { { "A", "b" } }, body = "z" }
    if not rq then return nil, rm end
    local chunk, cm = wire.chunk "abc"
    if not chunk then return nil, cm end
    assert(#events == 2 and body == "no" and done == true and head.status == 403 and joined == "http://h/c")
    return true, "two results"
end
