--- symbi.toolclad: contracts of tools. Parsing, validating and planning are C (bindings/ltoolclad.c); here files and folders are
-- read. tool = symbi.toolclad.load "tools/wc.clad.toml"; set = symbi.toolclad.dir "tools"
local core = require "symbi.core"

local M = {}
for name, value in pairs(core.toolclad) do M[name] = value end

local SUFFIX = "%.clad%.toml$"

local function fail(code, message, fields) return nil, message, core.error(code, message, fields) end

local function io_module()
    local ok, io = pcall(function()
        local m = require("symbi").io
        return m.read_file and m
    end)
    return ok and io or nil
end

-- A whole file; through symbi.io where it is built, else through Lua's own io.
local function read(path, max)
    local sio = io_module()
    if sio then return sio.read_file(path, max) end
    local f, message = io.open(path, "rb")
    if not f then return fail("EIO", message, { path = path }) end
    local text = f:read(max + 1)
    f:close()
    text = text or ""
    if #text > max then return fail("ELIMIT", path .. ": more than " .. max .. " bytes", { path = path }) end
    return text
end

local function check_options(options, known, where)
    if options == nil then return {} end
    if type(options) ~= "table" then error("symbi.toolclad." .. where .. ": an options table is expected", 3) end
    for k in pairs(options) do
        if not known[k] then error("symbi.toolclad." .. where .. ": unknown option '" .. tostring(k) .. "'", 3) end
    end
    return options
end

-- The tool, if its text is signed as it must be; and what is wrong with that where it only warns. signing: settings of toolclad/signing.lua.
local function signed(signing, path, text, tool)
    if not signing then return tool end
    local ok, message, err = require "symbi.toolclad.signing".check(signing, path, text)
    if not ok then return nil, message, err end
    return tool, message
end

-- What a folder's manifests must be signed with: what the caller gave, or what toolclad.toml beside it says.
local function signing_for(dir, given, problems)
    local signing = require "symbi.toolclad.signing"
    if given ~= nil then return given and signing.given(given, "symbi.toolclad.dir") or nil end
    local path = dir:gsub("/+$", "") .. "/../toolclad.toml"
    local settings, message = signing.from_file(path)
    if message then problems[#problems + 1] = { path = path, message = message } end
    return settings
end

-- The contract of a session's child sessions: a path inside the project, looked for beside the manifest and in the folder above.
local function load_child(path, name, types, signing)
    local folder = path:match("^(.*)/[^/]*$") or "."
    local file, text, message, err
    for _, from in ipairs { folder, folder .. "/.." } do
        file = from .. "/" .. name
        text, message, err = read(file, core.limits().manifest_bytes)
        if text then break end
    end
    if not text then return fail(err and err.code or "EIO", path .. ": session.child_detection.manifest: " .. tostring(message), { path = path }) end
    local tool, note
    tool, message, err = core.toolclad.parse(text, { source = file, types = types })
    if not tool then return nil, message, err end
    tool, note, err = signed(signing, file, text, tool)
    if not tool then return nil, note, err end
    return tool, file, note
end

--- A tool from a file, and what it needs to know of the manifest of its child sessions. options: {types = custom types of
-- symbi.toolclad.types, signing = what symbi.toolclad.signing takes}. The second result is that other manifest's path, if it has one; the
-- third, where signatures are only warned about, what is wrong with one.
function M.load(path, options)
    if type(path) ~= "string" then error("symbi.toolclad.load: a path is expected", 2) end
    options = check_options(options, { types = true, signing = true }, "load")
    local text, message, err = read(path, core.limits().manifest_bytes)
    if not text then return nil, message, err end
    local tool, note
    tool, message, err = core.toolclad.parse(text, { source = path, types = options.types })
    if not tool then return nil, message, err end
    tool, note, err = signed(options.signing, path, text, tool)
    if not tool then return nil, note, err end
    local name = tool:info().child_manifest
    if not name then return tool, nil, note end
    local child, file, why = load_child(path, name, options.types, options.signing) -- why: the error, or the note
    if not child then return nil, file, why end
    tool, message, err = core.toolclad.parse(text, { source = path, types = options.types, child = child })
    if not tool then return nil, message, err end
    return tool, file, note or why
end

--- Custom types from a file (toolclad.toml in the project's folder). Problems of single types: types:problems().
function M.load_types(path)
    if type(path) ~= "string" then error("symbi.toolclad.load_types: a path is expected", 2) end
    local text, message, err = read(path, core.limits().manifest_bytes)
    if not text then return nil, message, err end
    return core.toolclad.types(text, path)
end

-- Custom types for a folder of tools: what the caller gave, or toolclad.toml beside the folder when it is there.
local function types_for(dir, given, problems)
    if type(given) == "userdata" then return given end
    local path = given or dir:gsub("/+$", "") .. "/../toolclad.toml"
    if not given then
        local info = io_module().stat(path)
        if not info then return nil end
    end
    local types, message = M.load_types(path)
    if not types then
        problems[#problems + 1] = { path = path, message = message }
        return nil
    end
    for _, text in ipairs(types:problems()) do problems[#problems + 1] = { path = path, message = text } end
    return types
end

--- The tools of a folder (its *.clad.toml files, not those of folders in it), in order of file name, as a tool set. A file that
-- cannot be read or loaded, and a second tool of the same name, is a failure that names every such file: err.files is a list of
-- {path=, message=}. With partial = true the good ones are loaded, and the second result is that list.
-- options: {partial = bool, types = path of a toolclad.toml or custom types, signing = {mode=, domain=, ...} instead of toolclad.toml's, or false}
function M.dir(path, options)
    if type(path) ~= "string" then error("symbi.toolclad.dir: a path is expected", 2) end
    options = check_options(options, { partial = true, types = true, signing = true }, "dir")
    local sio = io_module()
    if not sio then return fail("EUNSUPPORTED", "symbi.toolclad.dir needs symbi.io, which is not built here; load the files one by one") end
    local entries, message, err = sio.list_dir(path)
    if not entries then return nil, message, err end
    local problems, names, tools, owner = {}, {}, {}, {}
    local types = types_for(path, options.types, problems)
    local signing, notes = signing_for(path, options.signing, problems), {}
    for _, e in ipairs(entries) do
        if e.name:find(SUFFIX) and e.type ~= "directory" then names[#names + 1] = e.name end
    end
    table.sort(names)
    for _, name in ipairs(names) do
        local file = path:gsub("/+$", "") .. "/" .. name
        local tool, why, load_err = M.load(file, { types = types, signing = signing })
        if tool and load_err then notes[#notes + 1] = { path = file, message = load_err } end -- signing.mode = "warn"
        if not tool then
            problems[#problems + 1] = { path = file, message = load_err and load_err.code and tostring(load_err) or why }
        else
            local tool_name = tool:info().name
            if owner[tool_name] then
                problems[#problems + 1] = { path = file, message = file .. ": tool '" .. tool_name .. "' stands in " .. owner[tool_name] .. " already" }
            else
                owner[tool_name] = file
                tools[#tools + 1] = tool
            end
        end
    end
    if #problems > 0 and not options.partial then
        local lines = {}
        for i, p in ipairs(problems) do lines[i] = p.message end
        local text = #problems == 1 and lines[1] or (#problems .. " files are at fault: " .. table.concat(lines, "; "))
        return fail("ESCHEMA", text, { files = problems, path = path })
    end
    local set
    set, message, err = core.toolclad.toolset(tools)
    if not set then return nil, message, err end
    for _, note in ipairs(notes) do problems[#problems + 1] = note end
    return set, problems
end

--- A folder whose changes are taken up (symbi.toolclad.folder): options types=, signing=, audit=, watch = true.
function M.follow(path, options)
    if type(path) ~= "string" then error("symbi.toolclad.follow: a path is expected", 2) end
    options = check_options(options, { types = true, signing = true, audit = true, watch = true }, "follow")
    if not io_module() then return fail("EUNSUPPORTED", "symbi.toolclad.follow needs symbi.io, which is not built here") end
    return require "symbi.toolclad.folder"(path, options)
end

--- One call, through a gate (symbi.toolclad.execute; also tool:execute(args, options)).
function M.execute(tool, args, options) return require "symbi.toolclad.execute"(tool, args, options) end
core.toolclad.methods.execute = M.execute

--- The typed, grounded decision (symbi/triage.h): where a ticket goes. The words of the model count as far as the ticket bears them out, and
-- only policy, asked for tool_call::escalate with {category, claimed_severity, ticket_severity}, lets anything be escalated.
-- options: {gate=, agent=, ticket=, untrusted=, category=, claimed=}. Returns the queue, and the verdict.
function M.decide(options)
    options = check_options(options, { gate = true, agent = true, ticket = true, untrusted = true, category = true, claimed = true }, "decide")
    local t = core.toolclad.triage
    local severity, message, err = t.ticket(options.ticket, options.untrusted)
    if not severity then return nil, message, err end
    local context = t.context(options.category, options.claimed, severity)
    local verdict = options.gate:check({ kind = "tool_call", agent = options.agent, name = "escalate", arguments = {} }, { context = context })
    return t.decided(options.category, verdict.allowed), verdict
end

return M
