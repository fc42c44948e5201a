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
                                [--mode strict|compat] [--all] [--json]
       symbi-lua policy test [--policies DIR] [--tools DIR] [--json] FILE...
       symbi-lua policy replay --state DIR --policies DIR [--tools DIR] [--chain NAME] [--all] [--json]
       symbi-lua policy validate [--schema FILE | --tools DIR --facts ATTRIBUTES] [--json] [FILE|DIR...]
       symbi-lua policy schema [--tools DIR] [--facts ATTRIBUTES] [FILE|DIR...]
       symbi-lua policy format [--write|--check] [--width N] [--indent N] FILE...
       symbi-lua policy translate [--to json|cedar] FILE

FILE|DIR is --policies DIR, or ./policies, when none is given. check parses; lint finds what deceives or cannot work; validate is Cedar's strict validator, over the schema that is given or the
gate's own (schema prints it: --facts 'ticket?: String' says what the host adds to the context); evaluate is the hook
of coding assistants (one tool event in, a verdict out); explain says which policies applied and with what values; test runs a file of
cases; replay asks a candidate set again what the audit trail has recorded. The guide is scripts/guide/policy.md.]]

local commands = {
    check = { module = "symbi.cli.policy_files", strict = "flag", json = "flag", policies = "text", rest = true },
    lint = { module = "symbi.cli.policy_files", tools = "text", upstream = "flag", json = "flag", policies = "text", rest = true },
    validate = { module = "symbi.cli.policy_engine", schema = "text", tools = "text", facts = "text", json = "flag", policies = "text", rest = true },
    schema = { module = "symbi.cli.policy_engine", tools = "text", facts = "text", policies = "text", rest = true },
    format = { module = "symbi.cli.policy_engine", write = "flag", check = "flag", width = "number", indent = "number", rest = true },
    translate = { module = "symbi.cli.policy_engine", to = "text", rest = true },
    evaluate = {
        module = "symbi.cli.policy_evaluate", stdin = "flag", input = "text", policies = "text", json = "flag", missing = "text", vocabulary = "text",
        errors = "text", compat = "flag", surface = "text", ["allow-empty"] = "flag", ["exit-code"] = "flag",
    },
    explain = {
        module = "symbi.cli.policy_explain", stdin = "flag", input = "text", agent = "text", tool = "text", args = "text", facts = "text", policies = "text",
        tools = "text", mode = "text", surface = "text", json = "flag", all = "flag",
    },
    test = { module = "symbi.cli.policy_test", policies = "text", tools = "text", surface = "text", json = "flag", rest = true },
    replay = { module = "symbi.cli.policy_replay", state = "text", policies = "text", tools = "text", chain = "text", surface = "text", all = "flag", json = "flag" },
}

M.safe, M.print_table = args_of.safe, args_of.print_table

--- A message behind the name of its file: "file:1:2: text" where it begins with a place, else "file: text".
function M.at(path, message)
    message = tostring(message)
    return path .. (message:find("^%d+:%d+: ") and ":" or ": ") .. message
end

function M.misuse(message)
    io.stderr:write("symbi-lua policy: ", message, "\n", usage, "\n")
    return 2
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
    local command = args[1]
    if command == nil or command == "--help" or command == "-h" or command == "help" then
        print(usage)
        return nil, command == nil and 2 or 0
    end
    local known = commands[command]
    if not known then return nil, M.misuse("unknown command '" .. M.safe(command, 60) .. "'") end
    local o, rest, i, words_only = {}, {}, 2, false
    while args[i] ~= nil do
        local a = args[i]
        local name, value = a:match("^%-%-([%a%-]+)=(.*)$")
        name = name or a:match("^%-%-([%a%-]+)$")
        if a == "--" and not words_only then
            words_only = true
        elseif words_only or a:sub(1, 1) ~= "-" then
            if not known.rest then return nil, M.misuse("policy " .. command .. " takes no '" .. M.safe(a, 60) .. "'") end
            rest[#rest + 1] = a
        else
            local kind = name and name ~= "module" and name ~= "rest" and known[name]
            if not kind then return nil, M.misuse("policy " .. command .. " does not know '" .. M.safe(a, 60) .. "'") end
            if kind == "flag" then
                if value then return nil, M.misuse("--" .. name .. " takes no value") end
                o[name] = true
            else
                if not value then
                    i = i + 1
                    value = args[i]
                    if value == nil then return nil, M.misuse("--" .. name .. " needs a value") end
                end
                if kind == "number" then
                    local n = tonumber(value)
                    if not n or n < 0 or n % 1 ~= 0 or n > 1000 then return nil, M.misuse("--" .. name .. " needs a number from 0 to 1000, not '" .. M.safe(value, 60) .. "'") end
                    value = n
                end
                o[name] = value
            end
        end
        i = i + 1
    end
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
    return require(known.module)[command](o, rest, M)
end
M.run = M.main

return M
