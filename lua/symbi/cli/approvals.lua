--- symbi-lua approvals list|approve|deny: what waits for a person, and the person's answer.
local M = {}

local usage = [[
usage: symbi-lua approvals list [--all] [--state DIR] [--json]
       symbi-lua approvals approve ID [--as NAME] [--state DIR]
       symbi-lua approvals deny ID [--as NAME] [--state DIR]

list shows the requests that are pending (--all: every one that the store holds). ID is what list shows: at least 8 digits.
An approval holds for exactly the arguments shown, once, and for as long as it says. --as names the approver (default: $USER).]]

local function misuse(message)
    io.stderr:write("symbi-lua approvals: ", message, "\n", usage, "\n")
    return 2
end

local function parse(args)
    local o, rest, i = {}, {}, 1
    while args[i] ~= nil do
        local a = args[i]
        local name, value = a:match("^%-%-(%a+)=(.*)$")
        name = name or a:match("^%-%-(%a+)$")
        if name == "all" or name == "json" then
            o[name] = true
        elseif name == "state" or name == "as" then
            if not value then
                i = i + 1
                value = args[i]
            end
            if not value then return nil, "--" .. name .. " needs a value" end
            o[name] = value
        elseif name or a:find("^%-") then
            return nil, "unknown option '" .. a .. "'"
        else
            rest[#rest + 1] = a
        end
        i = i + 1
    end
    return o, rest
end

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
        print(symbi.json.encode(shown))
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

function M.main(args, options)
    local command = args[1]
    if command == nil or command == "help" or command == "--help" or command == "-h" then
        print(usage)
        return command == nil and 2 or 0
    end
    local rest = {}
    for i = 2, #args do rest[#rest + 1] = args[i] end
    local o, words = parse(rest)
    if not o then return misuse(words) end
    local deciding = command == "approve" or command == "deny"
    if command ~= "list" and not deciding then return misuse("unknown command '" .. command .. "'") end
    if deciding and #words ~= 1 then return misuse(command .. " needs one ID") end
    if command == "list" and #words > 0 then return misuse("list takes no '" .. words[1] .. "'") end
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
        ok, message = require("symbi").approvals.decide(audit, words[1], command == "approve", who)
        if ok then print(words[1] .. (command == "approve" and " approved" or " denied") .. " by " .. who) end
    end
    audit:close()
    store:close()
    return ok, message
end

return M
