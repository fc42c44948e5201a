--- The sub-commands of symbi-lua, as data. `module` is a Lua module: a function, or a table with a function `main`. It is
-- called with the list of arguments and the host's options ({policies=, tools=, state=}). It returns nothing or true for
-- success, an exit status, or nil and a message.
return {
    { name = "agentpin", summary = "keys, credentials, discovery, pins, revocation and bundles of AgentPin", module = "symbi.cli.agentpin" },
    { name = "approvals", summary = "list, approve or deny what waits for a person", module = "symbi.cli.approvals" },
    { name = "audit", summary = "show, verify or export the audit trail", module = "symbi.cli.audit" },
    { name = "auth", summary = "create, list and revoke API keys", module = "symbi.cli.auth" },
    { name = "client", summary = "call any method of a Symbiont server", module = "symbi.cli.client" },
    { name = "doctor", summary = "what is wrong with this installation, and what to do", module = "symbi.cli.doctor" },
    { name = "dsl", summary = "check, format, compile and show .symbi definitions", module = "symbi.cli.dsl" },
    { name = "help", summary = "this list", module = "symbi.cli.help" },
    { name = "mcp", summary = "MCP servers, what they offer, and which tools of theirs are approved", module = "symbi.cli.mcp" },
    { name = "policy", summary = "check, lint, evaluate, explain, test and replay policies", module = "symbi.cli.policy" },
    { name = "run", summary = "run an agent that a .symbi file defines", module = "symbi.cli.run" },
    { name = "schemapin", summary = "keys, signed schemas and skill folders, and pins of SchemaPin", module = "symbi.cli.schemapin" },
    { name = "secrets", summary = "set, get, list, delete and import secrets; change their key", module = "symbi.cli.secrets" },
    { name = "skills", summary = "scan, list, sign and verify skills", module = "symbi.cli.skills" },
    { name = "status", summary = "is the server well, and does it take our key", module = "symbi.cli.status" },
    { name = "tools", summary = "list, check, try out and run tools; draft a manifest from a program's --help", module = "symbi.cli.tools" },
    { name = "version", summary = "versions of symbi-lua, Lua and the modules in use", module = "symbi.cli.version" },
}
