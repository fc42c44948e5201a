-- One visit with a browser that can go nowhere else. Run it:  ./symbi-lua scripts/browser.lua [URL]
-- The scope of the manifest names one host (the URL's; example.com by default); the policy lets anybody look and nobody type. It needs
-- chromium. scripts/guide/tool-browser.md says more.
local symbi = require "symbi"

local url = arg and arg[1] or "https://example.com/"
local host = url:match "^https?://([%w.-]+)"
if not host then error("a URL is needed: https://...", 0) end

local tool = assert(symbi.toolclad.parse(([[
[tool]
name = "web"
version = "1.0.0"
description = "Pages of one host"
timeout_seconds = 30

[browser]
max_interactions = 20

[browser.scope]
allowed_domains = ["%s"]

[browser.commands.navigate]
description = "Opens a page"
[browser.commands.navigate.args.url]
type = "url"
schemes = ["https", "http"]
required = true

[browser.commands.snapshot]
description = "The page as an outline"

[browser.commands.screenshot]
description = "The page as a picture"

[browser.commands.type_text]
description = "Types into the page"
[browser.commands.type_text.args.text]
required = true

[output]
format = "json"
[output.schema]
type = "object"
]]):format(host), "scripts/browser.lua"))

local set = assert(symbi.core.toolclad.toolset { tool })
local gate = assert(symbi.gate.open { tools = set, policies = assert(symbi.cedar.policies [[
    permit(principal, action, resource);
    forbid(principal, action == Action::"tool_call::web.type_text", resource);
]]) })
local io = symbi.io.auto() -- the browser lives as long as this

local function call(name, arguments)
    local e, message = symbi.toolclad.execute("web." .. name, arguments or {}, { gate = gate, io = io })
    if not e then
        print(("%-11s refused: %s"):format(name, message))
    elseif e.status ~= "success" then
        print(("%-11s %s: %s"):format(name, e.status, e.error))
    else
        print(("%-11s %s (%s)"):format(name, e.results.url, e.results.title))
        return e.results
    end
end

call("navigate", { url = url })
local page = call "snapshot"
if page then print((page.content:sub(1, 400))) end
local picture = call "screenshot"
if picture then print("            " .. picture.screenshot_path) end
call("type_text", { text = "anything" })                       -- the policy says no
call("navigate", { url = "https://not-in-scope.invalid/" })    -- the scope says no
io:finish()
gate:close()
