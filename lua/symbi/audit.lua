--- symbi.audit: the tamper-evident trail. audit.open(store [, options]) gives the writer (what a gate takes as audit=);
-- audit.verify(store [, options]) the verdict; audit.entries(store) walks; audit.export and audit.verify_export carry a trail
-- to where only the public key is. Formats and checks are C (bindings/laudit.c); this file arranges.
local core = require "symbi.core"
local json = core.json

local M = {}

-- open(store [, {chain=, key=, sign="entry"|"checkpoint", clock_slack_ms=}]): the writer, with :commit(event or list
-- [, {durable=, records=}]), :check_clock(), :accept_clock(), :len(), :head(), :prepare(), :confirm(), :abandon(), :close().
M.open = core.audit.open
-- verify(store [, {chain=, public_key=, anchor=}]): {ok=, result=, entries=, anchored=, checkpoints=, bad_sequence=, detail=, ...}.
M.verify = core.audit.verify
M.apply = core.audit.apply -- apply(store, batch [, public_key]): the writer's side of :prepare(); gives the receipt
M.verifier = core.audit.verifier
M.tail, M.row, M.checkpoint, M.anchor = core.audit.tail, core.audit.row, core.audit.checkpoint, core.audit.anchor

--- Iterates over entries {sequence, timestamp_ms, loop_id, agent_id, iteration, event (text), data (event decoded, or nil),
-- prev_hash, hash, signature}. options: chain, from, to (sequences, inclusive). Says nothing about their truth: that is verify.
-- A row that cannot be read comes as {sequence=, damaged = message}.
function M.entries(store, options)
    options = options or {}
    local chain = options.chain or "main"
    local sequence = (options.from or 0) - 1
    local tail, message = M.tail(store, chain)
    if not tail then error(tostring(message), 2) end
    local last = math.min(options.to or tail.len - 1, tail.len - 1)
    return function()
        sequence = sequence + 1
        if sequence > last then return nil end
        local entry, why = M.row(store, sequence, chain)
        if not entry then return { sequence = sequence, damaged = tostring(why) } end
        local data = json.decode(entry.event)
        if type(data) == "table" then entry.data = data end
        return entry
    end
end

--- The first 16 hex digits of the SHA-256 of a public key: what people compare.
function M.key_id(public_key)
    local raw = core.crypto.unhex(public_key)
    return raw and core.crypto.sha256(raw):sub(1, 16)
end

--- Calls write(line) for every line of an export: JSON Lines, first a header with the public key and the newest signed
-- checkpoint, then entries, each checkpoint after the entries it covers. Returns the number of entries, or nil, message, err
-- (a damaged row ends it: an export is for trails that can be read).
function M.export(store, write, options)
    options = options or {}
    local chain = options.chain or "main"
    local key, message, err = store:public_key()
    if options.public_key then key = options.public_key end
    if not key then return nil, message, err end
    local tail
    tail, message, err = M.tail(store, chain)
    if not tail then return nil, message, err end
    local newest = M.checkpoint(store, -1, chain)
    local outside = M.anchor(store, chain)
    if outside and (not newest or outside.len > newest.len) then newest = outside end
    write(json.canonical { type = "header", format = "symbi-audit-export", version = 1, chain = chain, public_key = key, anchor = newest or core.null })
    local i = 0
    local checkpoint = M.checkpoint(store, i, chain)
    for sequence = 0, tail.len - 1 do
        local entry
        entry, message, err = M.row(store, sequence, chain)
        if not entry then return nil, message, err end
        entry.type = "entry"
        write(json.canonical(entry))
        while checkpoint and checkpoint.len <= sequence + 1 do
            checkpoint.type = "checkpoint"
            write(json.canonical(checkpoint))
            i = i + 1
            checkpoint = M.checkpoint(store, i, chain)
        end
    end
    return tail.len
end

local function bad_line(number, why)
    local message = "line " .. number .. ": " .. why
    return nil, message, core.error("EPARSE", message, { line = number })
end

--- Verifies an export. lines: an iterator of lines (io.lines(path)). options: public_key (64 hex digits; without it the
-- header's own claim is used, and the report says trusted_key = false), anchor. Returns the report, or nil, message, err
-- where the file is no export.
function M.verify_export(lines, options)
    options = options or {}
    local number, verifier, header, key = 0, nil, nil, nil
    for line in lines do
        number = number + 1
        local t, why = json.decode(line)
        if type(t) ~= "table" then return bad_line(number, "not a JSON object" .. (why and " (" .. tostring(why) .. ")" or "")) end
        if not verifier then
            if t.type ~= "header" or t.format ~= "symbi-audit-export" then return bad_line(number, "not the header of an audit export") end
            if t.version ~= 1 then return bad_line(number, "an export of a version that this build does not know") end
            header = t
            key = options.public_key or t.public_key
            local ok, made, message, err = pcall(M.verifier, { public_key = key, anchor = options.anchor or (type(t.anchor) == "table" and t.anchor) or nil })
            if not ok then return bad_line(number, "the header's public_key or anchor is malformed") end
            if not made then return nil, message, err end
            verifier = made
        else
            local done, message, err
            if t.type == "entry" then done, message, err = verifier:entry(t)
            elseif t.type == "checkpoint" then done, message, err = verifier:checkpoint(t)
            else return bad_line(number, "neither an entry nor a checkpoint") end
            if not done then
                if err and err.code == "ESCHEMA" then return bad_line(number, tostring(message)) end
                return nil, message, err
            end
        end
    end
    if not verifier then return bad_line(1, "the file is empty") end
    local report = verifier:finish()
    verifier:close()
    report.public_key, report.trusted_key, report.chain = key, options.public_key ~= nil, header.chain
    report.outside_anchor = options.anchor ~= nil
    return report
end

return M
