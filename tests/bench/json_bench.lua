--- tests/bench/json_bench.lua: symbi.json against lua-cjson in one process: the same documents, decoded and encoded by both
-- in turn. Prints one JSON object: per document the median microseconds of each and the ratio ours / theirs (below 1: we are
-- faster). Usage: VM tests/bench/json_bench.lua [seconds per measurement, default 0.15]. Documents are made here, with a
-- generator of our own, so that every VM measures the same bytes.
local core = require "symbi.core"
local ok, cjson = pcall(require, "cjson")
if not ok then
    print('{"bench":"json","skipped":"lua-cjson is not installed for this VM"}')
    os.exit(0)
end
local json = core.json
local slice = tonumber(arg and arg[1]) or 0.15

local seed = 12345
local function random(n)
    seed = (seed * 16807) % 2147483647
    return seed % n
end

local words = { "policy", "agent", "tool", "allow", "forbid", "resource", "principal", "context", "budget", "trail", "Zürich", "naïve" }
local function sentence(n)
    local t = {}
    for i = 1, n do t[i] = words[random(#words) + 1] end
    return table.concat(t, " ")
end
local function list(n, f)
    local t = {}
    for i = 1, n do t[i] = f(i) end
    return "[" .. table.concat(t, ",") .. "]"
end
local function nested(depth)
    if depth == 0 then return '{"leaf":true,"n":' .. random(100) .. "}" end
    return '{"left":' .. nested(depth - 1) .. ',"right":' .. nested(depth - 1) .. ',"depth":' .. depth .. "}"
end

local documents = {
    { "small object", '{"tool":"count_lines","id":"call_7f3a","args":{"path":"host/base/err.c","limit":10},"ok":true,"cost":0.25}' },
    { "tool call of a model", '{"id":"chatcmpl-9","object":"chat.completion","created":1718345013,"model":"m","choices":[{"index":0,"message":{"role":"assistant",'
        .. '"content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"read_file","arguments":"{\\"path\\":\\"a/b.txt\\",\\"max\\":100}"}}]},'
        .. '"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":82,"completion_tokens":17,"total_tokens":99}}' },
    { "integers", list(10000, function() return random(1000000) end) },
    { "reals", list(10000, function() return ("%.6f"):format(random(1000000) / 997) end) },
    { "reals, 17 digits", list(5000, function() return ("%.17g"):format(random(1000000) / 997) end) },
    { "strings", list(2000, function() return '"' .. sentence(12) .. '"' end) },
    { "strings with escapes", list(2000, function() return '"' .. sentence(4) .. '\\n\\t\\"' .. sentence(4) .. '\\u00e9"' end) },
    { "records", list(1000, function(i)
        return ('{"id":%d,"name":"user %d","active":%s,"score":%.2f,"tags":["a","b"],"email":"user%d@example.org"}'):format(
            i, i, i % 2 == 0 and "true" or "false", random(10000) / 100, i)
    end) },
    { "nested", nested(9) },
}

local clock = os.clock
-- Median time of one call in microseconds; the two contenders take turns, so that a slow moment hits both.
local function measure(f, g, x, y)
    local function batch(fn, v)
        local n = 1
        while true do
            local t = clock()
            for _ = 1, n do fn(v) end
            t = clock() - t
            if t > slice / 30 then return n end
            n = n * 2
        end
    end
    local nf, ng = batch(f, x), batch(g, y)
    local tf, tg = {}, {}
    collectgarbage()
    local stop = clock() + 2 * slice
    while clock() < stop or #tf < 5 do
        local t = clock()
        for _ = 1, nf do f(x) end
        tf[#tf + 1] = (clock() - t) / nf * 1e6
        t = clock()
        for _ = 1, ng do g(y) end
        tg[#tg + 1] = (clock() - t) / ng * 1e6
    end
    table.sort(tf)
    table.sort(tg)
    return tf[math.ceil(#tf / 2)], tg[math.ceil(#tg / 2)]
end

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

local result, worst_decode, worst_encode = {}, 0, 0
for _, d in ipairs(documents) do
    local name, text = d[1], d[2]
    local ours, theirs = measure(json.decode, cjson.decode, text, text)
    local eours, etheirs = measure(json.encode, cjson.encode, json.decode(text), cjson.decode(text))
    result[#result + 1] = {
        document = name, bytes = #text,
        decode_us = round(ours), cjson_decode_us = round(theirs), decode_ratio = round(ours / theirs),
        encode_us = round(eours), cjson_encode_us = round(etheirs), encode_ratio = round(eours / etheirs),
    }
    worst_decode, worst_encode = math.max(worst_decode, ours / theirs), math.max(worst_encode, eours / etheirs)
end
print(json.encode({
    bench = "json", vm = type(jit) == "table" and jit.version or _VERSION, peer = "lua-cjson " .. tostring(cjson._VERSION), -- luacheck: ignore jit
    worst_decode_ratio = round(worst_decode), worst_encode_ratio = round(worst_encode), documents = result,
}, { pretty = true }))
