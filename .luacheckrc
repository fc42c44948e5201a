-- luacheck: the Lua sources run on 5.1 to 5.4 and LuaJIT.
std = "min"
max_line_length = false -- layout is for the reader to judge
codes = true
cache = false
self = false -- methods may ignore their object
files["tests/spec"] = { std = "max+busted" }
files["tests/contract"] = { std = "max+busted" }
files["tests/tools"] = { std = "lua54" }
files["tests/env"] = { std = "max+ngx_lua" }
files["tests/bench"] = { std = "max" }
files["scripts"] = { std = "lua54" }
files["lua/symbi/io/ngx.lua"] = { std = "min+ngx_lua" }
files["lua/symbi/serve/ngx.lua"] = { std = "min+ngx_lua" }
files["lua/symbi/meta"] = { ignore = { "212", "241" } } -- stubs for language servers: what they take is only named
exclude_files = { "tests/fuzz/corpus" }
