-- Benchmark: 1,000 skills of three files each, loaded: read, hashed, scanned by the strict profile, admitted. Prints JSON.
local symbi = require "symbi"
local sio, json = symbi.io, symbi.json
local root = os.tmpname()
os.remove(root)
local words = { "format", "the", "document", "with", "care", "and", "check", "every", "section", "for", "links", "that", "do", "not", "resolve", "before", "it", "is", "sent" }
local seed = 7
local function text(n)
    local out = {}
    for i = 1, n do
        seed = (seed * 1103515245 + 12345) % 2147483648
        out[i] = words[seed % #words + 1] .. (i % 12 == 0 and "\n" or "")
    end
    return table.concat(out, " ")
end
local bytes = 0
for i = 1, 1000 do
    local dir = ("%s/skill%04d"):format(root, i)
    assert(sio.mkdir(dir .. "/ref", { parents = true }))
    local files = { ["SKILL.md"] = ("---\nname: skill%04d\ndescription: %s\n---\n"):format(i, "Formats documents") .. text(400), ["ref/guide.md"] = text(600), ["run.py"] = "import sys\nprint(sys.argv)\n" }
    for name, content in pairs(files) do
        bytes = bytes + #content
        local f = assert(io.open(dir .. "/" .. name, "w"))
        f:write(content)
        f:close()
    end
end
local times = {}
local loaded
for i = 1, 3 do
    local start = sio.monotonic()
    loaded = assert(symbi.skills.loader { load_paths = { root } }):load_all()
    times[i] = sio.monotonic() - start
end
table.sort(times)
assert(#loaded == 1000, "not all were admitted: " .. #loaded)
print(json.encode { bench = "skills", skills = 1000, bytes = bytes, seconds = times[2], best = times[1], target_seconds = 2 })
sio.remove_tree(root)
