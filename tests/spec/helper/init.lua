--- Loaded by busted before any spec (see .busted). Loads the C core once, so that busted's reloading of modules between
-- files does not unload it, and holds every test to this: no library object and no file descriptor is left over.
-- luacheck: globals before_each after_each jit
pcall(require, "ffi") -- LuaJIT: busted must not load it twice

local core = require "symbi.core"
local fds = require "tests.spec.helper.fds"
local busted = require "busted"

-- SYMBI_GC=torture: the collector never rests, so that a value nothing holds is gone when it is used next.
if os.getenv("SYMBI_GC") == "torture" then
    -- on 5.2 and later a pause of 0 is a whole cycle at every step, which takes minutes; 100 begins the next cycle as one ends
    collectgarbage("setpause", _VERSION == "Lua 5.1" and 0 or 100)
    collectgarbage("setstepmul", 400)
end

local live, open, name

busted.subscribe({ "test", "start" }, function(element)
    name = element.name
    return nil, true
end)

-- Everything that nothing holds. Lua 5.1 finalises an object one cycle before what only it held (a verdict holds its gate, the gate its
-- trail, the trail its store), so that takes as many cycles as the chain is long.
local function collect()
    local before
    for _ = 1, 8 do
        collectgarbage()
        collectgarbage()
        local now = core.debug_live()
        if now == before then return end
        before = now
    end
end

busted.before_each(function()
    collect()
    live, open = core.debug_live(), fds.list()
end)

busted.after_each(function()
    collect()
    local left = core.debug_live() - live
    if left > 0 and rawget(_G, "jit") then -- a compiled trace holds the closures it was made from, and what those hold
        jit.flush()
        collect()
        left = core.debug_live() - live
    end
    if left > 0 then error(left .. " library allocations are left over after '" .. tostring(name) .. "'") end
    local new = fds.added(open, fds.list())
    if #new > 0 then error("file descriptors left open by '" .. tostring(name) .. "': " .. table.concat(new, ", ")) end
end)
