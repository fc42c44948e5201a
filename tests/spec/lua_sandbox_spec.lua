--- symbi.sandbox on every VM: what a script can do, and a table of the ways out of other embedded Lua hosts, each refused.
local core = require "symbi.core"
local sandbox = require "symbi.sandbox"

-- Each returns true (or anything true) when the way out is open. What this VM does not have is closed too.
local ESCAPES = {
    -- functions that are not there
    { "io", "return io" },
    { "os.execute", "return os.execute" },
    { "os.exit", "return os.exit" },
    { "os.getenv", "return os.getenv" },
    { "os.remove, os.rename, os.tmpname", "return os.remove or os.rename or os.tmpname" },
    { "os.setlocale", "return os.setlocale" },
    { "package", "return package" },
    { "require", "return require or module" },
    { "debug", "return debug" },
    { "load", "return load" },
    { "loadstring", "return loadstring" },
    { "loadfile and dofile", "return loadfile or dofile" },
    { "string.dump", "return string.dump or ('').dump" },
    { "collectgarbage", "return collectgarbage or gcinfo" },
    { "newproxy", "return newproxy" },
    { "getfenv and setfenv", "return getfenv or setfenv" },
    { "ffi and jit", "return ffi or jit" },
    { "warn", "return warn" },
    { "coroutine from a table of loaded modules", "for k, v in pairs(_G) do if type(v) == 'table' and (v.loaded or v._LOADED or v.preload) then return true end end" },
    { "bytecode as the script", "\27Lua\84\0" },
    { "bytecode after a shell line", "#!/usr/bin/lua\n\27LJ\2" },
    -- through _G, metatables, methods
    { "a global that is no library of the list", [[
        local known = { _G = 1, _VERSION = 1, assert = 1, error = 1, getmetatable = 1, ipairs = 1, next = 1, pairs = 1, pcall = 1, rawequal = 1, rawget = 1,
            rawlen = 1, rawset = 1, select = 1, type = 1, tonumber = 1, unpack = 1, xpcall = 1, tostring = 1, print = 1, setmetatable = 1,
            coroutine = 1, math = 1, os = 1, string = 1, table = 1, utf8 = 1, bit = 1, bit32 = 1 }
        for k in pairs(_G) do if not known[k] then return k end end]] },
    { "a metatable of the globals", "return getmetatable(_G)" },
    { "the metatable of strings", "return getmetatable('')" },
    { "methods of all strings through it", "local m = getmetatable('') m.__index = function() return print end return true" },
    { "methods of all strings through the library", "string.upper = function() return 'changed' end return ('x'):upper() == 'changed'" },
    { "a metatable for strings", "setmetatable('', {}) return true" },
    { "a metatable for functions", "setmetatable(print, {}) return true" },
    { "a protected metatable", "local t = setmetatable({}, { __metatable = 1 }) setmetatable(t, {}) return true" },
    { "getmetatable of a protected one", "return type(getmetatable(setmetatable({}, { __metatable = false }))) == 'table'" },
    { "a finaliser", "setmetatable({}, { __gc = function() end }) return true" },
    { "a finaliser by a false value", "setmetatable({}, { __gc = false }) return true" },
    { "a metatable of coroutines, booleans, numbers", "return getmetatable(coroutine.create(function() end)) or getmetatable(true) or getmetatable(1) or getmetatable(nil)" },
    { "addresses by tostring", "return tostring({}):find('0x') or tostring(print):find('%x%x%x%x') or tostring(coroutine.create(function() end)):find('0x')" },
    { "addresses by %p", "return string.format('%p', {})" },
    { "addresses by %s", "return string.format('%s', print):find('0x') or ('%s'):format({}):find('0x')" },
    { "addresses by an error", "local _, e = pcall(error, {}) return tostring(e):find('0x')" },
    { "the caller's arguments", "return ... or arg" },
    { "a state seed by math.random of the process", "return math.randomseed == nil" },
    { "_ENV as another table", "local _ENV = { } return io or os or debug" },
    { "_ENV of a function above", "return _ENV and (_ENV.io or _ENV.debug or _ENV.require)" },
    { "a huge width in string.format", "return #string.format('%1000000000d', 1)" },
    { "a huge precision in string.format", "return #('%.1000000000f'):format(1)" },
    { "string.format with %n", "string.format('%n', 1) return true" },
    { "string.pack with a huge size", "return #string.pack('c1000000000', '')" },
    { "unpack of too many", "return select('#', (unpack or table.unpack)({}, 1, 1e8))" },
    { "unpack across the integers", "return select('#', (unpack or table.unpack)({}, -2^31, 2^31 - 1))" },
    { "a pattern that recurses", "return string.rep('a', 300000):find(string.rep('a?', 300000))" },
    { "captures beyond the limit", "return ('x'):find(('()'):rep(40))" },
    { "a capture that is not there", "return ('x'):gsub('x', '%9')" },
    { "a frontier at the end of memory", "return ('x'):find('%f')" },
    { "an unfinished set", "return ('x'):find('[%')" },
    { "table.concat across a range", "return table.concat({}, 'x', 1, 2^40)" },
    { "deep recursion", "local function f() return 1 + f() end return f()" },
    { "deep recursion through pcall", "local function f() local ok, v = pcall(f) if not ok then error(v, 0) end return v end return f()" },
    { "deep recursion through metamethods", "local t = {} t = setmetatable(t, { __index = function(s, k) return s[k .. 'x'] end }) return t.x" },
    { "deep recursion through gsub", "local function f(s) return (s:gsub('.', f)) end local ok = pcall(f, 'x') return ok" },
    { "deeply nested source", ("("):rep(100000) .. "1" .. (")"):rep(100000) },
    { "deeply nested tables as the result", "local t = {} for i = 1, 100 do t = { t } end return t" },
    { "a cycle as the result", "local t = {} t[1] = t return t" },
    { "a function as the result", "return print" },
    { "a coroutine as the result", "return coroutine.create(function() end)" },
}

-- Each would run for ever, or take all memory, and has ways to swallow the error. All end, in time, and the run has failed.
local ENDLESS = {
    { "a loop", "while true do end" },
    { "a loop by goto or repeat", "repeat until false" },
    { "a for loop", "for i = 1, math.huge do end" },
    { "pcall", "while true do pcall(function() while true do end end) end" },
    { "pcall in pcall", "local function f() while true do pcall(f) end end while true do pcall(f) end" },
    { "pcall, then a normal end", "pcall(function() while true do end end) return 'survived'" },
    { "xpcall with a handler that loops", "xpcall(function() while true do end end, function() while true do end end)" },
    { "xpcall with itself as handler", "local function f() while true do xpcall(f, f) end end f()" },
    { "an error whose text is never done", "error(setmetatable({}, { __tostring = function() while true do end end }))" },
    { "__tostring in print", "print(setmetatable({}, { __tostring = function() while true do end end }))" },
    { "__index", "return setmetatable({}, { __index = function() while true do end end }).x" },
    { "__eq, __lt, __le, __concat, __len, __call", "local t = setmetatable({}, { __len = function() while true do end end, __call = function() while true do end end, __concat = function() while true do end end }) return t .. t" },
    { "__pairs", "local m = { __pairs = function() while true do end end } for _ in pairs(setmetatable({}, m)) do end while true do end" },
    { "a coroutine", "coroutine.wrap(function() while true do end end)()" },
    { "a coroutine that catches", "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()" },
    { "coroutines in a loop", "while true do coroutine.resume(coroutine.create(function() while true do end end)) end" },
    { "coroutines that each do little", "local function f(d) for _ = 1, 100 do if d > 0 then coroutine.resume(coroutine.create(f), d - 1) end end end f(40) while true do f(40) end" },
    { "coroutines that yield for ever", "local f = coroutine.wrap(function() while true do coroutine.yield() end end) while true do f() end" },
    { "many coroutines alive", "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end" },
    { "coroutine.close of one that died in the limit", [[
        local close = coroutine.close or function() end
        while true do
            local co = coroutine.create(function() while true do end end)
            coroutine.resume(co)
            close(co)
        end]] },
    { "a pattern that backtracks", "return ('a'):rep(60):find(('a*'):rep(40) .. 'b')" },
    { "a pattern caught by pcall", "while true do pcall(string.find, ('a'):rep(60), ('a*'):rep(40) .. 'b') end" },
    { "gsub that backtracks", "return ('a'):rep(60):gsub(('a-'):rep(40) .. 'b', '')" },
    { "gmatch that backtracks", "for _ in ('a'):rep(60):gmatch(('a?'):rep(60) .. ('a*'):rep(20) .. 'b') do end while true do end" },
    { "%b over and over", "local s = ('('):rep(200000) while true do s:find('%b()') end" },
    { "plain find at its worst", "local s, p = ('a'):rep(4000000), ('a'):rep(2000000) .. 'b' while true do s:find(p, 1, true) end" },
    { "string.rep of nothing", "while true do string.rep('', 1e15) end" },
    { "string.rep of much", "return #string.rep('x', 1e15)" },
    { "string.rep caught by pcall", "while true do pcall(string.rep, 'x', 1e12) end" },
    { "string.rep with a separator", "return #string.rep('', 1e15, 'x')" },
    { "doubling", "local s = 'x' while true do s = s .. s end" },
    { "doubling caught by pcall", "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end" },
    { "a table that grows", "local t = {} for i = 1, math.huge do t[i] = { i } end" },
    { "a table that grows, caught", "while true do pcall(function() local t = {} for i = 1, math.huge do t[i] = { i } end end) end" },
    { "a closure chain", "local f = print while true do local g = f f = function() return g end end" },
    { "table.concat doubling", "local t = { 'x' } while true do local s = table.concat(t) t[#t + 1] = s end" },
    { "a border far away", "local t = {} for i = 0, 52 do t[2 ^ i] = 1 end while true do pcall(table.insert, t, 1, 1) pcall(table.remove, t, 1) pcall(table.sort, t) pcall(table.concat, t) end" },
    { "__len that lies", "local t = setmetatable({}, { __len = function() return 2 ^ 52 end }) while true do pcall(table.insert, t, 1, 1) pcall(table.sort, t) pcall(table.remove, t, 1) end" },
    { "table.move across a range", "if not table.move then while true do end end while true do pcall(table.move, {}, 1, 2 ^ 50, 2) end" },
    { "table.sort with a comparator that loops", "table.sort({ 3, 2, 1 }, function() while true do end end)" },
    { "table.sort of long texts", "local t, s = {}, ('x'):rep(1000000) for i = 1, 100000 do t[i] = s end while true do pcall(table.sort, t) end" },
    { "string.format doubling", "local s = 'x' while true do s = ('%s%s'):format(s, s) end" },
    { "gsub that multiplies", "local s = ('x'):rep(1000) while true do s = s:gsub('.', '%0%0') end" },
    { "print", "while true do print(('x'):rep(1000)) end" },
    { "print caught by pcall", "while true do pcall(print, ('x'):rep(1000)) end" },
    { "next on a changing table", "local t = {} for i = 1, 1000 do t[i] = i end while true do for k in next, t do t[k] = nil end t[1] = 1 end" },
    { "tonumber of a long numeral", "local s = ('1'):rep(4000000) while true do tonumber(s) tonumber(s, 36) end" },
    { "upper of a long text", "local s = ('a'):rep(4000000) while true do s:upper() s:reverse() s:sub(2) end" },
    { "source that takes the compiler quadratic time", ("x = function() return a" .. (" or a"):rep(40000) .. " end "):rep(18) },
    { "a chain of branches in the source", "if x then " .. ("elseif x then "):rep(250000) .. " end while true do end" },
    { "a loop of calls of the VM's own functions", "while true do pcall(pcall, pcall, pcall, type, 1) end" },
}

local V54 = {
    { "__close that loops", "do local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end end" },
    { "__close in a coroutine that died in the limit", [[
        local co = coroutine.create(function()
            local x <close> = setmetatable({}, { __close = function() while true do end end })
            while true do end
        end)
        while true do coroutine.resume(co) coroutine.close(co) end]] },
    { "__close in coroutine.wrap", [[
        local f = coroutine.wrap(function()
            local x <close> = setmetatable({}, { __close = function() while true do end end })
            while true do end
        end)
        while true do pcall(f) end]] },
    { "many __close", [[
        local m = { __close = function() while true do end end }
        local function f(n) local x <close> = setmetatable({}, m) if n > 0 then f(n - 1) end while true do end end
        f(150)]] },
    { "an integer loop", "for i = math.mininteger, math.maxinteger do end" },
}

local function clock() return core.now_ms and core.now_ms() or os.clock() * 1000 end

describe("the sandbox", function()
    it("runs plain Lua and hands over plain data", function()
        local r = assert(sandbox.run([[
            local t = {}
            for k, v in ("a=1, b=22"):gmatch "(%w+)=(%w+)" do t[k] = tonumber(v) end
            print("sum", t.a + t.b, nil, true)
            return t, #(...), limits.most, nil, 1.5
        ]], { args = { "abc" }, globals = { limits = { most = 7 } } }))
        assert.equal(5, r.n)
        assert.same({ a = 1, b = 22 }, r[1])
        assert.equal(3, r[2])
        assert.equal(7, r[3])
        assert.is_nil(r[4])
        assert.equal(1.5, r[5])
        assert.equal("sum\t23\tnil\ttrue\n", r.output)
        assert.is_true(r.memory_bytes > 1000)
    end)

    it("has patterns that mean what Lua's mean", function()
        local cases = {
            "return ('hello world'):find('o w')", "return ('hello'):find('l+')", "return ('hello'):find('xyz')", "return ('a.b'):find('.', 1, true)",
            "return ('a.b'):find('%.')", "return ('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "return ('  trim  '):match('^%s*(.-)%s*$')",
            "return ('THE (quick) fox'):find('%((%a+)%)')", "return ('f(a(b)c)d'):match('%b()')", "return ('THE (quick) fox'):gsub('%f[%a]%a+', string.lower)",
            "return ('hello world'):gsub('o', '0', 1)", "return ('abc'):gsub('%w', '%0%0')", "return ('abc'):gsub('', '-')", "return ('hello'):gsub('(l)(l)', '%2-%1')",
            "return ('$name is $age'):gsub('%$(%w+)', { name = 'x', age = 3 })", "return ('abc'):gsub('b', function() return false end)",
            "return ('aXbX'):gsub('X', '%%')", "return ('abcabc'):find('(a)(b)(c)%1%2%3')", "return ('abc'):find('()b()')",
            "return ('abc'):find('b', -1)", "return ('abc'):find('b', -2)", "return ('abc'):find('', 4)", "return ('abc'):match('[^a]+')",
            "return ('a-z'):match('[a%-z]+')", "return ('x]y'):match('[]]')", "return ('2024-01-02'):match('(%d+)-(%d+)-(%d+)')", "return ('a\\0b'):find('%z')",
            "return ('aaa'):find('a-', 2)", "return ('aaab'):match('^(a-)b')", "return ('ac'):match('ab?c')", "return ('abc'):gsub('.', {a = 1, b = true and 'B'})",
            "return ('äö'):byte(1, -1)", "return ('a,b,,c'):gsub(',', ';')", "return ('abc^'):find('^', 1, true)", "return ('a^'):match('a^')", "return ('a$b'):match('a$b')",
            "local t = {} for w in ('one two'):gmatch('%a+') do t[#t + 1] = w end return table.concat(t, '|')", "local t = {} for a, b in ('k1v1k2v2'):gmatch('(k%d)(v%d)') do t[#t + 1] = a .. b end return table.concat(t, '|')",
        }
        for _, code in ipairs(cases) do
            local expected = { (loadstring or load)(code)() } -- luacheck: ignore
            local r = assert(sandbox.run(code))
            for i = 1, math.max(#expected, r.n) do assert.equal(expected[i], r[i], code .. " value " .. i) end
        end
    end)

    it("says where a script failed", function()
        local r, message, err = sandbox.run("local x = 1\nerror('no')", { name = "=rule" })
        assert.is_nil(r)
        assert.equal("rule:2: no", message)
        assert.equal("EEVAL", err.code)
        r, message, err = sandbox.run "x = = 1"
        assert.is_nil(r)
        assert.equal("EPARSE", err.code)
        assert.truthy(message:find("sandbox:1:", 1, true))
        r, message, err = sandbox.run "print 'before' error {}"
        assert.is_nil(r)
        assert.equal("before\n", err.output)
        assert.equal("table", message)
        assert.equal("as text", select(2, sandbox.run "error(setmetatable({}, { __tostring = function() return 'as text' end }))"))
    end)

    it("gives xpcall a handler, after the stack is unwound", function()
        local r = assert(sandbox.run [[
            local ok, v = xpcall(function(a) error(a, 0) end, function(e) return 'handled ' .. e end, 'x')
            local good, a, b = xpcall(function(...) return ... end, print, 1, 2)
            return ok, v, good, a, b]])
        assert.same({ false, "handled x" }, { r[1], r[2] })
        if r[4] then assert.same({ true, 1, 2 }, { r[3], r[4], r[5] }) end
    end)

    it("has coroutines", function()
        local r = assert(sandbox.run [[
            local f = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) error('end ' .. b, 0) end)
            local one = f(1)
            local ok, e = pcall(f, 'x')
            local co = coroutine.create(function() return 5 end)
            return one, ok, e, select(2, coroutine.resume(co)), coroutine.status(co)]])
        assert.same({ 2, false, "end x", 5, "dead" }, { r[1], r[2], r[3], r[4], r[5] })
    end)

    it("shares nothing between runs", function()
        assert(sandbox.run "x = 1 string.upper = nil _G.print = nil")
        assert.equal(true, sandbox.run("return x == nil and print ~= nil and string.upper ~= nil")[1])
        local t = { list = { 1 } }
        assert(sandbox.run("g.list[1] = 2 g = nil", { globals = { g = t } }))
        assert.equal(1, t.list[1])
    end)

    it("refuses what is wrong with the call", function()
        assert.has_error(function() sandbox.run("", { deadlines = 1 }) end)
        assert.has_error(function() sandbox.run("", { deadline_ms = 0 }) end)
        assert.has_error(function() sandbox.run("", { memory_bytes = 1000 }) end)
        assert.has_error(function() sandbox.run("", { globals = { f = print } }) end)
        assert.has_error(function() sandbox.run("", { stream = true }) end)
        local cycle = {}
        cycle[1] = cycle
        assert.has_error(function() sandbox.run("", { args = { cycle } }) end)
        assert.equal("ELIMIT", select(3, sandbox.run((" "):rep(sandbox.limits.script_bytes + 1))).code)
        assert(sandbox.run((" "):rep(sandbox.limits.script_bytes)))
        assert.equal("ENOTFOUND", select(3, sandbox.run_file "/nonexistent/x.lua").code)
    end)

    it("holds the limits at their edges", function()
        assert.equal(10, #assert(sandbox.run("print(('x'):rep(9))", { output_bytes = 10 })).output)
        local _, _, err = sandbox.run("print(('x'):rep(10))", { output_bytes = 10 })
        assert.equal("ELIMIT", err.code)
        assert.truthy(err.message:find("too much output", 1, true))
        assert(sandbox.run("local s = ('x'):rep(1000000) return #s", { memory_bytes = 8000000 }))
        _, _, err = sandbox.run("local s = ('x'):rep(5000000) return #s", { memory_bytes = 8000000 })
        assert.equal("ELIMIT", err.code)
        assert.truthy(err.message:find("out of memory (the limit is 8000000 bytes)", 1, true))
    end)

    it("does not pass over a limit that was reached on the way to a normal end", function()
        local gotos = ("goto a "):rep(32000) .. "::a:: return 1" -- one label, one step of the compiler
        if not (loadstring or load)(gotos) then return end -- luacheck: ignore
        local r, _, err = sandbox.run(gotos, { deadline_ms = 1 })
        assert.is_nil(r)
        assert.equal("ETIMEOUT", err.code)
    end)

    it("takes text only", function()
        if not string.dump then return end
        local _, message, err = sandbox.run(string.dump(function() return 1 end))
        assert.equal("EPARSE", err.code)
        assert.truthy(message:find("text only", 1, true))
    end)

    for _, row in ipairs(ESCAPES) do
        it("has no way out by " .. row[1], function()
            local r, message = sandbox.run(row[2], { deadline_ms = 2000, memory_bytes = 16000000 })
            assert(not (r and r[1]), "open: " .. tostring(r and r[1]) .. " " .. tostring(message))
        end)
    end

    local function ends(row)
        it("ends " .. row[1], function()
            local began = clock()
            local r, message, err = sandbox.run(row[2], { deadline_ms = 60, memory_bytes = 32000000, output_bytes = 100000 })
            local took = clock() - began
            assert.is_nil(r, message)
            local own = err.code == "EEVAL" and (row[1]:find "recursion" or message:find "stack overflow" or message:find "error in error" or message:find "too long" or message:find "invalid")
            assert(err.code == "ETIMEOUT" or err.code == "ELIMIT" or own, err.code .. ": " .. tostring(message))
            assert(took < (os.getenv "ASAN_OPTIONS" and 20000 or 2000), "took " .. took .. " ms")
        end)
    end
    for _, row in ipairs(ENDLESS) do ends(row) end
    if _VERSION == "Lua 5.4" then
        for _, row in ipairs(V54) do ends(row) end
    end

    it("has at least 40 ways out in its table, counting those of every VM", function() assert.is_true(#ESCAPES + #ENDLESS >= 40) end)
end)
