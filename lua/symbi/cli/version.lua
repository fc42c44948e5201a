--- symbi-lua version: what is in use, and where it was found.
return function()
    local core = require "symbi.core"
    print("symbi-lua " .. core.version)
    print("Lua       " .. _VERSION)
    print("modules   " .. (package.cpath:match("^([^;]*)") or "?"))
    print("scripts   " .. (package.path:match("^([^;]*)") or "?"))
end
