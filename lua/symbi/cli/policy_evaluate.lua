--- symbi-lua policy evaluate: one tool event of a coding assistant in, a verdict out (spec dsl-cli.md 13). The verdict on standard output and
-- the details on standard error, or with --json the details alone. Status 0 for any verdict (--exit-code: 3 for deny), 2 for misuse and
-- for input that cannot be read.
local M = {}

local one_of = {
    missing = { allow = true, deny = true },
    vocabulary = { both = true, gate = true, symbi = true },
    errors = { any = true, forbid = true, ignore = true },
}

function M.evaluate(o, _, cli)
    local policy, symbi = require "symbi.policy", require "symbi"
    if (o.stdin ~= nil) == (o.input ~= nil) then return cli.misuse("evaluate needs --stdin or --input FILE") end
    for name, values in pairs(one_of) do
        if o[name] and not values[o[name]] then return cli.misuse("--" .. name .. " cannot be '" .. cli.safe(o[name], 60) .. "'") end
    end
    if o["allow-empty"] and o.missing == "deny" then return cli.misuse("--allow-empty and --missing=deny contradict each other") end
    local event, message = cli.read_input(o)
    if event == nil or type(event) ~= "table" or symbi.is_array(event) then
        io.stderr:write("symbi-lua policy: ", cli.safe(message or "the input is not a JSON object with tool_name and tool_input"), "\n")
        return 2
    end
    local result = policy.evaluate(event, {
        policies = o.policies, missing = o["allow-empty"] and "allow" or o.missing, vocabulary = o.vocabulary, errors = o.errors, compat = o.compat, surface = o.surface,
    })
    for _, w in ipairs(result.warnings) do io.stderr:write("warning: ", w, "\n") end
    local line = symbi.json.encode { decision = result.decision, reason = result.reason, tool = result.tool, policies_dir = result.policies_dir }
    if o.json then
        print(line)
    else
        print(result.decision)
        io.stderr:write(line, "\n")
    end
    return o["exit-code"] and result.decision ~= "allow" and 3 or 0
end

return M
