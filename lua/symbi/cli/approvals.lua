--- symbi-lua approvals list|approve|deny: what waits for a person, and the person's answer.
local args = require "symbi.cli.args"
local as_json = args.json

local M = {}

local usage = [[
usage: symbi-lua approvals list [--all] [--state DIR] [--json]
       symbi-lua approvals approve ID [--as NAME] [--state DIR]
       symbi-lua approvals deny ID [--as NAME] [--state DIR]

list shows the requests that are pending (--all: every one that the store holds). ID is what list shows: at least 8 digits.
An approval holds for exactly the arguments shown, once, and for as long as it says. --as names the approver (default: $USER).]]

local COMMANDS = {
    list = { all = "flag", json = "flag", state = "text" },
    approve = { as = "text", state = "text", rest = "ID" },
    deny = { as = "text", state = "text", rest = "ID" },
}

local function open(dir)
    local symbi = require "symbi"
    local store, message = symbi.store.open(dir)
    if not store then return nil, message end
    local audit
    audit, message = symbi.audit.open(store)
    if not audit then store:close() return nil, message end
    return audit, store
end

local function age(ms)
    local s = math.floor(math.abs(ms) / 1000)
    if s < 90 then return s .. " s" end
    if s < 5400 then return math.floor(s / 60) .. " min" end
    return math.floor(s / 3600) .. " h"
end

local function list(audit, o)
    local symbi = require "symbi"
    local all, message = symbi.approvals.list(audit)
    if not all then return nil, message end
    local shown = symbi.array {}
    for _, r in ipairs(all) do
        if o.all or r.status == "pending" then shown[#shown + 1] = r end
    end
    if o.json then
        print(as_json(shown))
        return true
    end
    if #shown == 0 then
        print(o.all and "no approval was ever asked for" or "nothing waits for approval")
        return true
    end
    local now = os.time() * 1000
    local safe = symbi.show.safe
    for _, r in ipairs(shown) do
        print(string.format("%s  %-8s  %s %s by agent %s, asked %s ago%s", r.action_digest:sub(1, 12), r.status, r.kind, safe(r.name, 60), safe(r.agent, 40),
            age(now - r.created_ms), r.status == "pending" and ", " .. age(r.expires_ms - now) .. " left" or r.approver and ", by " .. safe(r.approver, 40) or ""))
        print("              " .. (r.arguments and safe(symbi.json.canonical(r.arguments), 400) or "(the arguments are too long to show)"))
    end
    return true
end

function M.main(argv, options)
    local o, command = args.parse("approvals", usage, COMMANDS, argv)
    if not o then return command end
    if command ~= "list" then
        o, command = args.operand("approvals", usage, o, command, "one ID")
        if not o then return command end
    end
    local dir = o.state or options.state or ".symbi"
    if command == "list" and not require("symbi").io.stat(dir) then
        return nil, dir .. ": there is no state folder of this name; nothing has run with it yet, or --state DIR names another"
    end
    local audit, store = open(dir)
    if not audit then return nil, store end
    local ok, message
    if command == "list" then
        ok, message = list(audit, o)
    else
        local who = o.as or os.getenv("USER") or os.getenv("LOGNAME") or "operator"
        ok, message = require("symbi").approvals.decide(audit, o.operand, command == "approve", who)
        if ok then print(o.operand .. (command == "approve" and " approved" or " denied") .. " by " .. who) end
    end
    audit:close()
    store:close()
    return ok, message
end

return M
