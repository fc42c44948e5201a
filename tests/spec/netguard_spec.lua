--- symbi.netguard from Lua: URLs, policies, answers of resolvers, redirects, DNS messages, and requests that are refused.
local symbi = require "symbi"
local netguard, symio = symbi.netguard, symbi.io

local function refusal(url, policy)
    local target, message, err = netguard.check(url, policy)
    if target then return nil end
    assert.is_string(message)
    assert.equal(message, err.message)
    assert.truthy(netguard.reasons[err.refused], tostring(err.refused))
    return err.refused, err.code, message
end

describe("symbi.netguard", function()
    after_each(function() symio.close() end)

    it("reads URLs", function()
        assert.same({ host = "example.com", port = 8443, tls = true, allowed = false }, netguard.check "https://EXAMPLE.com.:8443/x")
        assert.same({ host = "8.8.8.8", port = 80, tls = false, allowed = false, address = "8.8.8.8" }, netguard.check "http://8.8.8.8")
        assert.equal("2606:4700::1111", netguard.check("http://[2606:4700:0::1111]/").address)
        assert.has_error(function() netguard.check() end)
        assert.has_error(function() netguard.check("http://a.example/", 3) end)
    end)

    it("refuses what is not public, however it is written", function()
        local t = {
            ["http://127.0.0.1/"] = "loopback", ["http://0x7f.1/"] = "loopback", ["http://2130706433/"] = "loopback", ["http://[::1]/"] = "loopback",
            ["http://[::ffff:7f00:1]/"] = "embedded", ["http://10.1.2.3/"] = "private", ["http://169.254.169.254/"] = "metadata", ["http://localhost/"] = "local_name",
            ["http://a.b.internal./"] = "local_name", ["http://intranet/"] = "bare_name", ["https://u:p@example.com/"] = "userinfo", ["http://exa%6dple.com/"] = "encoded",
            ["http://0x08080808/"] = "number", ["http://example.com:0/"] = "port", ["http://a b/"] = "host", ["file:///etc/passwd"] = "scheme", ["x"] = "url",
        }
        for url, why in pairs(t) do
            local got, code = refusal(url)
            assert.equal(why, got, url)
            assert.truthy(code == "EDENIED" or code == "EPARSE")
        end
        assert.equal("SSRF: refusing non-public IPv4 127.0.0.1", (select(3, refusal "http://127.1/")))
    end)

    it("has policies", function()
        local p = assert(netguard.policy { allow = { "localhost:8080", "10.0.0.0/8" }, deny = { "10.6.6.6" }, ports = { 80, 8080 }, max_redirects = 2 })
        assert.is_true(netguard.check("http://localhost:8080/", p).allowed)
        assert.equal("local_name", (refusal("http://localhost/", p)))
        assert.is_table(netguard.check("http://10.1.1.1/", p))
        assert.equal("denied", (refusal("http://10.6.6.6/", p)))
        assert.equal("port", (refusal("http://example.com:81/", p)))
        assert.same({ https_only = false, lenient = false, max_redirects = 2, max_bytes = 0, max_header_bytes = 65536, timeout_ms = 0 }, p:limits())
        p:close()
        p:close()
        assert.has_error(function() netguard.check("http://example.com/", p) end)
        assert.is_table(netguard.check("http://user@example.com/", { lenient = true })) -- a table is read anew
        assert.is_userdata(netguard.policy {})
        for _, bad in ipairs { { alow = {} }, { allow = { "*" } }, { allow = "x" }, { ports = { 0 } }, { max_redirects = 21 }, { allow = { "10.0.0.1/8" } } } do
            local nothing, message, err = netguard.policy(bad)
            assert.is_nil(nothing)
            assert.is_string(message)
            assert.equal("ESCHEMA", err.code)
        end
        local _, message = netguard.check("http://example.com/", { alow = {} })
        assert.truthy(message:find("alow", 1, true))
    end)

    it("tells the operator's URLs apart", function()
        assert.is_true(netguard.operator("http://localhost:11434/v1").allowed)
        assert.equal("number", (select(3, netguard.operator("http://127.1/")).refused))
        assert.same({ "127.0.0.1", "172.17.0.2" }, netguard.pick("http://ollama:11434", { "127.0.0.1", "172.17.0.2", "169.254.169.254" }, nil, true))
    end)

    it("picks from a resolver's answers", function()
        assert.same({ "8.8.8.8", "2606:4700::1" }, netguard.pick("http://a.example/", { "127.0.0.1", "8.8.8.8", "::1", "2606:4700::1", "::ffff:10.0.0.1" }))
        local nothing, message, err = netguard.pick("http://a.example/", { "127.0.0.1" })
        assert.is_nil(nothing)
        assert.equal("loopback", err.refused)
        assert.truthy(message:find("127.0.0.1", 1, true))
        assert.equal("no_address", (select(3, netguard.pick("http://a.example/", {})).refused))
        assert.equal("EPARSE", (select(3, netguard.pick("http://a.example/", { "127.1" })).code))
        assert.has_error(function() netguard.pick("http://a.example/", { {} }) end)
    end)

    it("follows redirects with judgement", function()
        local p = assert(netguard.policy { max_redirects = 2 })
        local function hop(location, t)
            t = t or {}
            t.url, t.location, t.policy, t.status = t.url or "https://a.example/x", location, p, t.status or 302
            return netguard.redirect(t)
        end
        assert.same({ url = "https://a.example/y", get = false, cross_origin = false }, hop "y")
        assert.same({ url = "https://b.example/", get = true, cross_origin = true }, hop("https://b.example/", { method = "POST", body_bytes = 5 }))
        assert.is_false((hop("y", { status = 200 })))
        assert.is_false((netguard.redirect { url = "https://a.example/", status = 302, location = "/y" })) -- the strict policy follows none
        for location, why in pairs { ["http://a.example/"] = "redirect", ["https://127.0.0.1/"] = "loopback", ["file:///x"] = "scheme" } do
            local nothing, _, err = hop(location)
            assert.is_nil(nothing)
            assert.equal(why, err.refused)
        end
        assert.equal("redirect", (select(3, hop("y", { hops = 2 })).refused))
        assert.is_true(netguard.keeps_header "Accept")
        assert.is_false(netguard.keeps_header "authorization")
        assert.has_error(function() netguard.redirect { uri = "x" } end)
    end)

    it("knows addresses", function()
        assert.is_nil((netguard.class "8.8.8.8"))
        assert.equal("shared", netguard.class "100.64.0.1")
        assert.same({ "embedded", "127.0.0.1" }, { netguard.class "64:ff9b::7f00:1" })
        assert.equal("EPARSE", (select(3, netguard.class "127.1").code))
        assert.equal("127.0.0.1", netguard.legacy_v4 "0177.1")
        assert.is_nil((netguard.legacy_v4 "a.b"))
    end)

    it("speaks DNS", function()
        local q = assert(netguard.dns_query("a.example", "A", 258))
        assert.equal("\1\2\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1", q)
        local answer = "\1\2\129\128\0\1\0\1\0\0\0\0" .. q:sub(13) .. "\192\12\0\1\0\1\0\0\0\60\0\4\8\8\4\4"
        assert.same({ "8.8.4.4", rcode = 0, truncated = false, ttl = 60 }, netguard.dns_read(answer, "A.example", "A", 258))
        local nothing, _, err = netguard.dns_read(answer, "a.example", "A", 259)
        assert.is_nil(nothing)
        assert.equal("EPARSE", err.code)
        q = assert(netguard.dns_query("a.example", "TXT", 258))
        answer = "\1\2\129\128\0\1\0\1\0\0\0\0" .. q:sub(13) .. "\192\12\0\16\0\1\0\0\0\60\0\7\3abc\2de"
        assert.equal("abcde", netguard.dns_read(answer, "a.example", "TXT", 258)[1])
        assert.is_nil((netguard.dns_query("a..b", "A", 1)))
        assert.has_error(function() netguard.dns_query("a", "MX", 1) end)
    end)

    it("stands before every request", function()
        local refused = { ["http://127.0.0.1:1/"] = "loopback", ["http://localhost:1/"] = "local_name", ["http://169.254.169.254/"] = "metadata" }
        for url, why in pairs(refused) do
            local nothing, message, err = symio.http { url = url }
            assert.is_nil(nothing)
            assert.equal("EDENIED", err.code)
            assert.equal("denied", err.reason)
            assert.equal(why, err.refused)
            assert.truthy(message:find("^SSRF: "))
            err = select(3, symio.transfer { url = url, stream = true })
            assert.equal(why, err.refused)
            local loop = symio.loop()
            err = select(3, loop:http { url = url })
            assert.equal(why, err.refused)
            loop:close()
        end
        local policy = assert(netguard.policy { allow = { "127.0.0.1" } })
        assert.equal("refused", (select(3, symio.http { url = "http://127.0.0.1:1/", guard = policy }).reason)) -- nobody listens there
        assert.equal("refused", (select(3, symio.http { url = "http://127.0.0.1:1/", by_operator = true }).reason))
        assert.equal("loopback", (select(3, symio.fetch { url = "http://127.0.0.1:1/" }).refused))
        local tasks = require("symbi.io.host").run { function() return select(3, symio.fetch { url = "http://127.0.0.1:1/" }) end, function() return select(3, symio.fetch { url = "http://127.0.0.1:1/", guard = policy }) end }
        assert.equal("loopback", tasks[1][1].refused)
        assert.equal("refused", tasks[2][1].reason)
        assert.has_error(function() symio.fetch { url = "http://127.0.0.1:1/", stream = true } end)
        assert.has_error(function() symio.http { url = "http://127.0.0.1:1/", guard = {} } end)
        policy:close()
        assert.has_error(function() symio.http { url = "http://127.0.0.1:1/", guard = policy } end)
    end)
end)

local vectors = os.getenv "SYMBI_VECTORS" or "../shared/vectors"
describe("network guard vectors", function()
    local text = symio.read_file(vectors .. "/orga/net_guard.json")
    if not text then
        pending("no vectors")
        return
    end
    it("agree", function()
        for _, c in ipairs(symbi.json.decode(text).cases) do
            if c.op == "net.reject_ssrf_url" then
                -- the suite's reading is the lenient one; what hardening adds, both refuse
                local target, message = netguard.check(c["in"].url, { lenient = true })
                assert.equal(c.out.allow and not c.harden, target ~= nil, c.id .. ": " .. tostring(message))
                if not c.out.allow then assert.equal(c.out.error, message, c.id) end
            elseif c.op == "net.is_non_public_ip" then
                assert.equal(c.harden or c.out, netguard.class(c["in"].ip) ~= nil, c.id)
            else
                assert.equal(c.out ~= symbi.null and c.out or nil, netguard.legacy_v4(c["in"].host), c.id)
            end
        end
    end)
end)
