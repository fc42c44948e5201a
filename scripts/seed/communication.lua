local client = require("symbi").client { raise = true } -- who may talk to whom: a rule on the server, and a question
client:add_communication_rule {
    from_agent = "analyst",
    to_agent = "reporter",
    action = "allow",
    priority = 10,
    max_depth = 3,
}
local decision = client:evaluate_communication {
    sender = "analyst",
    recipient = "reporter",
    action = "send_message",
}
print(decision.allowed, decision.rule.id, decision.reason)
