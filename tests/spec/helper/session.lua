--- Sessions for specs: a folder of the test's own, programs, manifests, and runs with a recorded model.
local symbi = require "symbi"
local json = symbi.json
local sio = symbi.io

local M = {}

M.ALL = "permit(principal, action, resource);"
local dir, serial = nil, 0

--- A new folder, which is returned.
function M.fresh()
    serial = serial + 1
    dir = string.format("%s/symbi-session-%d-%d", os.getenv("TMPDIR") or "/tmp", math.floor(sio.monotonic() * 1000) % 1000000007, serial)
    assert(sio.mkdir(dir, { parents = true, mode = 448 }))
    return dir
end

local function has(program) return os.execute("command -v " .. program .. " >/dev/null 2>&1") end
function M.found(program)
    local a, _, c = has(program)
    return a == 0 or a == true or c == 0 and a ~= nil
end

--- The path of a bash script with this text.
function M.shell(text)
    local path = dir .. "/program.sh"
    assert(sio.write_file(path, "#!/bin/bash\n" .. text, 448))
    return path
end

function M.manifest(name, startup, ready, more, interaction, wait)
    return string.format('[tool]\nname = "%s"\nversion = "1"\ndescription = "d"\n[tool.evidence]\noutput_dir = "%s/evidence/{scan_id}"\n'
        .. "[session]\nstartup_command = '%s'\nready_pattern = '%s'\n%s[session.interaction]\noutput_wait_ms = %d\n%s"
        .. '[session.commands.any]\ndescription = "anything"\npattern = "^.+$"\n'
        .. '[session.commands.select]\ndescription = "a question"\npattern = "^SELECT [a-z0-9 +*,]+;$"\nrisk_tier = "low"\n'
        .. '[output]\nformat = "text"\n[output.schema]\ntype = "object"\n', name, dir, startup, ready, more or "", wait or 20000, interaction or "")
end

--- Runs the calls in order: each is {tool, command}; text is a manifest or a tool. Returns what the tools gave (the journal's result events), and the end.
function M.play(text, calls, options)
    options = options or {}
    local turns = {}
    for i, c in ipairs(calls) do
        turns[i] = { tool_calls = { { id = "c" .. i, name = c[1], arguments = c.arguments or { command = c[2] } } } }
    end
    turns[#turns + 1] = { content = "done" }
    local path = dir .. "/replay.json"
    assert(sio.write_file(path, json.encode { turns = turns }))
    assert(sio.mkdir(dir .. "/policies", { parents = true }))
    assert(sio.write_file(dir .. "/policies/all.cedar", options.policies or M.ALL))
    local runtime = assert(symbi.runtime { policies = dir .. "/policies", tools = { type(text) == "userdata" and text or assert(symbi.toolclad.parse(text, "t.clad.toml")) },
        state = dir .. "/state", replay = path })
    local agent = assert(runtime:agent { id = "tester" })
    local told, events = {}, {}
    local result, message = agent:run("go", { watch = function(kind, a, b)
        if kind == "result" then told[#told + 1] = b.value or b.error or b
        elseif kind == "event" then events[#events + 1] = a end
    end })
    runtime:close()
    assert(result, message)
    return told, result, events
end

--- The number of supervisors of this process.
function M.children()
    local self = assert(io.open("/proc/self/stat", "rb"))
    local n, own = 0, tonumber(self:read("*a"):match("^%d+"))
    self:close()
    for _, e in ipairs(sio.list_dir("/proc") or {}) do
        if e.name:match("^%d+$") then
            local stat = io.open("/proc/" .. e.name .. "/stat", "rb")
            if stat then
                local line = stat:read("*a") or ""
                stat:close()
                if line:find("symbi%-pipe") and tonumber(line:match("%) %S (%d+)")) == own then n = n + 1 end
            end
        end
    end
    return n
end

return M
