local client = require("symbi").client { raise = true } -- the server's tools: list, schema, a governed call, hot reload
local tools = client.toolclad:list_tools()
local schema = client.toolclad:get_schema "nmap"
print(#tools, schema.name)
local result = client.toolclad:execute_tool("nmap", { target = "10.0.0.1" })
print(result.status, result.scan_id, result.exit_code)
print(client.toolclad:reload_tools().loaded) -- after a manifest was edited on disk
