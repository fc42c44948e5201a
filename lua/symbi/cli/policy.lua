--- symbi-lua policy check|lint|validate|evaluate|explain|test|replay|schema|format|translate: policies on the command line. What is done is
-- symbi.policy; here words become options and results become lines. Exit status: 0 well (or allow), 1 a fault in what was given, 2 misuse,
-- 3 a check failed (or, with --exit-code, deny).
local args_of = require "symbi.cli.args"

local M = {}

local usage = [[
usage: symbi-lua policy check [--strict] [--json] [FILE|DIR...]
       symbi-lua policy lint [--tools DIR] [--upstream] [--json] [FILE|DIR...]
       symbi-lua policy evaluate --stdin|--input FILE [--policies DIR] [--json] [--allow-empty|--missing=allow|deny]
                                 [--vocabulary both|gate|symbi] [--errors any|forbid|ignore] [--compat] [--exit-code]
       symbi-lua policy explain (--stdin|--input FILE | --agent A --tool T [--args JSON] [--facts JSON]) [--policies DIR] [--tools DIR]
                                [--agents FILE|DIR] [--sandbox TIER] [--memory BYTES] [--mode strict|compat] [--all] [--json]
       symbi-lua policy test [--policies DIR] [--tools DIR] [--agents FILE|DIR] [--sandbox TIER] [--memory BYTES] [--json] FILE...
       symbi-lua policy replay --state DIR --policies DIR [--tools DIR] [--agents FILE|DIR] [--sandbox TIER] [--memory BYTES]
                               [--chain NAME] [--all] [--json]
       symbi-lua policy validate [--schema FILE | --tools DIR --facts ATTRIBUTES] [--json] [FILE|DIR...]
       symbi-lua policy schema [--tools DIR] [--facts ATTRIBUTES] [FILE|DIR...]
       symbi-lua policy format [--write|--check] [--width N] [--indent N] FILE...
       symbi-lua policy translate [--to json|cedar] FILE

FILE|DIR is --policies DIR, or ./policies, when none is given. check parses; lint finds what deceives or cannot work; validate is Cedar's strict validator, over the schema that is given or the
gate's own (schema prints it: --facts 'ticket?: String' says what the host adds to the context); evaluate is the hook
of coding assistants (one tool event in, a verdict out); explain says which policies applied and with what values; test runs a file of
cases; replay asks a candidate set again what the audit trail has recorded. --agents puts the rules of .symbi definitions beside the
policies, each for the agent it defines; --sandbox and --memory say what this host gives its tools. The guide is scripts/guide/policy.md.]]

local commands = {
    check = { strict = "flag", json = "flag", policies = "text", rest = true },
    lint = { tools = "text", upstream = "flag", json = "flag", policies = "text", rest = true },
    validate = { schema = "text", tools = "text", facts = "text", json = "flag", policies = "text", rest = true },
    schema = { tools = "text", facts = "text", policies = "text", rest = true },
    format = { write = "flag", check = "flag", width = "number", indent = "number", rest = true },
    translate = { to = "text", rest = true },
    evaluate = {
        stdin = "flag", input = "text", policies = "text", json = "flag", missing = "text", vocabulary = "text", errors = "text", compat = "flag", surface = "text",
        ["allow-empty"] = "flag", ["exit-code"] = "flag",
    },
    explain = {
        stdin = "flag", input = "text", agent = "text", tool = "text", args = "text", facts = "text", policies = "text", tools = "text", agents = "text",
        sandbox = "text", memory = "number", mode = "text", surface = "text", json = "flag", all = "flag",
    },
    test = { policies = "text", tools = "text", agents = "text", sandbox = "text", memory = "number", surface = "text", json = "flag", rest = true },
    replay = {
        state = "text", policies = "text", tools = "text", agents = "text", sandbox = "text", memory = "number", chain = "text", surface = "text", all = "flag", json = "flag",
    },
}

local modules = {
    check = "symbi.cli.policy_files", lint = "symbi.cli.policy_files", validate = "symbi.cli.policy_engine", schema = "symbi.cli.policy_engine",
    format = "symbi.cli.policy_engine", translate = "symbi.cli.policy_engine", evaluate = "symbi.cli.policy_evaluate", explain = "symbi.cli.policy_explain",
    test = "symbi.cli.policy_test", replay = "symbi.cli.policy_replay",
}

M.safe, M.print_table = args_of.safe, args_of.print_table

--- A message behind the name of its file: "file:1:2: text" where it begins with a place, else "file: text".
function M.at(path, message)
    message = tostring(message)
    return path .. (message:find("^%d+:%d+: ") and ":" or ": ") .. message
end

function M.misuse(message) return args_of.misuse("policy", usage, message) end

--- What --agents, --sandbox and --memory give an asker (symbi.policy.asker): agents, host, or nil and a message. Without --agents both are {}.
function M.narrowing(o, tools, paths)
    local TIERS = { docker = true, gvisor = true, firecracker = true, e2b = true, none = true, bwrap = true }
    if o.sandbox and not TIERS[o.sandbox] then return nil, "--sandbox is docker, gvisor, firecracker, e2b, bwrap or none, not '" .. M.safe(o.sandbox, 40) .. "'" end
    paths = o.agents or paths
    if not paths then
        if o.sandbox or o.memory then return nil, "--sandbox and --memory go with --agents" end
        return {}, {}
    end
    local agents, message = require("symbi.policy").agents(paths, { tools = tools })
    if not agents then return nil, message end
    return agents, { sandbox = o.sandbox, memory_bytes = o.memory }
end

--- What --stdin or --input gives: decoded JSON, or nil and a message.
function M.read_input(o)
    local symbi = require "symbi"
    local text, message
    if o.input then
        text, message = symbi.io.read_file(o.input)
        if not text then return nil, message end
    else
        text = io.stdin:read(2 ^ 24 + 1) or "" -- one more byte than the reader takes
    end
    local value, why = symbi.json.decode(text)
    if value == nil then return nil, M.at(o.input or "standard input", why) end
    return value
end

local function parse(args)
    local o, command = args_of.parse("policy", usage, commands, args)
    if not o then return nil, command end
    for _, name in ipairs { "width", "indent" } do
        if o[name] and o[name] > 1000 then return nil, M.misuse("--" .. name .. " needs a number from 0 to 1000") end
    end
    local rest = o.rest
    o.rest = nil
    return o, command, rest
end

--- args: the words after `policy`; host: the host's options ({policies=, tools=, state=}). Returns the exit status, or nil and a message.
function M.main(args, host)
    local o, command, rest = parse(args)
    if not o then return command end
    local known = commands[command]
    for _, name in ipairs { "policies", "tools", "state" } do
        if known[name] == "text" and o[name] == nil and host then o[name] = host[name] end
    end
    return require(modules[command])[command](o, rest, M)
end
M.run = M.main

return M
