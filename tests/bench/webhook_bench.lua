--- The same delivery verified from Lua: webhook_bench.lua NAME. Prints microseconds and the rate as JSON.
local symbi = require "symbi"
local body = ("x"):rep(10000)
local v = symbi.webhook.provider("github", "It's a Secret to Everybody")
local headers = {
    Host = "example.org", ["User-Agent"] = "GitHub-Hookshot/1", Accept = "*/*", ["Content-Type"] = "application/json", ["X-GitHub-Event"] = "push",
    ["X-GitHub-Delivery"] = "72d3162e-cc78-11e3-81ab-4c9367dc0958", ["X-Hub-Signature-256"] = "sha256=" .. symbi.crypto.hmac_sha256("It's a Secret to Everybody", body),
}
local best = math.huge
for _ = 1, 40 do
    local t = os.clock()
    for _ = 1, 400 do assert(v:verify(headers, body)) end
    best = math.min(best, (os.clock() - t) / 400 * 1e6)
end
print(('{"bench": "webhook", "what": "GitHub delivery of 10 kB, from %s", "us": %.2f}'):format(arg[1], best))
