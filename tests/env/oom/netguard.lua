-- Policies, URLs, answers of resolvers, redirects, DNS; refusals included.
local netguard = require("symbi.core").netguard
return function()
    local p, message = netguard.policy { allow = { "localhost", "*.x.example", "10.0.0.0/8", "[::1]:9" }, deny = { "10.6.6.6" }, ports = { 80, 443 }, max_redirects = 2 }
    if not p then return nil, message end
    local t, m = netguard.check("https://EXAMPLE.com./x", p)
    if not t then return nil, m end
    local refused, why, err = netguard.check("http://0x7f.1/", { lenient = true })
    if err.code == "ENOMEM" then return nil, why end
    assert(refused == nil and err.refused == "loopback")
    local list
    list, m = netguard.pick("http://a.x.example/", { "10.1.1.1", "8.8.8.8", "::ffff:127.0.0.1" }, p)
    if not list then return nil, m end
    local hop
    hop, m = netguard.redirect { url = "https://a.x.example/b/c", status = 302, location = "../d?e", policy = p }
    if not hop then return nil, m end
    local limits = p:limits()
    p:close()
    local q = netguard.dns_query("a.example", "TXT", 258)
    local answer
    answer, m = netguard.dns_read("\1\2\129\128\0\1\0\1\0\0\0\0" .. q:sub(13) .. "\192\12\0\16\0\1\0\0\0\60\0\7\3abc\2de", "a.example", "TXT", 258)
    if not answer then return nil, m end
    assert(t.host == "example.com" and #list == 3 and hop.url == "https://a.x.example/d?e" and limits.max_redirects == 2 and answer[1] == "abcde")
    return true, "two results"
end
