--- symbi-lua policy test: files of cases, each an action for the gate or a plain Cedar request, with the decision (and the reasons, and the
-- code) that are expected. JSON, JSON Lines or TOML. Prints a table; status 3 when a case comes out otherwise.
local as_json = require("symbi.cli.args").json
local M = {}

local settings = { policies = true, policy_text = true, tools = true, agents = true, sandbox = true, memory_bytes = true, entities = true, mode = true, surface = true, cases = true, case = true }
local members = {
    name = true, kind = true, agent = true, tool = true, target = true, arguments = true, content = true, facts = true, action = true, request = true, entities = true,
    expect = true, decision = true, reasons = true, reason = true, code = true, errors = true, num_errors = true, description = true,
}
local expected = { decision = true, reasons = true, reason = true, code = true, errors = true, num_errors = true }

local function unknown(t, known, what)
    for k in pairs(t) do
        if not known[k] then return what .. ": unknown member '" .. tostring(k) .. "'" end
    end
end

local function lines(symbi, text, path)
    local cases, head, n = {}, {}, 0
    for line in (text .. "\n"):gmatch("(.-)\r?\n") do
        n = n + 1
        if line:find("%S") then
            local v, message = symbi.json.decode(line)
            if type(v) ~= "table" then return nil, path .. ":" .. n .. ": " .. tostring(message or "not a JSON object") end
            if #cases == 0 and v.decision == nil and v.expect == nil then head = v else cases[#cases + 1] = v end
        end
    end
    return cases, head
end

--- The cases of a file and its settings, or nil and a message.
local function load(symbi, path)
    local text, message = symbi.io.read_file(path)
    if not text then return nil, message end
    local v
    if path:find("%.toml$") then
        v, message = symbi.toml.decode(text)
    elseif path:find("%.jsonl$") or path:find("%.ndjson$") then
        return lines(symbi, text, path)
    else
        v, message = symbi.json.decode(text)
    end
    if type(v) ~= "table" then return nil, path .. ": " .. tostring(message or "no list of cases") end
    if symbi.is_array(v) then return v, {} end
    local cases = v.cases or v.case
    if type(cases) ~= "table" then return nil, path .. ": there is no list `cases`" end
    return cases, v
end

local function set_of(list)
    local out = {}
    for _, x in ipairs(list) do out[#out + 1] = tostring(x) end
    table.sort(out)
    return table.concat(out, ", ")
end

local function holds(all, some)
    local have = {}
    for _, x in ipairs(all) do have[x] = true end
    for _, x in ipairs(some) do
        if not have[x] then return false end
    end
    return true
end

--- What differs from the expectation, as a list of texts.
local function differences(want, got)
    local out = {}
    if want.decision:lower() ~= got.decision then out[#out + 1] = "decision " .. got.decision .. ", expected " .. want.decision:lower() end
    if want.code and want.code ~= got.code then out[#out + 1] = "code " .. tostring(got.code) .. ", expected " .. want.code end
    if want.reasons and set_of(want.reasons) ~= set_of(got.reasons) then out[#out + 1] = "reasons [" .. set_of(got.reasons) .. "], expected [" .. set_of(want.reasons) .. "]" end
    if want.reason and not holds(got.reasons, want.reason) then out[#out + 1] = "reasons [" .. set_of(got.reasons) .. "] lack some of [" .. set_of(want.reason) .. "]" end
    if want.errors and set_of(want.errors) ~= set_of(got.errors) then out[#out + 1] = "errors [" .. set_of(got.errors) .. "], expected [" .. set_of(want.errors) .. "]" end
    if want.num_errors and want.num_errors ~= #got.errors then out[#out + 1] = #got.errors .. " errors, expected " .. want.num_errors end
    return out
end

local function ask_request(symbi, world, case)
    local r, entities = case.request, case.entities or case.request.entities or world.entities
    if type(entities) == "table" then
        local message
        entities, message = symbi.cedar.entities(entities)
        if not entities then return nil, message end
    end
    local called, a, why = pcall(world.set.authorize, world.set, { principal = r.principal, action = r.action, resource = r.resource, context = r.context, entities = entities })
    if not called then return nil, (tostring(a):gsub("^[^:]+:%d+: ", "")) end
    if not a then return nil, why end
    local errors = {}
    for i, e in ipairs(a.errors) do errors[i] = e.policy end
    return { decision = a.decision, reasons = a.reasons, errors = errors }
end

local function ask_gate(world, case)
    local action = case.action or { kind = case.kind, agent = case.agent, name = case.tool or case.target, arguments = case.arguments, content = case.content }
    if action.agent == nil then action.agent = "agent" end
    local v, message = world.ask(action, case.facts)
    if not v then return nil, message end
    local reasons, errors = {}, {}
    for _, p in ipairs(v.policies) do
        local list = p.error and errors or reasons
        list[#list + 1] = p.id
    end
    return { decision = v.decision, code = v.code, reasons = reasons, errors = errors, text = v.reason }
end

local function run_case(symbi, world, case, label)
    if type(case) ~= "table" then return nil, label .. " is no object" end
    local fault = unknown(case, members, label)
    if fault then return nil, fault end
    local want = case.expect or case
    if type(want) ~= "table" or type(want.decision) ~= "string" then return nil, label .. " expects no decision" end
    fault = case.expect and unknown(case.expect, expected, label .. ": expect")
    if fault then return nil, fault end
    for _, k in ipairs { "reasons", "reason", "errors" } do
        if type(want[k]) == "string" then want[k] = { want[k] } end
        if want[k] ~= nil and type(want[k]) ~= "table" then return nil, label .. ": " .. k .. " is a list of policy ids" end
    end
    local got, message
    if case.request then got, message = ask_request(symbi, world, case) else got, message = ask_gate(world, case) end
    if not got then return nil, label .. ": " .. tostring(message) end
    return { name = tostring(case.name or label), expected = want.decision:lower(), got = got, differences = differences(want, got) }
end

local function world_of(symbi, o, head, path, cli)
    local policy = require "symbi.policy"
    local base = path:match("^(.*)/[^/]*$") or "."
    local function beside(p) return p:sub(1, 1) == "/" and p or base .. "/" .. p end
    local sources, tools, message
    if head.policy_text and not o.policies then
        sources = { { name = "policy_text", text = head.policy_text } }
    elseif type(head.policies) == "table" and not o.policies then
        sources = head.policies
    else
        local dir = o.policies or (head.policies and beside(head.policies)) or "./policies"
        local info = symbi.io.stat(dir)
        if info and info.type ~= "directory" then
            local files
            files, message = policy.files { dir }
            sources = files and policy.sources(files[1])
        else
            sources, message = symbi.gate.sources(dir, o.surface or head.surface)
        end
        if not sources then return nil, message end
    end
    if o.tools or head.tools then
        tools, message = symbi.toolclad.dir(o.tools or beside(head.tools))
        if not tools then return nil, message end
    end
    local entities = head.entities
    if entities then
        entities, message = symbi.cedar.entities(entities)
        if not entities then return nil, message end
    end
    local agents, host = cli.narrowing({ agents = o.agents, sandbox = o.sandbox or head.sandbox, memory = o.memory or head.memory_bytes }, tools, head.agents and beside(head.agents))
    if not agents then return nil, path .. ": " .. host end
    local set
    set, message = symbi.cedar.policies(sources, { symbi_alias = true, legacy_scope = true, annotated_ids = true })
    if not set then return nil, message end
    return { set = set, entities = entities, ask = policy.asker { policies = sources, tools = tools, entities = entities, mode = head.mode, surface = o.surface or head.surface, agents = agents, host = host } }
end

function M.test(o, rest, cli)
    local symbi = require "symbi"
    if #rest == 0 then return cli.misuse("test needs a file of cases") end
    local rows, results, failed = {}, {}, 0
    for _, path in ipairs(rest) do
        local cases, head = load(symbi, path)
        if not cases then return nil, head end
        local fault = unknown(head, settings, path)
        if fault then return nil, fault end
        local world, message = world_of(symbi, o, head, path, cli)
        if not world then return nil, message end
        if #cases == 0 then return nil, path .. " holds no cases" end
        for i, case in ipairs(cases) do
            local r, why = run_case(symbi, world, case, path .. ": case " .. i .. (type(case) == "table" and case.name and " (" .. tostring(case.name) .. ")" or ""))
            if not r then return nil, why end
            local ok = #r.differences == 0
            if not ok then failed = failed + 1 end
            rows[#rows + 1] = { ok and "ok" or "FAIL", r.name, r.expected, r.got.decision .. (r.got.code and " " .. r.got.code or ""), ok and set_of(r.got.reasons) or table.concat(r.differences, "; ") }
            results[#results + 1] = {
                file = path, name = r.name, ok = ok, expected = r.expected, decision = r.got.decision, code = r.got.code,
                reasons = symbi.array(r.got.reasons), errors = symbi.array(r.got.errors), differences = symbi.array(r.differences),
            }
        end
    end
    if o.json then
        print(as_json { passed = #results - failed, failed = failed, cases = symbi.array(results) })
    else
        cli.print_table({ "", "CASE", "EXPECTED", "GOT", "POLICIES OR DIFFERENCE" }, rows)
        print(#results - failed .. " passed, " .. failed .. " failed")
    end
    return failed > 0 and 3 or 0
end

return M
