--- symbi-lua status: is there a server, is it well, how far away is it, does it take our key, and do the clocks agree.
local args_of = require "symbi.cli.args"
local as_json = args_of.json
local client_of = require "symbi.cli.client"
local safe = args_of.safe

local M = {}

local usage = [[
usage: symbi-lua status [--base-url URL] [--config FILE] [--timeout SECONDS] [--json]
                        [--proxy URL] [--ca-file FILE] [--ca-path DIR] [--client-cert FILE] [--client-key FILE]
                        [--unix-socket PATH] [--http-version 1.1|2]

Asks the server for its health (three times, for the latency), whether the key is taken, and what time it is there.
Exit status: 0 well, 1 not reachable or not well, 2 the settings are wrong, 3 the key is refused.]]

local PROBES = 3

-- Seconds between our clock and the server's (theirs - ours), or nil.
local function difference(health, took, wall)
    if type(health) ~= "table" or type(health.timestamp) ~= "string" then return nil end
    local there = require("symbi.api.datetime").to_unix(health.timestamp)
    if type(there) ~= "number" then return nil end
    return there - (wall - took / 2)
end

-- "accepted", "refused", "not given", or "unknown" with why. health is open to everybody, so something that is not is asked for.
local function key_state(client)
    local list, message, err = client:list_agents()
    if list then return client.api_key and "accepted" or "not needed" end
    if err:is "AuthenticationError" then return client.api_key and "refused" or "not given" end
    if err:is "PermissionDeniedError" then return "accepted", "it may not list agents" end
    return "unknown", message
end

--- What is to be known about the server of a client: {reachable, healthy, version, ...}. Used by doctor too.
function M.probe(client)
    local symio = require("symbi").io
    local r = { base_url = client.base_url, reachable = false, healthy = false }
    for _ = 1, PROBES do
        local wall, began = os.time(), symio.monotonic()
        local health, message, err = client:health_check()
        local took = symio.monotonic() - began
        if health == nil then
            r.error, r.err = message, err
            if err:is "APIError" and err.status_code == nil and not r.reachable then return r end -- no connection: the others say the same
            r.reachable = true
            return r
        end
        r.reachable = true
        if not r.latency_ms or took * 1000 < r.latency_ms then r.latency_ms = took * 1000 end
        if type(health) == "table" then
            r.status, r.version, r.uptime_seconds = health.status, health.version, health.uptime_seconds
            r.clock_difference_seconds = difference(health, took, wall)
        end
    end
    r.healthy = r.status == "healthy" or r.status == "ok"
    r.key, r.key_note = key_state(client)
    return r
end

local function span(s)
    if type(s) ~= "number" then return "?" end
    if s < 120 then return string.format("%d s", s) end
    if s < 7200 then return string.format("%d min", s / 60 - s / 60 % 1) end
    return string.format("%d h", s / 3600 - s / 3600 % 1)
end

--- "the same", "7 s ahead of ours": the resolution is a second.
function M.clock_text(d)
    if d == nil then return "the server does not tell" end
    if math.abs(d) < 2 then return "the same as ours" end
    return string.format("%s %s ours", span(math.abs(d) + 0.5), d > 0 and "ahead of" or "behind")
end

function M.main(argv)
    local words = { "status" }
    for _, w in ipairs(argv) do words[#words + 1] = w end
    if words[2] == "help" then words[2] = "--help" end
    local o, status = args_of.parse("status", usage, { status = client_of.server_options }, words)
    if not o then return status end
    o.retries = o.retries or 0
    local client, message, err = client_of.connect(o)
    if not client then return client_of.failed(o, message, err) end
    local r = M.probe(client)
    client:close()
    status = (not r.reachable or not r.healthy) and 1 or 0
    if r.key == "refused" or (r.err and r.err:is "AuthenticationError") then status = 3 end
    if o.json then
        local e = r.err
        r.err, r.error = nil, e and client_of.error_table(e) or nil
        r.type, r.ok = "status", status == 0
        print(as_json(r))
        return status
    end
    local function line(name, text) print(string.format("%-8s  %s", name, text)) end
    line("server", safe(r.base_url, 200) .. (r.error and "" or ": " .. safe(r.status or "?", 40) .. ", version " .. safe(r.version or "?", 40) .. ", up " .. span(r.uptime_seconds)))
    if r.error then return client_of.failed(o, r.error, r.err) end
    line("latency", string.format("%.1f ms (best of %d)", r.latency_ms, PROBES))
    line("key", r.key .. (r.key_note and " (" .. safe(r.key_note, 200) .. ")" or r.key == "not given" and " (set SYMBIONT_API_KEY)" or ""))
    line("clock", M.clock_text(r.clock_difference_seconds))
    if not r.healthy then io.stderr:write("symbi-lua: the server does not call itself healthy\n") end
    return status
end

return M
