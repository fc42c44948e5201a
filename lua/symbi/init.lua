--- symbi: the door to everything. `require "symbi"` loads the C core; each sub-module is loaded when it is first asked for:
-- symbi.json, symbi.cedar, symbi.gate, ... A sub-module is lua/symbi/<name>.lua (or <name>/init.lua) where that exists, else
-- the part of symbi.core of that name. Functions return a value, or nil, a message and an error object
-- ({code=, message=, ...}, err:is "EPARSE"); they raise on misuse only.
local core = require "symbi.core"
local compat = require "symbi.compat"

local M = {
    version = core.version,
    null = core.null, -- lightuserdata(NULL): equal to cjson.null and ngx.null
    array = core.array, -- array([t [, n]]): marks t as a list; with n, nil in 1..n becomes null
    object = core.object,
    is_array = core.is_array,
    error = core.error, -- error(code, message [, fields]): an error object like those of C
    options = core.options, -- policies, tools, state: what the host was told on its command line
}

--- The results of a call, or a raised error where the first is nil or false: symbi.try(symbi.json.decode(text)).
-- What is raised is a string, so that every log prints it.
function M.try(value, message, ...)
    if value or message == nil then return value, message, ... end
    error(tostring(message), 2)
end

--- Declares a tool that is written in Lua: symbi.tool{name=, description=, args={...}, run=function(args) ... end}.
function M.tool(declaration)
    return require("symbi.tool").declare(declaration)
end

--- Opens the embedded runtime: symbi.runtime{policies=, tools=, state=, agents=, ...}; see symbi/runtime.lua.
function M.runtime(options)
    return require("symbi.runtime").new(options)
end

--- A client of a Symbiont server: symbi.client{api_key=, base_url=, ...}; see symbi/client/init.lua.
function M.client(options)
    return require("symbi.client").new(options)
end
M.Client = M.client

local function loadable(name)
    return package.loaded[name] ~= nil or package.preload[name] ~= nil or compat.searchpath(name) ~= nil
end

setmetatable(M, {
    __index = function(self, name)
        if type(name) ~= "string" or not name:find("^%a[%w_]*$") then return nil end
        local full, value = "symbi." .. name, core[name]
        if loadable(full) then value = require(full) end
        if value ~= nil then rawset(self, name, value) end
        return value
    end,
})

return M
