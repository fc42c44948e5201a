-- A workflow, and a daily schedule with its history.
local client = require("symbi").client { raise = true }
print(client:execute_workflow({ workflow_id = "report", parameters = { day = "monday" }, agent_id = "agent-1" }).status)
local job = client.schedules:create { name = "daily", cron_expression = "0 9 * * *", agent_name = "agent-1" }
for _, s in ipairs(client.schedules:list()) do print(s.job_id, s.name, s.cron_expression, s.status) end
print(#client.schedules:history(job.job_id, { limit = 5 }).history .. " runs")
