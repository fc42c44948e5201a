--- symbi-lua policy replay: asks a candidate set of policies again what the audit trail says was decided, and shows where it would have
-- said otherwise. Status 3 when it would. What never came to policy (a broken contract, a used-up budget) is counted and left alone.
local as_json = require("symbi.cli.args").json
local M = {}

local policy_codes = {
    ALLOWED = true, NO_POLICIES = true, DEFAULT_DENY = true, FORBIDDEN = true, POLICY_ERROR = true, BAD_CONTEXT = true, RESERVED_CONTEXT_KEY = true,
    EVALUATION_LIMIT = true, APPROVAL_REQUIRED = true, APPROVAL_DENIED = true, APPROVAL_EXPIRED = true, DEFERRED = true, MODIFY_FAILED = true,
}

-- What the rules of a .symbi agent decide: asked again where --agents gives them.
local rule_codes = { DSL_DENIED = true, OBLIGATION_UNMET = true }

local function lets(decision) return decision == "allow" or decision == "modify" or decision == "step_up" end

local function first_policy(list)
    for _, p in ipairs(type(list) == "table" and list or {}) do
        if type(p) == "table" and type(p.id) == "string" then return p.id end
    end
    return ""
end

--- Why this recorded decision cannot be asked again, or nil.
local function obstacle(d, agents)
    if type(d) ~= "table" or type(d.kind) ~= "string" or type(d.code) ~= "string" then return "no decision of the gate" end
    if rule_codes[d.code] and not next(agents) then return "the rule of a .symbi agent decided, and --agents is not given" end
    if not policy_codes[d.code] and not rule_codes[d.code] then return "not a matter of policy (" .. d.code .. ")" end
    if d.kind == "tool_call" and type(d.input) ~= "table" then return d.input_bytes and "its arguments were too long to record" or "its arguments are not recorded" end
    for _, k in ipairs { "identity", "proof" } do
        if type(d[k]) == "table" and d[k].verified then return "what was proved then cannot be proved again (" .. k .. ")" end
    end
    if d.input_proposed_bytes then return "its arguments were too long to record" end
    if type(d.facts) == "table" and d.facts.context_bytes then return "its context was too long to record" end
end

local function again(ask, entry, d)
    local f = type(d.facts) == "table" and d.facts or {}
    local facts = {
        context = f.context, agent = f.agent, loop_id = type(entry.loop_id) == "string" and entry.loop_id or nil, iteration = f.iteration, tool_calls = f.tool_calls,
        denied = f.denied, tokens_left = f.tokens_left, time_left_ms = f.time_left_ms, now = entry.timestamp_ms,
    }
    local name = d.name ~= "" and d.name or nil
    local action = { kind = d.kind, agent = entry.agent_id, name = name, arguments = d.kind == "tool_call" and (d.input_proposed or d.input) or nil }
    local v, message, gate = ask(action, facts)
    if v and v.decision == "step_up" and (d.decision == "allow" or d.decision == "modify") then -- somebody had approved it
        gate:approve(v.action_digest, true, "replay")
        v, message = ask(action, facts)
    end
    if not v then return nil, message end
    return v
end

local function replay(symbi, store, o, ask, cli, agents)
    local counts = { replayed = 0, same = 0, allowed_now = 0, denied_now = 0, other_reason = 0, skipped = 0 }
    local rows, skipped = {}, {}
    for entry in symbi.audit.entries(store, { chain = o.chain }) do
        local data = not entry.damaged and entry.data or {}
        for _, d in ipairs(type(data.decisions) == "table" and data.decisions or {}) do
            local why = obstacle(d, agents)
            if not why and rule_codes[d.code] and not agents[entry.agent_id] then why = "its .symbi agent is not among those given" end
            local v, message
            if not why then
                v, message = again(ask, entry, d)
                if not v then why = tostring(message) end
            end
            if not why and not policy_codes[v.code] and not rule_codes[v.code] then why = "its contract is another now (" .. v.code .. ")" end
            if why then
                counts.skipped = counts.skipped + 1
                skipped[why] = (skipped[why] or 0) + 1
            else
                local before, now = lets(d.decision), lets(v.decision)
                local effect = before == now and "same" or now and "allowed_now" or "denied_now"
                if effect == "same" and first_policy(d.policies) ~= first_policy(v.policies) then effect = "other_reason" end
                counts.replayed = counts.replayed + 1
                counts[effect] = counts[effect] + 1
                local differs = effect == "allowed_now" or effect == "denied_now"
                if o.json and (differs or o.all) then
                    print(as_json {
                        sequence = entry.sequence, timestamp_ms = entry.timestamp_ms, agent = entry.agent_id, kind = d.kind, name = d.name, effect = effect,
                        recorded = { decision = d.decision, code = d.code, policy = first_policy(d.policies) },
                        candidate = { decision = v.decision, code = v.code, policy = first_policy(v.policies), reason = v.reason },
                    })
                elseif differs or o.all then
                    rows[#rows + 1] = {
                        differs and (now and "+" or "-") or effect == "other_reason" and "~" or "=", entry.sequence, entry.agent_id, d.kind .. (d.name ~= "" and " " .. d.name or ""),
                        d.decision .. " " .. d.code .. " " .. first_policy(d.policies), v.decision .. " " .. v.code .. " " .. first_policy(v.policies),
                    }
                end
            end
        end
    end
    if o.json then
        print(as_json { summary = counts })
    else
        if #rows > 0 then cli.print_table({ "", "SEQ", "AGENT", "ACTION", "RECORDED", "CANDIDATE" }, rows) end
        for why, n in pairs(skipped) do print("left alone: " .. n .. " (" .. cli.safe(why, 200) .. ")") end
        print(counts.replayed .. " decisions asked again: " .. counts.allowed_now .. " newly allowed (+), " .. counts.denied_now .. " newly denied (-), " ..
            counts.other_reason .. " the same by another policy (~), " .. counts.same .. " the same (=)")
    end
    return counts.allowed_now + counts.denied_now > 0 and 3 or 0
end

function M.replay(o, _, cli)
    local symbi, policy = require "symbi", require "symbi.policy"
    if not o.policies then return cli.misuse("replay needs --policies DIR, the candidate set") end
    local sources, message = symbi.gate.sources(o.policies, o.surface)
    if not sources then return nil, message end
    local tools
    if o.tools then
        tools, message = symbi.toolclad.dir(o.tools)
        if not tools then return nil, message end
    end
    local agents, host = cli.narrowing(o, tools)
    if not agents then return nil, host end
    local set
    set, message = symbi.gate.policies(sources)
    if not set then return nil, message end
    local store
    store, message = symbi.store.open(o.state or ".symbi", { readonly = true })
    if not store then return nil, message end
    local ok, status, why = pcall(replay, symbi, store, o, policy.asker { policies = sources, tools = tools, surface = o.surface, agents = agents, host = host }, cli, agents)
    store:close()
    if not ok then return nil, (tostring(status):gsub("^[^:]+:%d+: ", "")) end
    return status, why
end

return M
