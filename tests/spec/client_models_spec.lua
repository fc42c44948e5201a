--- The models of the REST contract: what the SDK's own models accept, refuse and fill in (shared vectors), and what sending is held to.
local core = require "symbi.core"
local symbi = require "symbi"
local model = require "symbi.api.model"
local json, null = symbi.json, symbi.null

local folder = (os.getenv "SYMBI_VECTORS" or "../shared/vectors") .. "/rest/"

local function vectors(name)
    local f = io.open(folder .. name, "rb")
    if not f then return nil end
    local text = f:read "*a"
    f:close()
    return assert(json.decode(text, { bigint = "number" }))
end

-- "long strings as {"$repeat":c,"count":n}"
local function expand(v)
    if type(v) ~= "table" then return v end
    if v["$repeat"] then return (v["$repeat"]):rep(v.count) end
    local out = {}
    for k, x in pairs(v) do out[k] = expand(x) end
    return core.is_array(v) and core.array(out) or out
end

-- Equal as JSON texts are, but an absent field counts as null.
local function same(a, b)
    if a == nil then a = null end
    if b == nil then b = null end
    if type(a) ~= "table" or type(b) ~= "table" then return a == b end
    for k, v in pairs(a) do if not same(v, b[k]) then return false end end
    for k, v in pairs(b) do if not same(v, a[k]) then return false end end
    return true
end

-- pydantic's names of faults, as our rules
local RULE = {
    missing = "missing", enum = "enum", greater_than_equal = "range", less_than_equal = "range", string_too_long = "length", extra_forbidden = "unknown",
}
local function rule_of(name)
    if RULE[name] then return RULE[name] end
    if name:find "^datetime_" and name ~= "datetime_type" then return "format" end
    return "type"
end

local function path_of(loc)
    local out = ""
    for _, part in ipairs(loc) do
        if type(part) == "number" then out = out .. "[" .. part + 1 .. "]"
        elseif part == "[key]" or part == "str" or part == "int" or part:find "^list%[" or part:find "^dict%[" then return out, true -- a branch of a union
        else out = out == "" and part or out .. "." .. part end
    end
    return out
end

describe("models", function()
    it("know the fields of every model of the SDK", function()
        local file = vectors "model_fields.json"
        if not file then return pending "no vectors" end
        local TYPES = { Any = "any", ["Union[str, int]"] = "str|int", ["Union[List[float], Dict[str, List[float]]]"] = "[float]|{[float]}" }
        local function notation(t)
            if TYPES[t] then return TYPES[t] end
            local inner = t:match "^Optional%[(.*)%]$"
            if inner then return notation(inner), true end
            inner = t:match "^List%[(.*)%]$"
            if inner then return "[" .. notation(inner) .. "]" end
            inner = t:match "^Set%[(.*)%]$"
            if inner then return "<" .. notation(inner) .. ">" end
            inner = t:match "^Dict%[str, (.*)%]$"
            if inner then return "{" .. notation(inner) .. "}" end
            return t
        end
        local n = 0
        for full, want in pairs(file.models) do
            local m = assert(model.get(full), full)
            n = n + 1
            if want.kind == "enum" then
                assert.same({ unpack = nil, (table.unpack or unpack)(want.values) }, m.values)
            else
                assert.equal(want.extra, m.extra, full)
                assert.equal(#want.fields, #m.fields, full)
                for i, f in ipairs(want.fields) do
                    local got, where = m.fields[i], full .. "." .. f.name
                    local t, nullable = notation(f.type)
                    assert.equal(f.name, got.name)
                    assert.equal(t, got.type.text, where)
                    assert.equal(nullable or false, got.nullable, where)
                    assert.equal(f.required, got.required, where)
                    for _, k in ipairs { "ge", "le", "max_length" } do assert.equal(f[k], got[k], where .. " " .. k) end
                    assert.equal(f.python_name, got.other, where)
                    local d = got.default
                    if f.default ~= nil and f.default ~= null and not tostring(f.default):find "^<now" and t:sub(1, 1):find "%l" then
                        assert.equal(f.default, d, where)
                    end
                end
            end
        end
        assert.truthy(n > 100)
        assert.equal(n, #model.names())
    end)

    it("accept, refuse and fill in what the SDK does", function()
        local file = vectors "models.json"
        if not file then return pending "no vectors" end
        local wrong = {}
        for _, c in ipairs(file.cases) do
            local m = assert(model.get(c.model), c.model)
            local out, message, err = m.read(expand(c.input))
            if c.valid then
                if not out then wrong[#wrong + 1] = c.id .. ": refused: " .. message
                else
                    local want, now = expand(c.dump_json_mode), out
                    for _, f in ipairs(m.fields) do if f.now and c.input[f.name] == nil then want[f.name], now[f.name] = nil, nil end end
                    if not same(want, now) then wrong[#wrong + 1] = c.id .. ": " .. json.encode(want) .. " is " .. json.encode(now) end
                end
            elseif out then
                wrong[#wrong + 1] = c.id .. ": accepted"
            elseif c.errors[1].type ~= "python_type_error" then
                local got, want = {}, {}
                for _, e in ipairs(err.errors) do got[e.path .. " " .. e.rule] = true end
                for _, e in ipairs(c.errors) do
                    local path, branch = path_of(e.loc)
                    want[path .. " " .. (branch and "type" or rule_of(e.type))] = true
                end
                if not same(got, want) then wrong[#wrong + 1] = c.id .. ": " .. json.encode(want) .. " is " .. json.encode(got) end
            end
        end
        assert.same({}, wrong)
    end)

    it("say of a runtime's answers what the SDK says", function()
        local file = vectors "runtime_shapes_vs_sdk.json"
        if not file then return pending "no vectors" end
        local wrong = {}
        for _, c in ipairs(file.cases) do
            local m = model.get(c.sdk_model)
            local out = m and m.read(c.runtime_1_19_payload)
            if c.sdk_model:find "^WebhookInvocationResponse" then
                -- ours goes by `status`; the SDK takes whichever class fits
                local p = c.runtime_1_19_payload
                local known = p.status == "execution_started" or p.status == "completed"
                local got = symbi.webhook.parse_response(p)
                if (got ~= nil) ~= (known and c.sdk.accepted) then wrong[#wrong + 1] = c.id .. ": " .. tostring(got) end
            elseif not m then wrong[#wrong + 1] = c.id .. ": no model " .. c.sdk_model
            elseif (out ~= nil) ~= c.sdk.accepted then wrong[#wrong + 1] = c.id .. ": accepted is " .. tostring(out ~= nil)
            elseif out and not same(c.sdk.parsed, out) then wrong[#wrong + 1] = c.id .. ": " .. json.encode(out) end
        end
        assert.same({}, wrong)
    end)

    it("are exact about what is sent", function()
        local M = symbi.models
        local agent = { id = "a", name = "n", description = "d", system_prompt = "p", tools = {}, model = "m", temperature = 1, top_p = 0.5, max_tokens = 10 }
        assert.truthy(M.Agent.check(agent, { exact = true }))
        agent.max_tokens = "10"
        assert.truthy(M.Agent.check(agent))
        local ok, message, err = M.Agent.check(agent, { exact = true })
        assert.is_nil(ok)
        assert.truthy(err:is "ValidationError" and err:is "SymbiontError" and not err:is "APIError")
        assert.equal("Agent: max_tokens must be a whole number", message)
        assert.same({ { path = "max_tokens", rule = "type", detail = "int_type", message = "must be a whole number" } }, err.errors)
        assert.equal("ValidationError: Agent: max_tokens must be a whole number", tostring(err))
        assert.is_nil(M.ScheduleDetail.check({ job_id = {} }, { exact = true }))
        assert.equal("active", symbi.enums.AgentState.ACTIVE)
        assert.is_nil(symbi.models.NoSuch)
        assert.is_nil(symbi.enums.Agent)
    end)

    it("round no whole number", function()
        local m = assert(model.get "models.ConsolidationResponse")
        local function count(v)
            local out, message = m.read { agent_id = "a", promoted_count = v, pruned_count = 0, consolidated_count = 0, execution_time_ms = 1 }
            return out and (type(out.promoted_count) == "string" and out.promoted_count or ("%.0f"):format(out.promoted_count)), message
        end
        local big = math.type and math.type(2 ^ 53) and math.tointeger("9007199254740993") or "9007199254740993" -- luacheck: ignore 143
        assert.equal("9007199254740991", count "9007199254740991")
        assert.equal("-7", count " -0007 ")
        assert.equal("12345678901234567890", count "+12345678901234567890") -- no Lua has it: its digits
        assert.equal(tostring(big), tostring(assert(m.read { agent_id = "a", promoted_count = "9007199254740993", pruned_count = 0, consolidated_count = 0, execution_time_ms = 1 }).promoted_count))
        assert.is_nil((count(1e300)))
        assert.is_nil((count(2 ^ 63)))
        assert.equal("4503599627370496", count(2 ^ 52))
        assert.is_nil((count(("9"):rep(5000))))
        assert.is_nil((count "1.5"))
        -- a limit holds for digits, too
        local err = select(3, assert(model.get "models.CommunicationRule").read { from_agent = "a", to_agent = "b", action = "allow", priority = "99999999999999999999", max_depth = 1 })
        assert.is_true(err == nil or err.errors[1].rule == "range")
    end)

    it("put a limit on depth and on the number of faults", function()
        local deep = {}
        local at = deep
        for _ = 1, 100 do
            at.x = {}
            at = at.x
        end
        assert.truthy(symbi.models.WorkflowExecutionRequest.check { workflow_id = "w", parameters = deep })
        local many = {}
        for i = 1, 1000 do many[i] = 5 end
        local _, _, err = symbi.models.ToolTestResult.check { command = "c", timeout = 1, validations = core.array(many) }
        assert.equal(100, #err.errors)
    end)

    it("keep defaults apart from one copy to the next", function()
        local a = symbi.models.InferenceOptions { max_tokens = 5 }
        a.response_format.type = "json_object"
        table.insert(a.tool_definitions, 1)
        local b = symbi.models.InferenceOptions { max_tokens = 5 }
        assert.equal("text", b.response_format.type)
        assert.equal(0, #b.tool_definitions)
        assert.equal("[]", json.encode(b.tool_definitions))
    end)
end)
