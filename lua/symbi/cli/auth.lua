--- symbi-lua auth create-key|list|revoke: the file of API keys.
local M = {}

local usage = [[
usage: symbi-lua auth create-key [--file FILE] [--id ID] [--description TEXT] [--agent ID]... [--permission P]... [--expires-in DAYS] [--json]
       symbi-lua auth list       [--file FILE] [--json]
       symbi-lua auth revoke ID  [--file FILE]
every one: [--state DIR]

FILE is DIR/api_keys.json unless given (DIR: .symbi), mode 0600. create-key prints the key once; only its Argon2id hash is kept. Without
--agent a key reaches every agent; with it those alone. P is read, write, delete, execute or admin; without --permission a key may all.]]

local flags = {
    ["create-key"] = { file = "text", id = "text", description = "text", agent = "list", permission = "list", ["expires-in"] = "number", json = "flag" },
    list = { file = "text", json = "flag" },
    revoke = { file = "text" },
}

local function misuse(message)
    io.stderr:write("symbi-lua auth: ", message, "\n", usage, "\n")
    return 2
end

local function safe(s) return (tostring(s):gsub("[%z\1-\31\127]", "?"):sub(1, 200)) end

local function parse(args)
    local command = args[1]
    if command == nil or command == "--help" or command == "-h" or command == "help" then
        print(usage)
        return nil, command == nil and 2 or 0
    end
    local known = flags[command]
    if not known then return nil, misuse("unknown command '" .. safe(command) .. "'") end
    local o, i = {}, 2
    while args[i] ~= nil do
        local name, value = args[i]:match("^%-%-([%a%-]+)=(.*)$")
        name = name or args[i]:match("^%-%-([%a%-]+)$")
        if not name then
            if args[i]:find("^%-") or command ~= "revoke" or o.operand then return nil, misuse(command .. " does not take '" .. safe(args[i]) .. "'") end
            o.operand = args[i]
        else
            local kind = known[name] or (name == "state" and "text")
            if not kind then return nil, misuse("auth " .. command .. " does not know '--" .. safe(name) .. "'") end
            if kind == "flag" then
                if value then return nil, misuse("--" .. name .. " takes no value") end
                o[name] = true
            else
                if not value then
                    i = i + 1
                    value = args[i]
                end
                if value == nil or value == "" then return nil, misuse("--" .. name .. " needs a value") end
                if kind == "list" then
                    o[name] = o[name] or {}
                    o[name][#o[name] + 1] = value
                elseif kind == "number" then
                    o[name] = tonumber(value)
                    if not o[name] or o[name] <= 0 or o[name] > 36500 then return nil, misuse("--" .. name .. " needs a number of days, not '" .. safe(value) .. "'") end
                else
                    o[name] = value
                end
            end
        end
        i = i + 1
    end
    if command == "revoke" and not o.operand then return nil, misuse("revoke needs ID") end
    return o, command
end

local permission = { read = true, write = true, delete = true, execute = true, admin = true }

local function create(symbi, keys, o)
    for _, p in ipairs(o.permission or {}) do
        if not permission[p] then return misuse("--permission must be read, write, delete, execute or admin, not '" .. safe(p) .. "'") end
    end
    local now = os.time()
    local key, message = keys:create({
        key_id = o.id, description = o.description, agent_scope = o.agent, permissions = o.permission,
        expires_at = o["expires-in"] and now + math.floor(o["expires-in"] * 86400) or nil,
    }, now)
    if not key then return nil, message end
    if o.json then print(symbi.json.encode { key = key, key_id = key:match "^[^.]*" })
    else
        print(key)
        io.stderr:write("this is shown once; present it as  Authorization: Bearer <key>\n")
    end
    return 0
end

local function list(symbi, keys, o)
    local records, message = keys:list()
    if not records then return nil, message end
    if o.json then
        print(symbi.json.encode(records))
        return 0
    end
    for _, r in ipairs(records) do
        local scope = type(r.agent_scope) == "table" and "agents " .. (#r.agent_scope > 0 and table.concat(r.agent_scope, ",") or "none") or "all agents"
        local may = type(r.permissions) == "table" and table.concat(r.permissions, ",") or "all"
        local state = r.revoked == true and "revoked" or type(r.expires_at) == "string" and "until " .. r.expires_at or "active"
        print(safe(("%-24s %-10s %s; %s; %s"):format(r.key_id, state, scope, may, r.description or "")))
    end
    return 0
end

--- args: the words after `auth`; host: the host's options ({state=}). Returns the exit status, or nil and a message.
function M.main(args, host)
    local o, command = parse(args)
    if not o then return command end
    local symbi = require "symbi"
    local state = o.state or (host and host.state) or ".symbi"
    local path = o.file or state .. "/api_keys.json"
    local keys = symbi.auth.api_keys(path)
    local status, message
    if command == "create-key" then
        if not o.file then
            local ok
            ok, message = require("symbi.io").mkdir(state, { parents = true, mode = 448 })
            if not ok then return nil, message end
        end
        status, message = create(symbi, keys, o)
    elseif command == "list" then
        status, message = list(symbi, keys, o)
    else
        local ok
        ok, message = keys:revoke(o.operand)
        if ok then
            print(safe(o.operand) .. " is revoked")
            status = 0
        end
    end
    keys:close()
    return status, message
end
M.run = M.main

return M
