--- symbi-lua tools init PROGRAM: a manifest drafted from what the program says about itself. It is a draft: options that write, execute or
-- read configuration are left out by name, and a person decides what of the rest a model may use. The program is run once, with
-- --help alone, through the gate like any tool. What comes out loads; that is checked before it is written.
local safe = require("symbi.cli.args").safe

local M = {}

local MAX_DEFAULT = 24

-- A part of an option's name that says: this is more than looking.
local DANGEROUS = { "exec", "command", "program", "script", "shell", "eval", "config", "plugin", "load", "module", "action", "rsh", "output", "upload", "write", "delete",
    "remove", "rename", "overwrite", "unlink", "proxy", "user", "password", "token", "key", "cert", "cookie", "header", "netrc", "insecure", "install", "force", "append",
    "create", "extract", "update", "chmod", "owner", "to-stdout", "checkpoint", "data", "form", "remote-name", "directory-prefix", "transform", "allow", "env-file" }
-- An operand of such a name is what the program will run.
local RUNS = { "command", "program", "script", "utility" }
local SKIP = { help = true, version = true, usage = true, manual = true, h = true, V = true }

local function dangerous(name, words)
    for _, word in ipairs(words or DANGEROUS) do
        if name:find(word, 1, true) then return true end
    end
    return false
end

-- An argument's name: letters, digits and '_', beginning with a letter.
local function argument_name(text)
    local name = text:gsub("[^%w]+", "_"):gsub("^_+", ""):gsub("_+$", ""):lower()
    if name == "" then return nil end
    if not name:find "^%a" then name = "opt_" .. name end
    if name == "scan_id" or name == "evidence_dir" or name == "output_file" then name = "opt_" .. name end
    return name:sub(1, 60)
end

-- A type from how the value is called.
local function type_of(called, name)
    local text = (called .. " " .. name):lower()
    if text:find "url" or text:find "uri" then return "url" end
    if text:find "%f[%a]port%f[%A]" then return "port" end
    if text:find "%f[%a]num%f[%A]" or text:find "number" or text:find "count" or text:find "%f[%a]n%f[%A]" or text:find "seconds" or text:find "bytes" or text:find "size" or text:find "depth" or text:find "level" then return "integer" end
    if text:find "file" or text:find "path" or text:find "dir" then return "path" end
    if text:find "host" or text:find "target" then return "scope_target" end
    return "string"
end

-- "-o, --output=FILE   text", "  -s   text", "--color[=WHEN]": {flag=, value= or nil, joined=, text=}
local function option_of(line)
    local spec, text = line:match "^%s+(%-[^%s].-)%s%s+(%S.*)$"
    if not spec then spec, text = line:match "^%s+(%-%-?[%w][^%s]*)%s*$", "" end
    if not spec then return nil end
    local long, rest = spec:match "(%-%-[%w][%w%-]*)(.*)$"
    if not long then
        long, rest = spec:match "^(%-[%w])(.*)$"
        if not long or rest:find "^%w" then return nil end
    end
    local value, joined
    if rest:find "^%[=" or rest:find "^%[%s" then value = nil -- may be left out: then it is a plain flag
    elseif rest:find "^=" then value, joined = rest:match "^=([^%s,]+)", true
    else value = rest:match "^%s+<([^>]+)>" or rest:match "^%s+([%u][%u%d_%-]*)$" or rest:match "^%s+([%l]+)$" end
    return { flag = long, value = value, joined = joined, text = text }
end

-- The operands of the usage line: {{name=, required=}}.
local function operands_of(help, program)
    local line = help:match "[Uu]sage:%s*([^\n]+)" or help:match "USAGE:?%s*([^\n]+)"
    if not line then return {} end
    line = line:gsub("^%S*" .. program:gsub("%p", "%%%0") .. "%s*", "", 1)
    local out, seen = {}, {}
    local function take(text, required)
        local name = argument_name(text)
        if name and not seen[name] and #out < 4 and not name:find "^option" and not name:find "^flag" then
            seen[name] = true
            out[#out + 1] = { name = name, required = required, called = text }
        end
    end
    local at = 1
    while at <= #line do
        local from, to, inner = line:find("^%s*%[([^%]]*)%]%.*", at)
        if from then
            if not inner:lower():find "option" and not inner:find "^%-" then take(inner:gsub("[<>%.]", ""), false) end
        else
            from, to, inner = line:find("^%s*<([^>]*)>%.*", at)
            if from then take(inner, true)
            else
                from, to, inner = line:find("^%s*(%S+)", at)
                if not from then break end
                if inner:find "^%u[%u%d_%-]*%.*$" and not inner:lower():find "option" then take(inner:gsub("%.", ""), true)
                elseif inner:find "^%-" or inner == "|" then break end
            end
        end
        at = to + 1
    end
    return out
end

local function quoted(s)
    s = safe(s):gsub('[\\"]', "\\%0")
    return '"' .. s .. '"'
end

local function argument(out, position, name, kind, required, text)
    out[#out + 1] = "\n[args." .. name .. "]\nposition = " .. position .. "\ntype = \"" .. kind .. "\"\n" .. (required and "required = true\n" or "")
    if kind == "url" then out[#out + 1] = 'schemes = ["https"]\n' end
    if kind == "string" then out[#out + 1] = "# a pattern would say more exactly what may be given\n" end
    if text ~= "" then out[#out + 1] = "description = " .. quoted(text:sub(1, 200)) .. "\n" end
end

--- The draft's text. help: what the program printed ("" for a bare one).
function M.draft(program, help, most)
    local base = program:match "[^/]+$" or program
    local name = base:gsub("[^%w_.-]", "_"):gsub("^[.-]+", "")
    local head = {
        "# Drafted by `symbi-lua tools init " .. safe(program, 100) .. "`. Read every line: what stands here is what a model may do with the program.\n",
        "[tool]\nname = " .. quoted(name) .. "\nversion = \"1.0.0\"\ndescription = " .. quoted("Runs " .. base .. " (say here when a model should use it)") .. "\nbinary = " .. quoted(base),
        "\ntimeout_seconds = 60\nrisk_tier = \"medium\"  # info, low, medium, high, critical\nhuman_approval = true  # until somebody has read this file\n",
    }
    local args, conditionals, exec, left_out, used, n = {}, {}, { quoted(program) }, {}, {}, 0
    local operands = {}
    for _, op in ipairs(operands_of(help, base)) do
        used[op.name] = true
        if dangerous(op.name, RUNS) then left_out[#left_out + 1] = op.called else operands[#operands + 1] = op end
    end
    for line in (help .. "\n"):gmatch "(.-)\r?\n" do
        local o = option_of(line)
        local plain = o and o.flag:gsub("^%-+", "")
        local arg = plain and argument_name(plain)
        if o and arg and not used[arg] and not SKIP[plain] then
            used[arg] = true
            if dangerous(plain:lower()) then
                left_out[#left_out + 1] = o.flag
            elseif n < (most or MAX_DEFAULT) then
                n = n + 1
                local kind = o.value and type_of(o.value, plain) or "boolean"
                argument(args, n + 10, arg, kind, false, o.text)
                local condition, template = arg .. " == 'true'", o.flag
                if o.value then
                    condition = arg .. " != ''"
                    template = o.flag .. (o.joined and "=" or " ") .. "{" .. arg .. "}"
                end
                conditionals[#conditionals + 1] = "\n[command.conditionals." .. arg .. "]\nwhen = " .. quoted(condition) .. "\ntemplate = " .. quoted(template) .. "\n"
                exec[#exec + 1] = quoted("{_" .. arg .. "}")
            end
        end
    end
    for i, op in ipairs(operands) do
        argument(args, i, op.name, type_of(op.called, op.name), op.required, "")
        if op.required then
            exec[#exec + 1] = quoted("{" .. op.name .. "}")
        else
            conditionals[#conditionals + 1] = "\n[command.conditionals." .. op.name .. "]\nwhen = " .. quoted(op.name .. " != ''") .. "\ntemplate = " .. quoted("{" .. op.name .. "}") .. "\n"
            exec[#exec + 1] = quoted("{_" .. op.name .. "}")
        end
    end
    local out = { table.concat(head), table.concat(args), "\n[command]\nexec = [" .. table.concat(exec, ", ") .. "]\n" }
    if #left_out > 0 then
        out[#out + 1] = "# left out, because they write, run, configure or hand over secrets: " .. safe(table.concat(left_out, " "), 1500) .. "\n"
    end
    out[#out + 1] = table.concat(conditionals)
    out[#out + 1] = "\n[output]\nformat = \"text\"  # text, json, jsonl, csv, xml; parser = \"builtin:nmap\" for nmap -oX -\n\n[output.schema]\ntype = \"object\"\n"
    return table.concat(out), name, n
end

-- What `program --help` prints, through the gate: the operator at the terminal permits this one call.
local function help_of(symbi, program)
    local tool, message = symbi.toolclad.declare({ tool = { name = "help", version = "1", description = "d", timeout_seconds = 10 }, command = { exec = { program, "--help" } },
        output = { format = "text", schema = { type = "object" } } }, "tools init")
    if not tool then return nil, message end
    local e
    e, message = tool:execute({}, { policies = { { name = "tools init", text = 'permit(principal, action == Action::"tool_call::help", resource);' } }, agent = "operator" })
    if not e then return nil, message end
    local text = e.results.raw_output or ""
    if text:find "%S" == nil then text = e.stderr or "" end
    if text:find "%S" == nil or e.exit_code == -1 then
        return nil, "'" .. safe(program, 100) .. " --help' says nothing" .. (e.error and ": " .. safe(e.error, 200) or "") .. "; --bare drafts a manifest without it"
    end
    return text
end

function M.init(symbi, o, host)
    local program = o.rest[1]
    if not program or #o.rest > 1 then return 2, "which program? one at a time" end
    if program == "" or program:find "^%-" or program:find "[%c%s]" or #program > 300 then return 2, "'" .. safe(program, 60) .. "' is no program's name" end
    local help, message = ""
    if not o.bare then
        help, message = help_of(symbi, program)
        if not help then return nil, message end
    end
    local text, name, n = M.draft(program, help, o.max)
    local tool, err
    tool, message, err = symbi.toolclad.parse(text, name .. ".clad.toml")
    if not tool then return nil, "the draft does not load (" .. tostring(err or message) .. "); --bare drafts a manifest without the program's help" end
    if o.stdout then
        io.stdout:write(text)
        return 0
    end
    local dir = o.tools or host.tools or "tools"
    local path = dir:gsub("(.)/+$", "%1") .. "/" .. name .. ".clad.toml"
    if symbi.io.stat(path) then return nil, safe(path, 300) .. " is there already; it is not overwritten (--stdout shows the draft)" end
    if not symbi.io.stat(dir) then
        local ok
        ok, message = symbi.io.mkdir(dir)
        if not ok then return nil, message end
    end
    local ok
    ok, message = symbi.io.write_file(path, text, 420) -- 0644
    if not ok then return nil, message end
    print("wrote " .. safe(path, 300) .. ": " .. n .. " options. It asks a person before every call until you take human_approval out; try it with")
    print("  symbi-lua tools test " .. safe(name, 60) .. " --tools " .. safe(dir, 200))
    return 0
end

return M
