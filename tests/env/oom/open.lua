-- Opening the core. The chunk prepares; the function it returns is run with failing allocations and gives true.
return function()
    package.loaded["symbi.core"] = nil
    return require "symbi.core" ~= nil
end
