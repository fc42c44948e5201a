-- One dangerous program, safely in the hands of a model. Run it:  ./symbi-lua scripts/tools.lua
-- A manifest says what may be asked of grep, a policy says who may ask, and every call leaves a record. scripts/guide/tools.md says more.
local symbi = require "symbi"

local tool = assert(symbi.toolclad.parse([[
[tool]
name = "find_text"
version = "1.0.0"
description = "Finds lines with a word in one file of this folder"
timeout_seconds = 5

[args.word]
position = 1
required = true
description = "The word"

[args.file]
position = 2
required = true
type = "path"
description = "A file below the present folder"

[command]
exec = ["grep", "-n", "--max-count=3", "--regexp={word}", "--", "{file}"]

[output]
format = "text"
[output.schema]
type = "object"
]], "scripts/tools.lua"))

local policies = { { name = "scripts/tools.lua", text = [[
    permit(principal == Agent::"reader", action == Action::"tool_call::find_text", resource);
    forbid(principal, action, resource) when { context has input && context.input has file && context.input.file like "*secret*" };
]] } }

local store = symbi.store.memory()
local audit = assert(symbi.audit.open(store, { key = assert(symbi.crypto.ed25519 { seed = symbi.crypto.random(32) }) }))

-- what a model might ask for
local calls = {
    { "reader", { word = "symbi", file = "README.md" } },
    { "reader", { word = "-f/etc/passwd", file = "README.md" } }, -- stays a word: it is glued behind --regexp=
    { "reader", { word = "root", file = "../../etc/passwd" } },
    { "reader", { word = "x; rm -rf /", file = "README.md" } },
    { "reader", { word = "key", file = "config/secret.txt" } },
    { "writer", { word = "symbi", file = "README.md" } },
}
for _, call in ipairs(calls) do
    local e, message, err = tool:execute(call[2], { policies = policies, agent = call[1], audit = audit })
    print(call[1] .. " asks for " .. symbi.json.canonical(call[2]))
    if e then
        print("   " .. e.status .. ", exit " .. e.exit_code .. ", " .. #(e.results.raw_output or "") .. " bytes, record " .. e.evidence_sha256:sub(1, 16))
    else
        print("   " .. err.envelope.status .. ": " .. message)
    end
end

local records = 0
for _ in symbi.store.records(store, "evidence") do records = records + 1 end
print(("the trail has %d entries; %d records lie beside it"):format(audit:len(), records))
audit:close()
