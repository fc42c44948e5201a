-- Files, a loop with a timer and a request that is refused, a blocking request, a stream.
package.path = "./lua/?.lua;./lua/?/init.lua"
require "symbi.core"
local io = require "symbi.cio"
local function need(v, message)
    if v == nil then error(message or "nothing came", 0) end
    return v
end
local REFUSED = "http://127.0.0.1:1/" -- nobody listens on port 1

local function work()
    need(io.list_dir "tests/env")
    need(io.read_file "Makefile")
    need(io.stat "Makefile")
    need(io.realpath "tests")
    need(io.environ())
    local loop = need(io.loop())
    need(loop:sleep(0))
    need(loop:http { by_operator = true, url = REFUSED, headers = { { "A", "b" } } })
    for _ = 1, 2 do
        local id, message = loop:wait(5000)
        need(id, message)
    end
    loop:close()
    local r, message, err = io.http { by_operator = true, url = REFUSED, headers = { A = "b" }, timeout_ms = 5000 }
    assert(r == nil and message and err)
    local p = io.prepare { by_operator = true, headers = { A = "b" }, method = "GET" }
    r, message, err = p:send(5000, nil, REFUSED)
    assert(r == nil and message and err)
    p:close()
    local t = need(io.transfer { by_operator = true, url = REFUSED, stream = true })
    assert(t:read(5000) == nil)
    t:close()
end

return function()
    local ok, message = pcall(work)
    io.close()
    if not ok then return nil, message end
    return true, "done"
end
