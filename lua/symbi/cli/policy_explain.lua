--- symbi-lua policy explain: what each policy said to one action, or to one plain Cedar request, and with what values.
local as_json = require("symbi.cli.args").json
local M = {}

local function decode(symbi, text, what)
    local v, message = symbi.json.decode(text)
    if type(v) ~= "table" then return nil, what .. " is not a JSON object" .. (message and ": " .. tostring(message) or "") end
    return v
end

--- {action=, facts=} or {request=}, from the options or the input. A hook event ({tool_name, tool_input}) is an action too.
local function question(o, cli, symbi)
    if o.tool or o.agent then
        if o.stdin or o.input then return nil, "give --agent and --tool, or --stdin or --input, not both" end
        local arguments, facts, message
        if o.args then arguments, message = decode(symbi, o.args, "--args") end
        if not message and o.facts then facts, message = decode(symbi, o.facts, "--facts") end
        if message then return nil, message end
        return { action = { kind = o.tool and "tool_call" or "respond", agent = o.agent or "agent", name = o.tool, arguments = arguments }, facts = facts }
    end
    local v, message = cli.read_input(o)
    if type(v) ~= "table" then return nil, message or "the input is not a JSON object" end
    if v.tool_name ~= nil then return { action = { agent = "claude-code", name = tostring(v.tool_name), arguments = v.tool_input } } end
    if v.principal ~= nil then return { request = v } end
    if v.action ~= nil then return { action = v.action, facts = v.facts } end
    return { action = v }
end

local function print_conditions(p, cli)
    for _, c in ipairs(p.conditions or {}) do
        print("    " .. c.clause .. " at " .. c.line .. (c.col and ":" .. c.col or "") .. (c.error and " failed: " .. cli.safe(c.error) or c.holds and " holds" or " does not hold"))
        for _, b in ipairs(c.because) do
            print("      " .. cli.safe(b.text, 200) .. "  is " .. tostring(b.result))
            for _, v in ipairs(b.values) do
                if v.text ~= b.text then print("        " .. cli.safe(v.text, 120) .. " = " .. (v.error and "error: " .. cli.safe(v.error) or cli.safe(v.value, 300))) end
            end
        end
    end
end

local words = { satisfied = "applies", not_satisfied = "does not apply: a condition does not hold", error = "cannot be evaluated", scope = "is about something else" }

local function print_policies(list, all, cli)
    local elsewhere = 0
    for _, p in ipairs(list) do
        if p.outcome == "scope" and not all then
            elsewhere = elsewhere + 1
        else
            local where = p.source and p.source ~= "" and " (" .. cli.safe(p.source, 160) .. (p.line ~= 0 and ":" .. p.line or "") .. ")" or ""
            local which = p.scope and " (" .. table.concat(p.scope, ", ") .. ")" or ""
            print("  " .. p.effect .. " " .. cli.safe(p.id, 100) .. where .. ": " .. words[p.outcome] .. which)
            print_conditions(p, cli)
        end
    end
    if elsewhere > 0 then print("  " .. elsewhere .. " more are about something else (--all lists them)") end
end

local function load_policies(symbi, o)
    local sources, message = symbi.gate.sources(o.policies or "./policies", o.surface)
    if not sources then return nil, message end
    return sources
end

local function plain_request(symbi, o, request, cli)
    local sources, message = load_policies(symbi, o)
    if not sources then return nil, message end
    local set, answer
    set, message = symbi.cedar.policies(sources, { symbi_alias = true, legacy_scope = true, annotated_ids = true })
    if not set then return nil, message end
    local entities = request.entities
    if entities then
        entities, message = symbi.cedar.entities(entities)
        if not entities then return nil, message end
    end
    local called
    called, answer, message = pcall(set.authorize, set, { principal = request.principal, action = request.action, resource = request.resource, context = request.context, entities = entities, explain = true })
    if not called or not answer then return nil, tostring(called and message or answer) end
    if o.json then
        print(as_json { decision = answer.decision, reasons = symbi.array(answer.reasons), policies = answer.explained })
        return 0
    end
    print(answer.decision)
    print_policies(answer.explained, o.all, cli)
    return 0
end

function M.explain(o, _, cli)
    local symbi, policy = require "symbi", require "symbi.policy"
    if not (o.stdin or o.input or o.agent or o.tool) then return cli.misuse("explain needs an action: --agent and --tool, --stdin, or --input FILE") end
    if o.mode and o.mode ~= "strict" and o.mode ~= "compat" then return cli.misuse("--mode is strict or compat") end
    local q, message = question(o, cli, symbi)
    if not q then return nil, message end
    if q.request then return plain_request(symbi, o, q.request, cli) end
    local sources, tools
    sources, message = load_policies(symbi, o)
    if not sources then return nil, message end
    if o.tools then
        tools, message = symbi.toolclad.dir(o.tools)
        if not tools then return nil, message end
    end
    local agents, host = cli.narrowing(o, tools)
    if not agents then return nil, host end
    if type(q.action) ~= "table" then return nil, "action must be an object, got " .. type(q.action) end
    local defined = agents[q.action.agent]
    if next(agents) and not defined then return nil, "agent '" .. cli.safe(q.action.agent, 100) .. "' is not defined in " .. cli.safe(o.agents, 200) end
    local ask = policy.asker { policies = sources, tools = tools, mode = o.mode, surface = o.surface, agents = agents, host = host }
    local verdict, list, rules = ask(q.action, q.facts, true)
    if not verdict then return nil, tostring(list) end
    for _, r in ipairs(rules or {}) do -- columns of the Cedar text that a rule became are nobody's
        for _, c in ipairs(r.conditions or {}) do
            c.col = nil
            for _, b in ipairs(c.because or {}) do b.col = nil end
        end
    end
    if o.json then
        print(as_json { decision = verdict.decision, code = verdict.code, reason = verdict.reason, mode = verdict.mode, policies = list or symbi.null, rules = rules })
        return 0
    end
    print(verdict.decision .. " " .. verdict.code .. ": " .. cli.safe(verdict.reason))
    if list then print_policies(list, o.all, cli) else print("  policies were not asked") end
    if defined then
        print("rules of agent " .. cli.safe(defined.id, 100) .. " (" .. cli.safe(defined.file, 200) .. ":" .. defined.line .. "), which can only narrow:")
        if rules then print_policies(rules, o.all, cli) else print("  rules were not asked") end
    end
    return 0
end

return M
