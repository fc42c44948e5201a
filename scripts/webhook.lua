-- Who sent this request? Run it:  ./symbi-lua scripts/webhook.lua
-- Signed requests as GitHub, Stripe and Slack send them, and what becomes of them when somebody changes, delays or repeats them.
-- scripts/guide/webhook.md says more.
local symbi = require "symbi"
local webhook, hmac = symbi.webhook, symbi.crypto.hmac_sha256

local now = 1767225600
local body = '{"id":"evt_1","action":"opened"}'

local github = webhook.provider("github", "github-secret", { replay = true, delivery = true })
local stripe = webhook.provider("stripe", { "whsec_new", "whsec_old" }) -- two secrets while they are exchanged
local slack = webhook.provider("slack", "slack-secret")

local function from_github(text, guid)
    return { ["X-Hub-Signature-256"] = "sha256=" .. hmac("github-secret", text), ["X-GitHub-Delivery"] = guid }
end
local function from_stripe(text, t) return { ["Stripe-Signature"] = ("t=%d,v1=%s"):format(t, hmac("whsec_old", t .. "." .. text)) } end
local function from_slack(text, t)
    return { ["X-Slack-Signature"] = "v0=" .. hmac("slack-secret", ("v0:%d:%s"):format(t, text)), ["X-Slack-Request-Timestamp"] = tostring(t) }
end

local twice = from_github(body, "d-3")
twice["x-hub-signature-256"] = twice["X-Hub-Signature-256"]

local requests = {
    { "GitHub", github, from_github(body, "d-1"), body },
    { "GitHub, the same again", github, from_github(body, "d-1"), body },
    { "GitHub, body changed", github, from_github(body, "d-2"), body:gsub("opened", "closed") },
    { "GitHub, unsigned", github, {}, body },
    { "GitHub, header twice", github, twice, body },
    { "Stripe, the old secret", stripe, from_stripe(body, now), body },
    { "Stripe, ten minutes late", stripe, from_stripe(body, now - 600), body },
    { "Slack", slack, from_slack(body, now), body },
    { "Slack, only the body signed", slack, { ["X-Slack-Signature"] = "v0=" .. hmac("slack-secret", body), ["X-Slack-Request-Timestamp"] = tostring(now) }, body },
}

local row = "%-28s %-8s %s"
print(row:format("request", "verdict", "why"))
for _, r in ipairs(requests) do
    local info, message, err = r[2]:verify(r[3], r[4], now)
    local why = info and (info.delivery and "delivery " .. info.delivery or "secret " .. info.secret) or ("%d %s: %s"):format(webhook.status(err), err.reason, message)
    print(row:format(r[1], info and "accept" or "refuse", why))
end
