--- symbi-lua auth create-key|list|revoke: the file of API keys.
local args_of = require "symbi.cli.args"
local as_json = args_of.json
local safe = args_of.safe

local M = {}

local usage = [[
usage: symbi-lua auth create-key [--file FILE] [--id ID] [--description TEXT] [--agent ID]... [--permission P]... [--expires-in DAYS] [--json]
       symbi-lua auth list       [--file FILE] [--json]
       symbi-lua auth revoke ID  [--file FILE]
every one: [--state DIR]

FILE is DIR/api_keys.json unless given (DIR: .symbi), mode 0600. create-key prints the key once; only its Argon2id hash is kept. Without
--agent a key reaches every agent; with it those alone. P is read, write, delete, execute or admin; without --permission a key may all.]]

local flags = {
    ["create-key"] = { file = "text", id = "text", description = "text", agent = "list", permission = "list", ["expires-in"] = "text", json = "flag" },
    list = { file = "text", json = "flag" },
    revoke = { file = "text" },
}

for command, known in pairs(flags) do
    known.state, known.rest = "text", command == "revoke" and "ID" or nil
end

local function misuse(message) return args_of.misuse("auth", usage, message) end

-- Days, and parts of one.
local function days(name, text)
    local n = tonumber(text)
    if n and n > 0 and n <= 36500 then return n end
    return nil, misuse("--" .. name .. " needs a number of days, not '" .. safe(text, 60) .. "'")
end

local function parse(args)
    local o, command = args_of.parse("auth", usage, flags, args)
    if not o then return nil, command end
    if o["expires-in"] then
        local status
        o["expires-in"], status = days("expires-in", o["expires-in"])
        if status then return nil, status end
    end
    return args_of.operand("auth", usage, o, command, command == "revoke" and "ID" or nil)
end

local permission = { read = true, write = true, delete = true, execute = true, admin = true }

local function create(keys, o)
    for _, p in ipairs(o.permission or {}) do
        if not permission[p] then return misuse("--permission must be read, write, delete, execute or admin, not '" .. safe(p) .. "'") end
    end
    local now = os.time()
    local key, message = keys:create({
        key_id = o.id, description = o.description, agent_scope = o.agent, permissions = o.permission,
        expires_at = o["expires-in"] and now + math.floor(o["expires-in"] * 86400) or nil,
    }, now)
    if not key then return nil, message end
    if o.json then print(as_json { key = key, key_id = key:match "^[^.]*" })
    else
        print(key)
        io.stderr:write("this is shown once; present it as  Authorization: Bearer <key>\n")
    end
    return 0
end

local function list(keys, o)
    local records, message = keys:list()
    if not records then return nil, message end
    if o.json then
        print(as_json(records))
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
        status, message = create(keys, o)
    elseif command == "list" then
        status, message = list(keys, o)
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
