-- Hashes and keys.
local core = require "symbi.core"
return function()
    for name, f in pairs(core.crypto) do
        if name == "sha256" then assert(f "abc") end
    end
    return true
end
