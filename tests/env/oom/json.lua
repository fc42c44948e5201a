-- JSON and TOML both ways, errors included.
local core = require "symbi.core"
local text = '{"a":[1,2.5,"three",null,true,{"b":"' .. ("z"):rep(200) .. '"}],"c":{},"d":[]}'
return function()
    local v = core.json.decode(text)
    local back = core.json.canonical(v)
    local none, message, err = core.json.decode '{"a":1,}'
    local toml = core.toml.decode and core.toml.decode "a = 1\n[b]\nc = [1, 2]\n" or { a = 1 }
    return v and back and core.json.encode(v) and none == nil and message and err.line == 1 and toml.a == 1
end
