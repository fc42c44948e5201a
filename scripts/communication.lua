-- Which agent may send what to which agent. Run it:  ./symbi-lua scripts/communication.lua
-- The rules are tables; the decision is C, and whatever no rule allows is denied. scripts/guide/communication.md says more.
local symbi = require "symbi"

local rules = symbi.try(symbi.comm.rules {
    { id = "outside", from_agent = "*", to_agent = "mailer", action = "deny", priority = 100, reason = "mail leaves the house" },
    { id = "pipeline", from_agent = "collector", to_agent = "analyst", action = "send_message" },
    { id = "reports", from_agent = "analyst", to_agent = "report-*", action = "allow", reason = "analysts file reports" },
    { id = "lead", from_agent = "lead", to_agent = "*", action = "delegate", max_depth = 2 },
})

local messages = {
    { sender = "collector", recipient = "analyst", action = "send_message" },
    { sender = "collector", recipient = "analyst", action = "delegate" },
    { sender = "analyst", recipient = "report-eu", action = "send_message" },
    { sender = "report-eu", recipient = "analyst", action = "send_message" },
    { sender = "lead", recipient = "analyst", action = "delegate" },
    { sender = "lead", recipient = "analyst", action = "delegate", depth = 3 },
    { sender = "lead", recipient = "mailer", action = "delegate" },
}

local row = "%-10s %-10s %-13s %5s  %-6s %s"
print(row:format("sender", "recipient", "action", "depth", "effect", "why"))
for _, m in ipairs(messages) do
    local d = symbi.try(rules:evaluate(m))
    print(row:format(m.sender, m.recipient, m.action, m.depth or 1, d.effect, d.reason))
end

-- Rules can also come and go while agents run. A change applies to the next message; one that is refused changes nothing.
local list = symbi.try(symbi.comm.list(rules))
local rule = symbi.try(list:add { from_agent = "report-*", to_agent = "analyst", action = "send_message", reason = "questions are welcome" })
print("\nwith " .. rule.id .. ": " .. symbi.try(list:evaluate("report-eu", "analyst", "send_message")).reason)
symbi.try(list:remove(rule.id))
print("without: " .. symbi.try(list:evaluate("report-eu", "analyst", "send_message")).reason)

local _, message = list:add { from_agent = "lead", to_agent = "mailer", action = "Allow" }
print("refused: " .. message)
