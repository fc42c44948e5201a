--- symbi-lua audit show|verify|export|accept-clock: the audit trail of a state folder, read without changing it.
local args_of = require "symbi.cli.args"
local as_json = args_of.json
local safe = args_of.safe

local M = {}

local usage = [[
usage: symbi-lua audit show   [--state DIR] [--chain NAME] [--from N] [--last N] [--json]
       symbi-lua audit verify [--state DIR] [--chain NAME] [--key HEX|FILE] [--anchor FILE] [--json]
       symbi-lua audit verify --file EXPORT.jsonl [--key HEX|FILE] [--anchor FILE] [--json]
       symbi-lua audit export [--state DIR] [--chain NAME] [--output FILE]
       symbi-lua audit accept-clock [--state DIR] [--chain NAME]

show prints the entries; verify checks hashes, links and signatures and says which entries are covered (exit 1 when the
trail was tampered with); export writes JSON Lines that 'verify --file' checks anywhere with the public key alone;
accept-clock records that the wall clock was set back on purpose.]]

local flags = {
    show = { state = "text", chain = "text", from = "number", last = "number", json = "flag" },
    verify = { state = "text", chain = "text", key = "text", anchor = "text", file = "text", json = "flag" },
    export = { state = "text", chain = "text", output = "text" },
    ["accept-clock"] = { state = "text", chain = "text" },
}

local function time_text(ms)
    if type(ms) ~= "number" or ms < 0 or ms > 253402300799999 then return "?" end
    local seconds = math.floor(ms / 1000)
    return os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. string.format(".%03dZ", ms - seconds * 1000)
end

local function list_of_policies(list)
    local names = {}
    for _, p in ipairs(type(list) == "table" and list or {}) do
        if type(p) == "table" then
            local where = type(p.source) == "string" and p.source ~= "" and safe(p.source, 80)
            if where and p.line then where = where .. ":" .. safe(p.line, 12) end
            names[#names + 1] = safe(p.id or "?", 60) .. (where and " (" .. where .. ")" or "")
        else
            names[#names + 1] = safe(p, 60)
        end
    end
    return table.concat(names, ", ")
end

--- The lines of the table for one entry: {time, seq, agent, event, decision, policy}.
local function rows(entry)
    if entry.damaged then return { { "?", entry.sequence, "?", "UNREADABLE", "", safe(entry.damaged, 120) } } end
    local data = entry.data or {}
    local head = { time_text(entry.timestamp_ms), entry.sequence, safe(entry.agent_id ~= "" and entry.agent_id or "-", 24), safe(data.type or "?", 24) }
    local out = {}
    for _, d in ipairs(type(data.decisions) == "table" and data.decisions or {}) do
        if type(d) == "table" then
            local name = d.name or d.tool
            if name == nil or name == "" then name = d.kind or "" end
            local what = safe(d.decision or "?", 12) .. " " .. safe(name, 40)
            local why = list_of_policies(d.policies)
            if why == "" then why = safe(d.reason or d.code or "", 100) end
            out[#out + 1] = { head[1], head[2], head[3], head[4], what, why }
        end
    end
    if #out == 0 then
        local what, why = "", ""
        if data.decision then what, why = safe(data.decision, 12) .. " " .. safe(data.name or data.tool or "", 40), list_of_policies(data.policies) end
        if why == "" then why = safe(data.reason or data.code or data.error or "", 100) end
        if data.type == "audit_gap" then why = safe(data.lost or "?", 20) .. " events could not be recorded (" .. safe(data.code or "?", 20) .. ")" end
        out[1] = { head[1], head[2], head[3], head[4], what, why }
    end
    return out
end

local titles = { "TIME", "SEQ", "AGENT", "EVENT", "DECISION", "POLICY OR REASON" }

local function show(symbi, store, o)
    local audit = symbi.audit
    local tail, message = audit.tail(store, o.chain)
    if not tail then return nil, message end
    local from = o.from or 0
    if o.last then from = math.max(from, tail.len - o.last) end
    if o.json then
        for entry in audit.entries(store, { chain = o.chain, from = from }) do
            entry.event_text = entry.event
            entry.event, entry.data = entry.data, nil
            print(as_json(entry))
        end
        return 0
    end
    local all, width = {}, {}
    for i, t in ipairs(titles) do width[i] = #t end
    for entry in audit.entries(store, { chain = o.chain, from = from }) do
        for _, row in ipairs(rows(entry)) do
            all[#all + 1] = row
            for i = 1, 5 do
                row[i] = tostring(row[i])
                width[i] = math.max(width[i], #row[i])
            end
        end
    end
    local function line(row)
        local cells = {}
        for i = 1, 5 do cells[i] = row[i] .. (" "):rep(width[i] - #row[i]) end
        cells[6] = row[6]
        print((table.concat(cells, "  "):gsub("%s+$", "")))
    end
    line(titles)
    for _, row in ipairs(all) do line(row) end
    local chains = not o.chain and symbi.store.chains(store) or {}
    for _, chain in ipairs(chains) do
        if chain ~= "main" then print("also there: chain " .. safe(chain, 64) .. " (--chain " .. safe(chain, 64) .. ")") end
    end
    print(string.format("%d of %d entries; 'symbi-lua audit verify' tells whether they are genuine", tail.len - math.min(from, tail.len), tail.len))
    return 0
end

local function read_file(path)
    local f, message = io.open(path, "rb")
    if not f then return nil, message end
    local text = f:read(65536)
    f:close()
    return text or ""
end

--- --key: 64 hex digits, or a file that holds them (audit.pub).
local function read_key(text)
    if #text == 64 and not text:find("%X") then return text:lower() end
    local content, message = read_file(text)
    if not content then return nil, "--key is neither 64 hex digits nor a readable file: " .. tostring(message) end
    local hex = content:match("^%s*(%x+)%s*$")
    if not hex or #hex ~= 64 then return nil, "--key " .. safe(text, 200) .. ": the file does not hold 64 hex digits" end
    return hex:lower()
end

local function read_anchor(symbi, path)
    local text, message = read_file(path)
    if not text then return nil, "--anchor: " .. tostring(message) end
    local t, why = symbi.json.decode(text)
    if type(t) ~= "table" then return nil, "--anchor " .. safe(path, 200) .. ": not an anchor: " .. tostring(why) end
    return t
end

local function range(from, to) return from > to and "none" or from == to and "entry " .. from or "entries " .. from .. " to " .. to end

local function print_report(symbi, r, what, o)
    if r.ok and r.entries == 0 then
        return nil, safe(what, 200) .. ": there is nothing to verify: chain " .. safe(o.chain or r.chain or "main", 64) .. " has no entries"
    end
    if o.json then
        r.type, r.source = "audit_verification", what
        print(as_json(r))
        return r.ok and 0 or 1
    end
    print("audit trail of " .. safe(what, 200) .. " (chain " .. safe(o.chain or r.chain or "main", 64) .. "): " .. (r.ok and "OK" or "TAMPERED (" .. r.result .. ")"))
    if not r.ok then print("  fault       entry " .. tostring(r.bad_sequence) .. ": " .. safe(r.detail)) end
    print("  entries     " .. r.entries .. (r.ok and "" or " read"))
    print("  anchored    " .. range(0, r.anchored - 1) .. ", by " .. r.checkpoints .. " signed checkpoints" ..
        (r.outside_anchor and " and an anchor outside the trail" or "; no outside anchor: the removal of the newest entries cannot be excluded"))
    if r.entries > r.anchored then print("  not covered " .. range(r.anchored, r.entries - 1)) end
    print("  key         " .. tostring(symbi.audit.key_id(r.public_key)) .. (r.trusted_key and " (given)" or " (the trail's own claim: compare it, or give --key)"))
    if not o.file and not r.outside_anchor then print("  warning     the folder's own anchor file is missing: it is written with every decision, so it was removed") end
    if r.gaps > 0 then print("  warning     " .. r.gaps .. " gaps: times at which events could not be recorded (audit show tells when)") end
    if r.clock_back > 0 then print("  warning     the clock went back " .. r.clock_back .. " times") end
    return r.ok and 0 or 1
end

--- The named chain, or all of the folder: a writer beside the main one has a chain of its own.
local function verify_chains(symbi, store, options, o)
    local chains, message = { o.chain }
    if not o.chain then
        chains, message = symbi.store.chains(store)
        if not chains then return nil, message end
        if #chains == 0 then chains[1] = "main" end
    end
    if #chains > 1 and o.anchor then return nil, "--anchor is of one chain: name it with --chain" end
    local status = 0
    for _, chain in ipairs(chains) do
        options.chain, o.chain = chain, chain
        local called, report, why = pcall(symbi.audit.verify, store, options)
        if not called then return nil, (tostring(report):gsub("^bad argument #%d+ to '[^']*' %((.*)%)$", "%1")) end -- an --anchor of the wrong shape
        if not report then return nil, why end
        report.trusted_key, report.chain = options.public_key ~= nil, chain
        local s, m = print_report(symbi, report, o.state, o)
        if s == nil then return nil, m end
        if s ~= 0 then status = s end
    end
    return status
end

local function verify(symbi, o, open)
    local options, message = { chain = o.chain }
    if o.key then
        options.public_key, message = read_key(o.key)
        if not options.public_key then return nil, message end
    end
    if o.anchor then
        options.anchor, message = read_anchor(symbi, o.anchor)
        if not options.anchor then return nil, message end
    end
    local report, what
    if o.file then
        local f
        f, message = io.open(o.file, "rb")
        if not f then return nil, message end
        report, message = symbi.audit.verify_export(f:lines(), { public_key = options.public_key, anchor = options.anchor })
        f:close()
        what = o.file
        if not report then return nil, safe(o.file, 200) .. ": " .. tostring(message) end
    else
        local store
        store, message = open()
        if not store then return nil, message end
        local status
        status, message = verify_chains(symbi, store, options, o)
        store:close()
        return status, message
    end
    return print_report(symbi, report, what, o)
end

local function export(symbi, store, o)
    local out, message = io.stdout
    if o.output then
        out, message = io.open(o.output, "wb")
        if not out then return nil, message end
    end
    local failed
    local n, why = symbi.audit.export(store, function(line)
        local ok, e = out:write(line, "\n")
        if not ok then failed = failed or e end
    end, { chain = o.chain })
    local ok, e
    if o.output then ok, e = out:close() else ok, e = out:flush() end
    if not ok then failed = failed or e end
    if not n then return nil, why end
    if failed then return nil, "the export could not be written: " .. tostring(failed) end
    if o.output then print(n .. " entries written to " .. safe(o.output, 200)) end
    return 0
end

--- args: the words after `audit`; host: the host's options ({state=}). Returns the exit status, or nil and a message.
function M.main(args, host)
    local o, command = args_of.parse("audit", usage, flags, args)
    if not o then return command end
    local symbi = require "symbi"
    o.state = o.state or (host and host.state) or ".symbi"
    local function open(readonly)
        return symbi.store.open(o.state, { readonly = readonly ~= false })
    end
    if command == "verify" then return verify(symbi, o, open) end
    local store, message = open(command ~= "accept-clock")
    if not store then return nil, message end
    local ok, status, why
    if command == "accept-clock" then
        local audit
        audit, why = symbi.audit.open(store, { chain = o.chain })
        if audit then
            local before = audit:len()
            ok, why = audit:accept_clock()
            if ok then
                print(audit:len() > before and "accepted: the trail goes on from the present time" or "nothing to accept: the clock does not stand behind the trail")
                status = 0
            end
            audit:close()
        end
    else
        ok, status, why = pcall(command == "show" and show or export, symbi, store, o)
        if not ok then status, why = nil, (tostring(status):gsub("^[^:]+:%d+: ", "")) end
    end
    store:close()
    return status, why
end
M.run = M.main

return M
