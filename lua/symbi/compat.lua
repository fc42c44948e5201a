--- Differences between Lua 5.1, LuaJIT and 5.2-5.4, in one place. Nothing else in lua/ asks which VM it runs on.
local M = {}

-- luacheck: globals unpack loadstring setfenv
-- luacheck: ignore 143
M.unpack = table.unpack or unpack

--- Number of values and the values, nils included.
function M.pack(...)
    return { n = select("#", ...), ... }
end

--- Where require would find a Lua file for this module name, or nil.
function M.searchpath(name)
    if package.searchpath then return (package.searchpath(name, package.path)) end
    local file = name:gsub("%.", "/")
    for template in package.path:gmatch("[^;]+") do
        local path = template:gsub("%?", (file:gsub("%%", "%%%%")))
        local f = io.open(path, "r")
        if f then
            f:close()
            return path
        end
    end
    return nil
end

--- Compiles text (never bytecode) with env as its globals. Returns the function, or nil and a message.
function M.load(text, name, env)
    if text:sub(1, 1) == "\27" then return nil, "precompiled code is not accepted" end
    if setfenv then
        local f, message = loadstring(text, name)
        if f and env then setfenv(f, env) end
        return f, message
    end
    if env then return load(text, name, "t", env) end
    return load(text, name, "t")
end

--- True for an integral number, whatever its subtype.
function M.is_integer(x)
    return type(x) == "number" and x % 1 == 0 and x - x == 0
end

return M
