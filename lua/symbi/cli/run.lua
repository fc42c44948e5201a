--- symbi-lua run AGENT: one run of an agent that a `.symbi` (or .toml) file defines, with the policies, tools and limits of this folder. The
-- answer goes to standard output, what happens on the way to standard error. Exit status: 0 the agent answered, 1 it did not (denied,
-- out of budget, out of time, an error), 2 wrong use or a definition that is refused.
local M = {}

local usage = [[
usage: symbi-lua run AGENT [--prompt TEXT | --input JSON | --stdin] [--agent NAME] [--replay FILE] [--policies DIR] [--tools DIR]
                     [--state DIR] [--context JSON] [--sandbox TIER] [--memory BYTES] [--max-iterations N] [--max-tokens N]
                     [--json] [--quiet]

AGENT is a file, or a name that is looked up here and in agents/. The model is the one of SYMBI_MODEL_URL, or --replay plays a recording.
--policies (./policies), --tools (./tools) and --state (.symbi) are folders; without policies everything is denied. --context gives
facts that policies and require rules may ask for. --sandbox bwrap runs every program in bubblewrap; docker, gvisor, firecracker, e2b
only say what this process runs in (both: docker+bwrap): an agent that asks for more gets no tools. --memory limits the memory of each
tool; an agent's own smaller limit is used by itself.]]

local known = {
    prompt = "text", input = "text", stdin = "flag", agent = "text", replay = "text", policies = "text", tools = "text", state = "text", context = "text",
    sandbox = "text", memory = "number", ["max-iterations"] = "number", ["max-tokens"] = "number", json = "flag", quiet = "flag", rest = "AGENT",
}

local cli = require "symbi.cli.args"
local safe = cli.safe

local function misuse(message) return cli.misuse("run", usage, message) end

local function parse(args)
    if args[1] == nil then
        print(usage)
        return nil, 2
    end
    local o, status = cli.options("run", usage, known, args, 1, "run")
    if not o then return nil, status end
    for name, kind in pairs(known) do
        if kind == "number" and o[name] == 0 then return nil, misuse("--" .. name .. " needs a whole number above 0") end
    end
    if #o.rest > 1 then return nil, misuse("one agent at a time: '" .. safe(o.rest[2], 60) .. "'") end
    if not o.rest[1] then return nil, misuse("which agent?") end
    if (o.prompt and 1 or 0) + (o.input and 1 or 0) + (o.stdin and 1 or 0) > 1 then return nil, misuse("--prompt, --input and --stdin exclude each other") end
    return o, o.rest[1]
end

-- The file of an agent: as given, with an extension, or in agents/.
local function find(symbi, name)
    local path, fragment = name:match("^(.-)(#[^#/]*)$")
    path, fragment = path or name, fragment or ""
    for _, base in ipairs { path, "agents/" .. path } do
        for _, ext in ipairs { "", ".symbi", ".dsl", ".toml" } do
            local info = symbi.io.stat(base .. ext)
            if info and info.type ~= "directory" then return base .. ext .. fragment end
        end
    end
    return nil, "no agent '" .. name .. "': neither here nor in agents/ is a file of that name (.symbi, .dsl or .toml)"
end

local function object(symbi, text, what)
    local v, message = symbi.json.decode(text)
    if type(v) ~= "table" or symbi.is_array(v) then return nil, what .. " must be a JSON object" .. (message and ": " .. tostring(message) or "") end
    return v
end

local function prompt_of(symbi, o)
    if o.prompt then return o.prompt end
    if o.stdin then
        local text = io.stdin:read(1048577) or ""
        if #text > 1048576 then return nil, "standard input is longer than 1 MiB" end
        return text
    end
    if o.input then
        local v, message = object(symbi, o.input, "--input")
        if not v then return nil, message end
        return "Input: " .. o.input
    end
    return "Input: {}"
end

-- The smaller of what the operator and what the file say; the file's own memory limit is put on the tools without being asked for.
local function memory_of(symbi, path, o)
    if not symbi.dsl.is_definition((path:gsub("#[^#/]*$", ""))) then return o.memory end
    local file, fragment = path:match("^(.*)#([^#/]*)$")
    local def, message, err = symbi.dsl.agent(file or path, { agent = o.agent or fragment })
    if not def then return nil, message, err end
    local limit = def.limits_set.memory_bytes
    if limit and o.memory then return math.min(limit, o.memory), nil, nil, def end
    return limit or o.memory, nil, nil, def
end

local function refused(path, message, err)
    for _, e in ipairs(err and err.errors or {}) do
        io.stderr:write(safe(path, 300), ":", e.line, ":", e.column, ": ", safe(e.message, 500), "\n")
    end
    for _, p in ipairs(err and err.problems or {}) do
        if p.severity == "refused" then
            io.stderr:write(safe(path, 300), ":", p.line, ":", p.col, ": ", safe(p.message, 500), p.nearest and "; what works: " .. safe(p.nearest, 200) or "", "\n")
        end
    end
    if not (err and (err.errors or err.problems)) then io.stderr:write("symbi-lua run: ", safe(message), "\n") end
    return 2
end

local function folder(symbi, given, default)
    if given then return given end
    local info = symbi.io.stat(default)
    return info and info.type == "directory" and default or nil
end

function M.main(args, host)
    local o, name = parse(args)
    if not o then return name end
    host = host or {}
    local symbi = require "symbi"
    local path, message = find(symbi, name)
    if not path then return refused(name, message) end
    local prompt, context, err
    prompt, message = prompt_of(symbi, o)
    if not prompt then return misuse(message) end
    if o.context then
        context, message = object(symbi, o.context, "--context")
        if not context then return misuse(message) end
    end
    local memory
    memory, message, err = memory_of(symbi, path, o)
    if message then return refused(path, message, err) end
    local runtime
    runtime, message, err = symbi.runtime {
        policies = o.policies or folder(symbi, host.policies, "policies"), tools = o.tools or folder(symbi, host.tools, "tools"), state = o.state or host.state,
        replay = o.replay, sandbox = o.sandbox, memory_bytes = memory,
    }
    if not runtime then return refused(path, message, err) end
    if o.agent then path = path:gsub("#[^#/]*$", "") .. "#" .. o.agent end
    local agent
    agent, message, err = runtime:agent(path:find("/") and path or "./" .. path)
    if not agent then
        runtime:close()
        return refused(path, message, err)
    end
    agent.definition.limits = agent.definition.limits or {}
    agent.definition.limits.max_iterations = o["max-iterations"] or agent.definition.limits.max_iterations
    agent.definition.limits.max_total_tokens = o["max-tokens"] or agent.definition.limits.max_total_tokens
    local options = { json = o.json, color = not o.json and symbi.io.isatty(2) and (os.getenv "NO_COLOR" or "") == "" }
    if not o.json then options.write = function(s) io.stderr:write(s) end end
    local show = symbi.show.printer(options)
    local result
    result, message = agent:run(prompt, { watch = not (o.quiet and not o.json) and show:watch() or nil, context = context })
    agent:close()
    if not result then
        runtime:close()
        io.stderr:write("symbi-lua run: ", safe(message), "\n")
        return 1
    end
    if o.json then
        show:answer(result)
    else
        if result.output ~= "" then io.stdout:write(result.output, result.output:sub(-1) == "\n" and "" or "\n") end
        if not o.quiet then io.stderr:write(string.format("--- %d iterations, %d tool calls, %d denied, %d tokens, %d ms, ended: %s%s ---\n", result.iterations, result.tool_calls, result.denied,
            result.usage.total_tokens, result.duration_ms, result.reason, result.error and " (" .. safe(result.error, 300) .. ")" or "")) end
    end
    runtime:close()
    return result.completed and 0 or 1
end
M.run = M.main

return M
