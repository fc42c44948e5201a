-- A sandboxed script: made, run, its values handed over; and one that fails.
local sandbox = require("symbi.core").sandbox
local options = { memory_bytes = 4194304, deadline_ms = 60000, args = { "a", { 1, 2 } }, globals = { t = { x = 1 } } }
return function()
    local r, message = sandbox.run("print('hi', ...) return { t.x, ('x'):rep(100) }, (('a b'):gsub('%w', '%0%0'))", options)
    if not r then return nil, message end
    local bad, why = sandbox.run("error('no')", options)
    assert(bad == nil)
    if not why:find("no", 1, true) then return nil, why end
    return r.n == 2 and r[1][1] == 1 and r[2] == "aa bb" and r.output:sub(1, 2) == "hi"
end
