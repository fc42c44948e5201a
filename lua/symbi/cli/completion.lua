--- symbi.cli.completion: what could stand where the cursor is, for symbi-lua -i. insert, list = complete(text before the cursor[, env]):
-- insert is what all candidates go on with ("" where they differ from here), list their names, sorted. Nothing of what is looked
-- through is called: fields are read raw, and only symbi's own sub-modules are loaded.
local M = {}

local KEYWORDS = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or", "repeat",
    "return", "then", "true", "until", "while" }

-- Sub-modules of symbi that are files: they are loaded when first asked for, so that the table does not have them yet.
local function module_files()
    local names = {}
    local path = require("symbi.compat").searchpath "symbi"
    local dir = path and path:match "^(.*)/init%.lua$"
    local ok, io = pcall(require, "symbi.io")
    local list = ok and dir and io.list_dir(dir)
    for _, e in ipairs(list or {}) do
        local name = type(e) == "table" and e.name or e
        local stem = type(name) == "string" and (name:match "^([%a_][%w_]*)%.lua$" or name:match "^([%a_][%w_]*)$")
        if stem and stem ~= "init" and stem ~= "compat" and stem ~= "cli" then names[stem] = true end
    end
    return names
end

local function is_symbi(t) return t == package.loaded.symbi end

local function field(value, key)
    if type(value) == "string" then return string[key] end
    if is_symbi(value) then
        local ok, v = pcall(function() return value[key] end)
        return ok and v or nil
    end
    for _ = 1, 8 do
        if type(value) == "table" then
            local v = rawget(value, key)
            if v ~= nil then return v end
        end
        local mt = debug.getmetatable(value)
        value = type(mt) == "table" and rawget(mt, "__index") or nil
        if type(value) ~= "table" then return nil end
    end
end

-- The names in a value, those of what it inherits from included. methods: only functions.
local function names_of(value, methods)
    local seen = {}
    if is_symbi(value) and not methods then
        for k in pairs(require "symbi.core") do if type(k) == "string" then seen[k] = true end end
        for k in pairs(module_files()) do seen[k] = true end
    end
    if type(value) == "string" then value = methods and string or nil end
    for _ = 1, 8 do
        if type(value) == "table" then
            for k, v in next, value do
                if type(k) == "string" and k:find "^[%a_][%w_]*$" and (not methods or type(v) == "function") then seen[k] = true end
            end
        end
        local mt = value ~= nil and debug.getmetatable(value)
        value = type(mt) == "table" and rawget(mt, "__index") or nil
        if type(value) ~= "table" then break end
    end
    return seen
end

local function common(list)
    local first = list[1] or ""
    for _, s in ipairs(list) do
        while s:sub(1, #first) ~= first do first = first:sub(1, -2) end
    end
    return first
end

function M.complete(text, env)
    env = env or _G
    local expression = text:match "([%a_][%w_%.:]*)$" or ""
    if text:sub(1, #text - #expression):find "[%w_%.:%)%]\"']$" then return "", {} end -- after a call or an index: nothing is known
    local base, sep, part = expression:match "^(.*)([%.:])([%w_]*)$"
    local seen
    if not base then
        part, seen = expression, names_of(env)
        for _, k in ipairs(KEYWORDS) do seen[k] = true end
    else
        local value = env
        for name in base:gmatch "[%w_]+" do
            value = field(value, name)
            if value == nil then return "", {} end
        end
        seen = names_of(value, sep == ":")
    end
    local list = {}
    for name in pairs(seen) do
        if name:sub(1, #part) == part and (part ~= "" or name:sub(1, 1) ~= "_") then list[#list + 1] = name end
    end
    table.sort(list)
    if #list == 0 then return "", list end
    return common(list):sub(#part + 1), list
end

return M
