--- symbi.cedar.format: the pretty printer from Lua; its layout is tested in tests/unit/cedar_format_test.c.
local symbi = require "symbi"
local cedar = symbi.cedar

describe("symbi.cedar.format", function()
    it("lays policies out and keeps comments", function()
        local text = '@id("a")permit(principal,action==Action::"b",resource)// why\nwhen{context.n>1};\n// last'
        local want = '@id("a")\npermit (\n  principal,\n  action == Action::"b",\n  resource\n) // why\nwhen { context.n > 1 };\n\n// last\n'
        assert.equal(want, (assert(cedar.format(text))))
        assert.equal(want, (assert(cedar.format(want))))
        assert.equal("permit (\n   principal is A,\n   action,\n   resource\n);\n", (assert(cedar.format("permit(principal is A,action,resource);", { width = 20, indent = 3 }))))
        assert.equal("permit\n(principal, action, resource);\n", (assert(cedar.format("permit(principal,action,resource);", { width = 20 })))) -- as upstream's
        assert.equal("", (assert(cedar.format "")))
    end)

    it("gives policies of the same meaning", function()
        local text = [[permit(principal,action,resource)when{if context.a then context.b+1<2*3 else [1,2].contains(context.c)&&!(principal in G::"g")};]]
        local a = assert(cedar.policies(text))
        for _, width in ipairs { 1, 10, 40, 80 } do
            local b = assert(cedar.policies(assert(cedar.format(text, { width = width }))))
            local function ask(set, context)
                local r = assert(set:authorize { principal = 'U::"u"', action = 'A::"a"', resource = 'R::"r"', context = context })
                return r.decision
            end
            for _, context in ipairs { { a = true, b = 4 }, { a = true, b = 6 }, { a = false, c = 2 }, { a = false, c = 3 } } do
                assert.equal(ask(a, context), ask(b, context))
            end
        end
    end)

    it("refuses what does not parse, and misuse", function()
        local none, message, err = cedar.format "permit(principal,action,resource)\nwhen { 1 + };"
        assert.is_nil(none)
        assert.is_string(message)
        assert.equal("EPARSE", err.code)
        assert.equal(2, err.line)
        assert.has_error(function() cedar.format(nil) end)
        assert.has_error(function() cedar.format("", { width = 0 }) end)
        assert.has_error(function() cedar.format("", { indent = 65 }) end)
        assert.has_error(function() cedar.format("", { tabs = true }) end)
    end)
end)
