--- symbi-lua secrets get|set|list|delete|rotate-key|import: the encrypted file of a state folder. A value comes from standard input or a
-- prompt without echo, and is printed only by get --reveal.
local args_of = require "symbi.cli.args"
local as_json = args_of.json
local safe = args_of.safe

local M = {}

local usage = [[
usage: symbi-lua secrets set NAME     [--file FILE] [--create-key]      the value: standard input, or a prompt
       symbi-lua secrets get NAME     [--file FILE] [--reveal]
       symbi-lua secrets list         [--file FILE] [--json]
       symbi-lua secrets delete NAME  [--file FILE]
       symbi-lua secrets rotate-key   [--file FILE] --new-key-file FILE [--create-key]
       symbi-lua secrets import FROM  [--file FILE] [--from FORMAT] [--from-key-file FILE] [--overwrite] [--create-key]
every one: [--state DIR] [--key-file FILE] [--no-audit]

FILE is DIR/secrets.json unless given (DIR: .symbi), mode 0600. The master key is SYMBIONT_MASTER_KEY, else the text of SYMBIONT_MASTER_KEY_FILE,
$XDG_STATE_HOME/symbiont/master.key or ~/.symbi/master.key; --create-key makes one where there is none. Each access is an entry of the
audit trail in DIR. FORMAT is json, toml, yaml, env, envelope, raw or shell (.symbi/secrets.enc of the Symbiont shell); guessed from the name.]]

local flags = {
    set = { file = "text", ["create-key"] = "flag" },
    get = { file = "text", reveal = "flag" },
    list = { file = "text", json = "flag" },
    delete = { file = "text" },
    ["rotate-key"] = { file = "text", ["new-key-file"] = "text", ["create-key"] = "flag" },
    import = { file = "text", from = "text", ["from-key-file"] = "text", overwrite = "flag", ["create-key"] = "flag" },
}
local operands = { set = "NAME", get = "NAME", delete = "NAME", import = "FROM" }

for command, known in pairs(flags) do -- what every command takes
    known.state, known["key-file"], known["no-audit"], known.rest = "text", "text", "flag", operands[command]
end

local function misuse(message) return args_of.misuse("secrets", usage, message) end

local function parse(args)
    local o, command = args_of.parse("secrets", usage, flags, args)
    if not o then return nil, command end
    return args_of.operand("secrets", usage, o, command, operands[command])
end

-- What was typed, or piped in without its last line end.
local function read_value(symio, name)
    local value, message, err = symio.prompt("value of " .. safe(name) .. ": ")
    if value then
        local again
        again, message = symio.prompt("once more: ")
        if not again then return nil, message end
        if again ~= value then return nil, "the two values differ" end
        return value
    end
    if not err or err.code ~= "EUNSUPPORTED" then return nil, message end
    value = io.read("*a")
    if not value then return nil, "there is no value on standard input" end
    return (value:gsub("\r?\n$", ""))
end

local function open(symbi, o)
    local store, audit, message
    if not o["no-audit"] then
        store, message = symbi.store.open(o.state)
        if not store then return nil, message end
        audit, message = symbi.audit.open(store)
        if not audit then
            store:close()
            return nil, message
        end
    end
    local key = function() return symbi.secrets.master_key { path = o["key-file"], create = o["create-key"] } end
    if o.command == "rotate-key" then key = function() return symbi.secrets.master_key { path = o["key-file"] } end end
    local secrets
    secrets, message = symbi.secrets.open { backend = "file", path = o.file or o.state .. "/secrets.json", key = key, audit = audit }
    local function close()
        if secrets then secrets:close() end
        if audit then audit:close() end
        if store then store:close() end
    end
    if not secrets then
        close()
        return nil, message
    end
    return secrets, close
end

local commands = {}

function commands.set(symbi, secrets, o)
    if not symbi.secrets.valid_key(o.operand) then return nil, "'" .. safe(o.operand) .. "' is no name: letters, digits, '_', '-' and '.', at most 128" end
    local value, message = read_value(require "symbi.io", o.operand)
    if not value then return nil, message end
    if value == "" then return nil, "the value is empty" end
    local ok
    ok, message = secrets:set(o.operand, value)
    if not ok then return nil, message end
    print(safe(o.operand) .. " is set (" .. #value .. " bytes)")
    return 0
end

function commands.get(_, secrets, o)
    local value, message = secrets:get(o.operand)
    if value == nil then return nil, message end
    if o.reveal then io.write(value, "\n")
    else print(safe(o.operand) .. " is set (" .. #value .. " bytes); --reveal prints it") end
    return 0
end

function commands.list(_, secrets, o)
    local keys, message = secrets:list()
    if not keys then return nil, message end
    if o.json then
        print(as_json(keys))
        return 0
    end
    for _, k in ipairs(keys) do print(safe(k)) end
    return 0
end

function commands.delete(_, secrets, o)
    local ok, message = secrets:delete(o.operand)
    if not ok then return nil, message end
    print(safe(o.operand) .. " is deleted")
    return 0
end

commands["rotate-key"] = function(symbi, secrets, o)
    if not o["new-key-file"] then return misuse("rotate-key needs --new-key-file") end
    local key, message = symbi.secrets.master_key { path = o["new-key-file"], create = o["create-key"] }
    if not key then return nil, message end
    local ok
    ok, message = secrets:rotate_key(key)
    if not ok then return nil, message end
    print("every secret is under the key of " .. safe(o["new-key-file"]) .. " now")
    return 0
end

local function source(symbi, o)
    local from = o.from or (o.operand:match "%.enc$" and "shell") or o.operand:match "%.(%w+)$" or "json"
    if from == "json" then
        local text, message = symbi.secrets.read_private(o.operand)
        if not text then return nil, message end
        if require("symbi.core").secrets.guess(text) then from = "envelope" end
    end
    local options = { path = o.operand }
    if from == "json" or from == "toml" or from == "yaml" or from == "yml" or from == "env" then
        options.format, options.encrypted = from, false
    elseif from == "envelope" or from == "raw" or from == "shell" then
        options.kind, options.legacy_kdf = from, true
        options.key = function() return symbi.secrets.master_key { path = o["from-key-file"] } end
    else
        return nil, "--from must be json, toml, yaml, env, envelope, raw or shell, not '" .. safe(from) .. "'"
    end
    return symbi.secrets.read_file(options)
end

function commands.import(symbi, secrets, o)
    local map, message = source(symbi, o)
    if not map then return nil, message end
    local n
    n, message = secrets:import(map, o.overwrite)
    map:close()
    if not n then return nil, message end
    print(n .. " secrets imported from " .. safe(o.operand) .. "; remove it when nothing needs it any more")
    return 0
end

--- args: the words after `secrets`; host: the host's options ({state=}). Returns the exit status, or nil and a message.
function M.main(args, host)
    local o, command = parse(args)
    if not o then return command end
    local symbi = require "symbi"
    o.command = command
    o.state = o.state or (host and host.state) or ".symbi"
    local secrets, close = open(symbi, o)
    if not secrets then return nil, close end
    local status, message = commands[command](symbi, secrets, o)
    close()
    return status, message
end
M.run = M.main

return M
