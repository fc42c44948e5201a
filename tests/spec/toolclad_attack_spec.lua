--- The attack table (spec orga-oats.md 4.1, row 15) where a value is no word of a command: in a URL, a header and the bodies of HTTP tools, in a field of an
-- MCP tool, as the text that is typed into a session, as a selector and an address of a browser. An escape is a value that does anything
-- but stand there as itself; a false refusal, a clean value of the control arm that does not get through. (Commands: toolclad_attack_test.c.)
local symbi = require "symbi"
local json = symbi.json

local HOMOGLYPH = "ex\208\176mple.com"
local attacks = {
    "example.com; touch /tmp/canary-1", "example.com && id", "example.com | sh", "$(touch /tmp/canary-2).example.com", "`touch /tmp/canary-3`.example.com", "`id`",
    "*.example.com", "?.example.com", "example.com\nINJECTED-4", "example.com\rINJECTED", "\nexample.com", "example.com\n", "example.com\r\nX-Evil: 1", "a\r\n\r\n{}", "a\0b",
    "../../tmp/canary-5", "..", ".", "a/../../b", "..\\..\\x", "/etc/passwd", "%2e%2e/%2e%2e", "..%2f..", "x/../..", HOMOGLYPH, "\239\189\133xample.com", "xn--example-9c.com",
    "XN--example-9c.com", '", "admin": true, "y": "', '"}', "\\", 'a\\"', "{x}", "{_secret:k}", "{{x}}", "#frag", "?q=1", "&admin=1", "a=b&c=d", "@evil.example", "x@evil.example",
    ":80@evil.example", "//evil.example/", "http://evil.example/", "javascript:alert(1)", "file:///etc/passwd", "http://127.0.0.1/", "http://[::1]/", "'; DROP TABLE t; --", "<script>x</script>",
    "--output=/etc/x", "-oX", "\27[2J", "\194\155", "\226\128\174x", "\226\128\168x", ".shell id", "x\t.shell id", "\255\254", "\237\160\128",
}
local kinds = {
    { "string", 'type = "string"', { "container_exit", "ok prose with spaces", "caf\195\169", "a=b" } },
    { "pattern", 'type = "string"\npattern = "^[a-z.]+$"', { "abc", "a.b", "z", "x.y.z" } },
    { "enum", 'type = "enum"\nallowed = ["fast", "-slow"]', { "fast", "-slow" } },
    { "scope_target", 'type = "scope_target"', { "api.example.com", "1.2.3.4", "2001:db8::1", "10.0.0.0/8" } },
    { "url", 'type = "url"\nschemes = ["https"]', { "https://example.com/", "https://a.example.com:8443/x?y=1" } },
    { "path", 'type = "path"', { "a.txt", "dir/a.txt", "a-b/.c" } },
    { "ip_address", 'type = "ip_address"', { "10.0.0.1", "::1" } },
    { "cidr", 'type = "cidr"', { "10.0.0.0/8", "::/0" } },
    { "duration", 'type = "duration"', { "30", "5m", "500ms" } },
    { "msf_options", 'type = "msf_options"', { "RHOSTS 10.0.0.1", "A b; C d" } },
    { "credential_file", 'type = "credential_file"', { "creds.txt" } },
    { "regex_match", 'type = "regex_match"\npattern = "^[A-Z]+-[0-9]+$"', { "ABC-1" } },
    { "agent_summary", 'type = "agent_summary"', { "The billing system is slow", "three failed logins" } },
}

local HEAD = '[tool]\nname = "t"\nversion = "1"\ndescription = "d"\n[args.x]\nrequired = true\n'

local function unescape(s) return (s:gsub("%%(%x%x)", function(h) return string.char(tonumber(h, 16)) end)) end

-- What would be sent, as the plan has it (no secret stands in it): {url=, headers = {{name, text}}, body=}; nil when there is no plan.
local function request(tool, value)
    local plan = tool:plan({ x = value }, { scan_id = "s" })
    if not plan then return nil end
    local headers = {}
    for i, h in ipairs(plan.detail.headers) do headers[i] = { h[1], table.concat(h[2]) } end
    return { url = table.concat(plan.detail.url), headers = headers, body = plan.detail.body and table.concat(plan.detail.body) }
end

-- Each place: the rest of a manifest, and what is wrong with what came of a value (canonical: as validated), or nil.
local places = {
    { "path of a URL", '[http]\nurl = "https://h.example/a/{x}/z"\n', function(tool, value, canonical)
        local rq = request(tool, value)
        if not rq then return "refused" end
        local middle = rq.url:match "^https://h%.example/a/(.*)/z$"
        if not middle or middle:find "[?#%s%c\\]" then return "another URL: " .. rq.url end
        if unescape(middle) ~= canonical then return "another text: " .. middle end
        for segment in (middle .. "/"):gmatch "(.-)/" do
            if unescape(segment) == ".." or unescape(segment) == "." then return "a way up" end
        end
    end },
    { "query of a URL", '[http]\nurl = "https://h.example/a?q={x}&z=1"\n', function(tool, value, canonical)
        local rq = request(tool, value)
        if not rq then return "refused" end
        local q = rq.url:match "^https://h%.example/a%?q=(.*)&z=1$"
        if not q or q:find "[&#%s%c]" then return "another URL: " .. rq.url end
        if unescape(q) ~= canonical then return "another text: " .. q end
    end },
    { "header", '[http]\nurl = "https://h.example/"\nheaders = { "X-A" = "v {x}" }\n', function(tool, value, canonical)
        local rq = request(tool, value)
        if not rq then return "refused" end
        local found
        for _, h in ipairs(rq.headers) do
            local name, text = h[1], h[2]
            if name == "X-A" then found = text else return "another header: " .. name end
        end
        if not found or found:find "[\r\n%z]" then return "a line break" end
        if found ~= "v " .. canonical then return "another text: " .. found end
    end },
    { "JSON body", '[http]\nmethod = "POST"\nurl = "https://h.example/"\nbody_template = \'{"a": "{x}", "b": 1}\'\n', function(tool, value, canonical)
        local rq = request(tool, value)
        if not rq then return "refused" end
        local body = json.decode(rq.body)
        if not body or body.a ~= canonical or body.b ~= 1 then return "another body: " .. rq.body end
        for key in pairs(body) do if key ~= "a" and key ~= "b" then return "another field: " .. key end end
    end },
    { "form", '[http]\nmethod = "POST"\nurl = "https://h.example/"\nheaders = { "Content-Type" = "application/x-www-form-urlencoded" }\nbody_template = "a={x}&b=1"\n', function(tool, value, canonical)
        local rq = request(tool, value)
        if not rq then return "refused" end
        local a = rq.body:match "^a=(.*)&b=1$"
        if not a or a:find "[&=+%s]" or unescape(a) ~= canonical then return "another body: " .. rq.body end
    end },
    { "field of an MCP tool", '[mcp]\nserver = "s"\ntool = "up"\nfield_map = { x = "y" }\n', function(tool, value, canonical)
        local plan = tool:plan({ x = value }, { scan_id = "s" })
        if not plan then return "refused" end
        local a = plan.detail.arguments
        if a.y ~= canonical then return "another value" end
        for key in pairs(a) do if key ~= "y" then return "another field" end end
        if plan.detail.tool ~= "up" or plan.detail.server ~= "s" then return "another tool" end
    end },
}

local function manifest(kind, rest) return HEAD .. kind[2] .. "\n" .. rest .. '[output]\nformat = "text"\n' end

-- Whether the type by itself takes the value; and as what.
local function takes(kind, value)
    local tool = assert(symbi.toolclad.parse('[tool]\nname = "t"\ndispatch = "callback"\n[args.x]\nrequired = true\n' .. kind[2] .. "\n"))
    local args = tool:validate { x = value }
    return args and args.x
end

describe("the attack table", function()
    for _, place in ipairs(places) do
        it("has no escape in the " .. place[1], function()
            local tried, carried = 0, 0
            for _, kind in ipairs(kinds) do
                local tool = assert(symbi.toolclad.parse(manifest(kind, place[2])))
                for _, value in ipairs(attacks) do
                    local canonical = takes(kind, value)
                    local wrong = place[3](tool, value, canonical)
                    tried = tried + 1
                    if wrong == nil then
                        carried = carried + 1
                        assert.is_truthy(canonical, kind[1] .. " let through " .. value)
                    else
                        assert.equal("refused", wrong, kind[1] .. ": " .. value)
                    end
                end
                for _, value in ipairs(kind[3]) do assert.is_nil(place[3](tool, value, assert(takes(kind, value))), kind[1] .. ": " .. value) end
            end
            assert.equal(#kinds * #attacks, tried)
            assert.is_true(carried > 0)
        end)
    end

    -- What is typed is an argument of its own type; the manifest's pattern says what it may be.
    it("has no escape in the text that is typed into a session", function()
        local function command(pattern, more)
            local tool = assert(symbi.toolclad.parse('[tool]\nname = "s"\nversion = "1"\ndescription = "d"\n[session]\nstartup_command = "sqlite3"\nready_pattern = "sqlite> $"\n' .. (more or "") ..
                '[session.commands.q]\ndescription = "d"\npattern = ' .. json.encode(pattern) .. '\n[output]\nformat = "text"\n'))
            return assert(symbi.toolclad.toolset { tool }:find "s.q")
        end
        local any, select, clean = command "^.*$", command "select [a-z0-9_ ]+;", command("^.*$", '[session.interaction]\ninput_sanitize = ["injection"]\n')
        for _, value in ipairs(attacks) do
            local plan = any:plan({ command = value }, { scan_id = "s" })
            if plan then
                assert.equal(value, plan.detail.command)
                assert.is_nil(value:find "%c", value) -- one line, and nothing that a terminal obeys
                assert.is_nil(value:find("\194\155", 1, true))
            end
            assert.is_nil(select:plan({ command = value }, { scan_id = "s" }), value)
            assert.is_nil(select:plan({ command = "select a;" .. value }, { scan_id = "s" }), value)
            assert.is_nil(select:plan({ command = value .. "select a;" }, { scan_id = "s" }), value)
            if value:find "[;|&$`(){}%[%]<>!]" then assert.is_nil(clean:plan({ command = value }, { scan_id = "s" }), value) end
        end
        for _, value in ipairs { "select a;", "select a_1 from t;" } do assert.equal(value, assert(select:plan({ command = value }, { scan_id = "s" })).detail.command) end
    end)

    it("has no escape in a browser's selectors and addresses", function()
        local tool = assert(symbi.toolclad.parse('[tool]\nname = "b"\nversion = "1"\ndescription = "d"\n[browser]\n[browser.scope]\nallowed_domains = ["*.example.com"]\n' ..
            '[browser.commands.navigate]\ndescription = "d"\nargs.url = {type = "url", required = true}\n[browser.commands.click]\ndescription = "d"\nargs.selector = {type = "string", required = true}\n' ..
            '[browser.commands.type_text]\ndescription = "d"\nargs.text = {type = "string", required = true, sanitize = []}\n[output]\nformat = "text"\n'))
        local set = symbi.toolclad.toolset { tool }
        local navigate, click, text = set:find "b.navigate", set:find "b.click", set:find "b.type_text"
        for _, value in ipairs(attacks) do
            assert.is_nil(navigate:plan({ url = value }, { scan_id = "s" }), value)
            for _, before in ipairs { "https://", "https://a.example.com@", "https://evil.org#", "https://evil.org?" } do
                local plan = navigate:plan({ url = before .. value }, { scan_id = "s" })
                if plan then assert.matches("^https://[%w.-]+%.example%.com[/?#]?", before .. value) end
            end
            for _, call in ipairs { { click, "selector" }, { text, "text" } } do
                local plan = call[1]:plan({ [call[2]] = value }, { scan_id = "s" })
                if plan then assert.equal(value, plan.arguments[call[2]]) end
            end
            if value:find "[;|&$`(){}%[%]<>!\r\n]" then assert.is_nil(click:plan({ selector = value }, { scan_id = "s" }), value) end
        end
        assert.truthy(navigate:plan({ url = "https://a.example.com/x?y=1" }, { scan_id = "s" }))
        assert.equal("a[href='x']", assert(text:plan({ text = "a[href='x']" }, { scan_id = "s" })).arguments.text)
    end)
end)
