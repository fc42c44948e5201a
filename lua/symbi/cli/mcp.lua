--- symbi-lua mcp servers|tools|show|approve|forget: MCP servers, what they offer, and which definitions may be used.
local args = require "symbi.cli.args"
local as_json = args.json

local M = {}

local usage = [[
usage: symbi-lua mcp servers
       symbi-lua mcp tools SERVER
       symbi-lua mcp show SERVER TOOL
       symbi-lua mcp approve SERVER TOOL [--digest sha256:...] [--as NAME]
       symbi-lua mcp forget SERVER [TOOL]
options: --config FILE   the registry (default ./mcp-config.toml, then ~/.symbiont/mcp-config.toml)
         --record FILE   the approvals (default .symbi/mcp-approvals.json)
         --timeout S     for the server (default 30)    --json

tools, show and approve start the server (or connect to it) and list its tools; they call none. approve records the definition that the
server lists now: with --digest only if it is the one that show showed. A tool whose definition is not the approved one is not called.]]

local function command(more)
    local known = { config = "text", record = "text", timeout = "number", json = "flag", rest = "WORD" }
    for name, kind in pairs(more or {}) do known[name] = kind end
    return known
end
local COMMANDS = { servers = command(), tools = command(), show = command(), forget = command(), approve = command { digest = "text", as = "text" } }

local function servers(o)
    local symbi = require "symbi"
    local list, warnings = symbi.mcp.servers(o)
    if not list then return nil, warnings end
    for _, w in ipairs(warnings) do io.stderr:write("warning: ", w, "\n") end
    if o.json then
        print(as_json(symbi.array(list)))
        return true
    end
    local safe = symbi.show.safe
    if #list == 0 then print "the registry names no server" end
    for _, s in ipairs(list) do
        print(("%-20s %s"):format(safe(s.name, 60), safe(s.url or s.command .. (#s.args > 0 and " " .. table.concat(s.args, " ") or ""), 200)))
    end
    return true
end

-- Several lines, each safe for a terminal.
local function print_lines(text)
    for line in text:gmatch("[^\n]+") do
        local indent = line:match("^ *")
        print(indent .. require("symbi").show.safe(line:sub(#indent + 1), 2000))
    end
end

local function show_tool(t, o)
    local symbi = require "symbi"
    if o.json then
        print(as_json(t))
        return
    end
    print(symbi.show.safe(t.name, 128) .. ": " .. t.standing .. "\n" .. t.digest)
    -- as JSON: what a description holds must not reach a terminal as it stands
    print_lines(symbi.json.encode(t.definition, { pretty = true }))
    if t.diff then
        print "changed since it was approved:"
        print_lines(t.diff)
    end
end

local function tools(o, server, tool)
    local symbi = require "symbi"
    local list, left_out = symbi.mcp.tools(server, o)
    if not list then return nil, left_out end
    for _, t in ipairs(left_out) do
        if not tool or t.name == tool then io.stderr:write("warning: tool ", symbi.show.safe(t.name, 60), " is left out: ", symbi.show.safe(t.reason, 200), "\n") end
    end
    if tool then
        for _, t in ipairs(list) do
            if t.name == tool then
                show_tool(t, o)
                return true
            end
        end
        return nil, ("MCP server '%s' has no tool '%s'"):format(server, tool)
    end
    if o.json then
        print(as_json(symbi.array(list)))
        return true
    end
    for _, t in ipairs(list) do
        local d = type(t.definition.description) == "string" and t.definition.description or ""
        print(("%-9s %-32s %s"):format(t.standing, symbi.show.safe(t.name, 60), symbi.show.safe(d:match("^[^\r\n]*"), 100)))
    end
    return true
end

local function approve(o, server, tool)
    local symbi = require "symbi"
    o.by = o.as
    local t, message = symbi.mcp.approve(server, tool, o)
    if not t then return nil, message end
    if t.diff then
        print "changed since the last approval:"
        print_lines(t.diff)
    end
    print(("approved: %s of %s, %s"):format(symbi.show.safe(tool, 128), symbi.show.safe(server, 128), t.digest))
    return true
end

local function forget(o, server, tool)
    local symbi = require "symbi"
    local n, message = symbi.mcp.forget(server, tool, o)
    if not n then return nil, message end
    print(n == 0 and "there was nothing to forget" or n == 1 and "1 entry forgotten" or n .. " entries forgotten")
    return true
end

local VERBS = { servers = { 0, 0, servers }, tools = { 1, 1, tools }, show = { 2, 2, tools }, approve = { 2, 2, approve }, forget = { 1, 2, forget } }

function M.main(argv)
    local o, name = args.parse("mcp", usage, COMMANDS, argv)
    if not o then return name end
    local verb, rest = VERBS[name], o.rest
    if #rest < verb[1] or #rest > verb[2] then return args.misuse("mcp", usage, name .. ": " .. (#rest < verb[1] and "something is missing" or "too many words")) end
    if o.timeout then
        if o.timeout == 0 or o.timeout > 3600 then return args.misuse("mcp", usage, "--timeout takes seconds, up to 3600") end
        o.timeout_ms = o.timeout * 1000
    end
    o.rest = nil
    local ok, message = verb[3](o, rest[1], rest[2])
    if ok then return 0 end
    io.stderr:write("symbi-lua mcp: ", tostring(message), "\n")
    return 1
end

return M
