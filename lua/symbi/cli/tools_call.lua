--- symbi-lua tools test and tools run: one call, tried out or made.
local safe = require("symbi.cli.args").safe
local as_json = require("symbi.cli.args").json

local M = {}

local function object(symbi, text, what)
    local v, message = symbi.json.decode(text)
    if type(v) ~= "table" or symbi.is_array(v) then return nil, what .. " must be a JSON object" .. (message and ": " .. tostring(message) or "") end
    return v
end

-- --args first, each --arg over it. A value is what stands behind the first '='.
local function arguments(symbi, o)
    local args, message = {}
    if o.args then
        args, message = object(symbi, o.args, "--args")
        if not args then return nil, message end
    end
    for _, text in ipairs(o.arg or {}) do
        local name, value = text:match "^([^=]*)=(.*)$"
        if not name or name == "" then return nil, "--arg needs NAME=VALUE, not '" .. safe(text, 60) .. "'" end
        args[name] = value
    end
    return args
end

local function open(symbi, o, host)
    if #o.rest ~= 1 then return nil, nil, "which tool? give its name or its file" end
    local tool, path = require("symbi.cli.tools").find(symbi, o.rest[1], o.tools or host.tools or "tools")
    if not tool then return nil, path end
    local args, message = arguments(symbi, o)
    if not args then return nil, nil, message end
    local context
    if o.context then
        context, message = object(symbi, o.context, "--context")
        if not context then return nil, nil, message end
    end
    return { tool = tool, path = path, args = args, context = context, contract = tool:describe() }
end

local function text_of(symbi, v) return type(v) == "string" and v or v == nil and "" or symbi.json.encode(v) end

-- Every argument by itself, then the whole. Lines as {name=, text=, ok=}.
local function checks(symbi, call)
    local lines, good, declared = symbi.array(), true, {}
    for _, a in ipairs(call.contract.args) do
        declared[a.name] = true
        local given = call.args[a.name]
        local line
        if given ~= nil and given ~= symbi.null then
            local value, message = call.tool:check(a.name, given)
            if value ~= nil then
                line = { ok = true, text = a.name .. "=" .. text_of(symbi, value) .. " (" .. a.type .. ": OK)" }
            else
                line = { ok = false, text = a.name .. "=" .. text_of(symbi, given) .. " (" .. a.type .. ": FAIL: " .. tostring(message):gsub("^.-argument '[^']*': ", "") .. ")" }
            end
        elseif a.default ~= nil then
            line = { ok = true, text = a.name .. "=" .. text_of(symbi, a.default) .. " (default)" }
        elseif a.required then
            line = { ok = false, text = a.name .. " (" .. a.type .. ": FAIL: missing, and required)" }
        else
            line = { ok = true, absent = a.name, text = a.name .. " (" .. a.type .. ": not given)" }
        end
        good = good and line.ok
        lines[#lines + 1] = line
    end
    local unknown = {}
    for name in pairs(call.args) do
        if not declared[name] then unknown[#unknown + 1] = name end
    end
    table.sort(unknown)
    for _, name in ipairs(unknown) do
        good = false
        local _, message = call.tool:validate { [name] = call.args[name] }
        lines[#lines + 1] = { ok = false, text = tostring(message) }
    end
    return lines, good
end

-- What the policies say, without any effect.
local function judge(symbi, o, host, call)
    local dir = o.policies or host.policies
    if not dir then return nil end
    local gate, message = symbi.gate.open { policies = dir, tools = { call.tool }, scope = symbi.scope.find(nil, ".") or nil }
    if not gate then return nil, message end
    local verdict = gate:check({ kind = "tool_call", agent = o.agent or "local", name = call.contract.name, arguments = call.args }, { context = call.context })
    gate:close()
    return verdict
end

function M.test(symbi, o, host)
    local call, message, misuse = open(symbi, o, host)
    if misuse then return 2, misuse end
    if not call then return nil, message end
    local lines, good = checks(symbi, call)
    local plan, why
    -- of the environment only what decides: whether a parser may run
    if good then plan, why = call.tool:plan(call.args, { project_dir = ".", env = { "SYMBIONT_TOOLCLAD_ALLOWED_PARSERS=" .. (os.getenv "SYMBIONT_TOOLCLAD_ALLOWED_PARSERS" or "") } }) end
    local verdict
    verdict, message = judge(symbi, o, host, call)
    if message then return nil, message end
    local d = call.contract
    local cedar = d.cedar and d.cedar.resource .. " / " .. d.cedar.action or nil
    local allowed = not verdict or verdict.decision == "allow"
    if o.json then
        local validations = symbi.array()
        for i, l in ipairs(lines) do validations[i] = l.text end
        print(as_json { command = plan and plan.command or "", argv = plan and plan.kind == "shell" and plan.argv or nil, parser = plan and plan.parser or nil, request = plan and plan.detail or nil, validations = validations,
            cedar = cedar or symbi.null, timeout = d.timeout_ms / 1000, valid = plan ~= nil, error = why, decision = verdict and verdict.decision, reason = verdict and verdict.reason,
            policies = verdict and verdict.policies })
        return plan and allowed and 0 or 1
    end
    print("Manifest   " .. safe(call.path, 300))
    print "Arguments"
    local absent = {}
    for _, l in ipairs(lines) do
        if l.absent then absent[#absent + 1] = l.absent else print((l.ok and "  ok    " or "  FAIL  ") .. safe(l.text, 300)) end
    end
    if #absent > 0 then print("  -     not given: " .. safe(table.concat(absent, ", "), 1000)) end
    if plan then
        print("Command    " .. safe(plan.command, 2000))
        for i, w in ipairs(plan.kind == "shell" and plan.argv or {}) do print("  argv[" .. i - 1 .. "]  " .. safe(w, 500)) end
        if plan.parser then print("Parser     " .. safe(plan.parser, 300) .. " (listed)") end
        if plan.detail then print("Request    " .. safe(symbi.json.encode(plan.detail), 4000)) end
        print(string.format("Timeout    %gs", plan.timeout_ms / 1000))
    elseif why then
        print("Command    refused: " .. safe(why, 1000))
    end
    if cedar then print("Cedar      " .. safe(cedar, 200)) end
    if verdict then
        local names = {}
        for i, p in ipairs(verdict.policies) do names[i] = p.id .. " (" .. p.source .. ":" .. p.line .. ")" end
        print("Policies   " .. verdict.decision .. (names[1] and " by " .. safe(table.concat(names, ", "), 300) or "") .. (verdict.decision == "allow" and "" or ": " .. safe(verdict.reason, 400)))
    end
    print "[dry run -- command not executed]"
    return plan and allowed and 0 or 1
end

-- A person at the terminal answers; without one nobody does.
local function ask(symbi)
    if not symbi.io.isatty(0) then return nil end
    return function(verdict)
        io.stderr:write("'", safe(verdict.name, 60), "' needs a person's approval: ", safe(symbi.json.encode(verdict.input or {}), 500), "\nApprove? [y/N] ")
        local answer = io.stdin:read "*l"
        return answer == "y" or answer == "yes", os.getenv "USER" or "operator"
    end
end

function M.run(symbi, o, host)
    local call, message, misuse = open(symbi, o, host)
    if misuse then return 2, misuse end
    if not call then return nil, message end
    local policies = o.policies or host.policies or "policies"
    if not symbi.io.stat(policies) then return nil, "there are no policies: no folder " .. safe(policies, 200) .. ", so everything is denied; name one with --policies" end
    local store, audit
    store, message = symbi.store.open(o.state or host.state or ".symbi")
    if not store then return nil, message end
    audit, message = symbi.audit.open(store)
    if not audit then
        store:close()
        return nil, message
    end
    local envelope, why, err = call.tool:execute(call.args, { policies = policies, audit = audit, agent = o.agent, context = call.context, approve = ask(symbi), project_dir = ".",
        user = os.getenv "USER" })
    audit:close()
    store:close()
    if not envelope then
        envelope = err and err.envelope
        if not envelope then return nil, why end
        io.stderr:write("symbi-lua tools: ", safe(why, 1000), "\n")
    end
    print(as_json(envelope))
    return envelope.status == "success" and 0 or 1
end

return M
