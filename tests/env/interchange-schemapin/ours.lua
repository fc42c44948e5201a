--- Our half of the exchange: verifies what peer.py made in the folder arg[1] (DIR/theirs*, names, pins), and signs DIR/ours*. Prints one
-- line a failure and "P passed, F failed".
local symbi = require "symbi"
local schemapin = symbi.schemapin
local dir = arg[1]
local passed, failed = 0, 0
local function result(ok, what)
    if ok then
        passed = passed + 1
    else
        failed = failed + 1
        print("FAIL " .. what)
    end
end
local function rows(path)
    local out = {}
    for line in io.lines(path) do out[#out + 1] = assert(symbi.json.decode(line)) end
    return out
end
local function read(path) return assert(symbi.io.read_file(path)) end

local now = os.time()
local pem = read(dir .. "/public.pem")
local discovery = assert(schemapin.discovery{ schema_version = "1.2", public_key_pem = pem })
for i, row in ipairs(rows(dir .. "/theirs.jsonl")) do
    local canonical = schemapin.canonicalize_schema(row.schema)
    local function check(text, signature)
        return assert(schemapin.verify{ schema = text, signature = signature, domain = "example.com", tool_id = "t", discovery = discovery, now = now })
    end
    local good = check(row.schema, row.signature)
    local bad = check(row.schema:gsub("}%s*$", ',"tampered":1}'), row.signature)
    result(canonical == row.canonical and good.valid and good.fingerprint == row.fingerprint and not bad.valid,
        "schema " .. i .. (canonical ~= row.canonical and ": canonical form differs\n" .. tostring(canonical) .. "\n" .. row.canonical or ": " .. tostring(good)))
end
for _, e in ipairs(assert(symbi.io.list_dir(dir .. "/theirs"))) do
    local d = dir .. "/theirs/" .. e.name
    local good = assert(schemapin.verify_skill{ dir = d, discovery = discovery, domain = "example.com", now = now })
    local name = symbi.json.decode(read(d .. "/.schemapin.sig")).skill_name
    local same = name == schemapin.parse_skill_name(d) or name == ""
    assert(symbi.io.write_file(d .. "/added", "x"))
    local bad = assert(schemapin.verify_skill{ dir = d, discovery = discovery, domain = "example.com", now = now })
    result(good.valid and same and not bad.valid, "folder " .. e.name .. ": " .. tostring(good) .. (same and "" or ", another name: " .. name .. " / " .. schemapin.parse_skill_name(d)))
end
for i, row in ipairs(rows(dir .. "/names.jsonl")) do
    local own = schemapin.parse_skill_name(dir .. "/names/" .. (i - 1))
    -- an empty name is none to us
    result(own == row.name or (row.name == "" and own == tostring(i - 1)), "name " .. i .. ": '" .. tostring(own) .. "', the peer finds '" .. row.name .. "'")
end
local pins = assert(schemapin.pins(read(dir .. "/pins.json")))
result(pins:find("add", "example.com").fingerprint == schemapin.calculate_key_fingerprint(pem), "pins")

-- ---- ours --------------------------------------------------------------------------------------------------------------------------
math.randomseed(tonumber(arg[2]) or 1)
local random = math.random
local function text()
    local pool = { "a", "Z", " ", "é", "日", "😀", '"', "\\", "/", "\n", "\t", "\0", "\127", "<&>", "'", "\226\128\168" }
    local out = {}
    for i = 1, random(0, 8) do out[i] = pool[random(#pool)] end
    return table.concat(out)
end
local function value(depth)
    local kind = random(depth > 0 and 8 or 5)
    if kind == 1 then return random() < 0.5
    elseif kind == 2 then return symbi.null
    elseif kind == 3 then return random(-1000000, 1000000)
    elseif kind == 4 then return math.floor(random() * 1e6) / 64 + 0.015625 -- a plain decimal, exact
    elseif kind == 5 then return text() end
    local out = {}
    if kind == 6 then
        for i = 1, random(0, 4) do out[i] = value(depth - 1) end
        return symbi.array(out)
    end
    for _ = 1, random(0, 6) do out[text()] = value(depth - 1) end
    return symbi.object(out)
end
local keys = assert(schemapin.generate_keypair())
assert(symbi.io.write_file(dir .. "/ours.pem", keys.public_key_pem))
local f = assert(io.open(dir .. "/ours.jsonl", "w"))
for i = 1, 150 do
    local schema = { name = text(), type = "object", number = i }
    for _ = 1, random(0, 8) do schema[text()] = value(4) end
    local json = assert(symbi.json.encode(schema, { pretty = random() < 0.5 }))
    local signature, message = schemapin.sign_schema(keys.private_key_pem, json)
    result(signature ~= nil, "signing schema " .. i .. ": " .. tostring(message))
    f:write(symbi.json.encode{ schema = json, signature = signature }, "\n")
end
f:close()
assert(os.rename(dir .. "/unsigned", dir .. "/ours"))
for _, e in ipairs(assert(symbi.io.list_dir(dir .. "/ours"))) do
    local doc, message = schemapin.sign_skill(dir .. "/ours/" .. e.name, keys.private_key_pem, { domain = "example.com", expires_in = random() < 0.5 and 3600 or nil })
    result(doc ~= nil, "signing folder " .. e.name .. ": " .. tostring(message))
end
local own = assert(schemapin.pins())
assert(own:add{ tool_id = "add", domain = "example.com", fingerprint = keys.fingerprint, now = now })
assert(symbi.io.write_file(dir .. "/ours-pins.json", own:json(true)))
print(string.format("%d passed, %d failed", passed, failed))
os.exit(failed == 0)
