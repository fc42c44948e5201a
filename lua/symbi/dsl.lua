--- symbi.dsl: `.symbi` definitions. Parsing, formatting and compiling are C (symbi/dsl.h); here files are found, read and written.
--   file, message, err = dsl.load(path)         a parsed file without errors; err.errors lists them all otherwise
--   definition, message, err = dsl.agent(path[, {agent=, principal=, tools=}])   what symbi.runtime makes an agent of
--   changed, message, err = dsl.rewrite(path[, {check=}])  formats a file in place, whole or not at all
-- and dsl.parse(text[, source]), dsl.duration(text), dsl.sandbox(name), dsl.policy_text(text), dsl.limits: see bindings/ldsl.c.
local core = require "symbi.core"

local M = setmetatable({}, { __index = core.dsl })

local EXTENSIONS = { symbi = true, dsl = true }

local function io_module() return require("symbi").io end

--- Whether a path has the name of a definition.
function M.is_definition(path)
    local ext = path:match "%.([%a]+)$"
    return ext ~= nil and EXTENSIONS[ext] == true
end

--- Reads and parses; also for a file with errors.
function M.read(path)
    local text, message, err = io_module().read_file(path, core.dsl.limits.bytes)
    if not text then return nil, message, err end
    return core.dsl.parse(text, path)
end

local function place(path, e) return path .. ":" .. e.line .. ":" .. (e.column or e.col or 0) .. ": " .. e.message end

function M.load(path)
    local file, message, err = M.read(path)
    if not file then return nil, message, err end
    if file:ok() then return file end
    local errors = file:errors()
    message = place(path, errors[1]) .. (#errors > 1 and " (and " .. #errors - 1 .. " more)" or "")
    return nil, message, core.error("EPARSE", message, { errors = errors, line = errors[1].line, column = errors[1].column, path = path })
end

--- The definitions below paths (files, or folders whose *.symbi and *.dsl count), in order.
function M.files(paths)
    local list = {}
    for _, path in ipairs(paths) do
        local info, message, err = io_module().stat(path)
        if not info then return nil, message, err end
        if info.type == "directory" then
            local entries
            entries, message, err = io_module().list_dir(path)
            if not entries then return nil, message, err end
            for _, e in ipairs(entries) do
                if M.is_definition(e.name) and e.type ~= "directory" then list[#list + 1] = path .. "/" .. e.name end
            end
        else
            list[#list + 1] = path
        end
    end
    return list
end

--- Formats one file. changed: whether its text is not the canonical one; with check nothing is written. The file keeps its mode, and a link
-- stays a link.
function M.rewrite(path, options)
    local io = io_module()
    local real, message, err = io.realpath(path)
    if not real then return nil, message, err end
    local text, info, why = io.read_file_info(real, { max = core.dsl.limits.bytes })
    if not text then return nil, info, why end
    local file
    file, message, err = core.dsl.parse(text, path)
    if not file then return nil, message, err end
    if not file:ok() then
        local errors = file:errors()
        message = place(path, errors[1])
        return nil, message, core.error("EPARSE", message, { errors = errors })
    end
    local formatted
    formatted, message, err = file:format()
    if not formatted then return nil, message, err end
    if formatted == text then return false end
    if not (options and options.check) then
        local ok
        ok, message, err = io.write_file(real, formatted, info.mode)
        if not ok then return nil, message, err end
    end
    return true
end

local function find_agent(data, name)
    for _, a in ipairs(data.agents) do if a.name == name then return a end end
end

--- The agent that a file defines (the one named `agent`, or like the file, or the only one): {id, name, system, capabilities, narrow, file,
-- problems}. Rules that cannot be enforced refuse it: err.problems then says each.
function M.agent(path, options)
    options = options or {}
    local file, message, err = M.load(path)
    if not file then return nil, message, err end
    local data
    data, message, err = file:extract()
    if not data then return nil, message, err end
    local name = options.agent
    local stem = path:match("([^/]*)%.%a+$")
    if not name and find_agent(data, stem) then name = stem end
    local narrow, problems
    narrow, problems, err = file:compile { agent = name, principal = options.principal, tools = options.tools }
    if not narrow then
        message = problems
        return nil, message, err
    end
    local about = narrow:describe()
    local agent = find_agent(data, about.agent)
    return {
        id = about.principal, name = about.agent, narrow = narrow, problems = problems, limits_set = about.limits, file = path,
        capabilities = type(agent.capabilities) == "table" and agent.capabilities or nil,
        -- as upstream: the model reads the definition itself
        system = "You are the agent " .. about.agent .. ". This is your definition; its policies and settings are enforced around you.\n\n" .. file:text(),
    }
end

return M
