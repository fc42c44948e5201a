-- symbi.dsl in C: errors, format, data, compiling with and without refusals, a narrowed gate.
local core = require "symbi.core"

return function()
    local dsl = core.dsl
    local file, message = dsl.parse('# c\nmetadata { a = ["x"] }\nagent bot { capabilities = ["f"] policy p { allow: respond if t audit: all } with max_tokens = 9 { } }', "a.symbi")
    if not file then return nil, message end
    assert(#file:errors() == 0 and file:ok())
    for _, method in ipairs { "format", "sexp", "extract" } do
        local v
        v, message = file[method](file)
        if not v then return nil, message end
    end
    local narrow
    narrow, message = file:compile { agent = "bot" }
    if not narrow then return nil, message end
    assert(narrow:describe().limits.max_total_tokens == 9 and #narrow:hash() == 64)
    local set
    set, message = core.cedar.policies { "permit(principal, action, resource);" }
    if not set then return nil, message end
    local gate
    gate, message = core.gate.new { policies = set }
    if not gate then return nil, message end
    local ok
    ok, message = gate:narrow(narrow, { sandbox = "docker" })
    if not ok then return nil, message end
    local verdict = gate:check({ agent = "bot", kind = "respond" }, { context = { t = false } })
    if verdict.code == "OUT_OF_MEMORY" then return nil, "out of memory" end
    assert(verdict.code == "DSL_DENIED", verdict.code)
    gate:close()
    set:close()
    narrow:close()
    file:close()
    file, message = dsl.parse('agent a { with privacy = 1 { } }\nagent', "b.symbi")
    if not file then return nil, message end
    assert(#file:errors() == 1)
    file:close()
    file, message = dsl.parse("agent a { with privacy = 1 { } }", "b.symbi")
    if not file then return nil, message end
    local err
    narrow, message, err = file:compile()
    assert(not narrow)
    if err.code ~= "ESCHEMA" then return nil, message end
    assert(#err.problems == 1)
    file:close()
    for _, f in ipairs { function() return dsl.repl "agent A { name: \"x\" }" end, function() return dsl.policy_text "policy p\nallow x" end, function() return dsl.mcp_pin("a", '{"b":[1.5,"c"]}') end } do
        local v
        v, message = f()
        if not v then return nil, message end
    end
    return true
end
