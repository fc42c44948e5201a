--- scripts/completion/generate.lua: the shell completions and the man page, from the table of commands (symbi.cli) and the usage texts that
-- the commands themselves print. `symbi-lua scripts/completion/generate.lua` writes the three files; with --check it writes nothing,
-- names those that are out of date, and ends with status 1. `make completion` calls it.
local root = arg[0]:match "^(.*)/completion/[^/]*$" or "scripts"
local check = arg[1] == "--check"

-- ---- the texts ------------------------------------------------------------------------------------------------------------

local function usage_of(row)
    local lines, real = {}, print
    -- what --help prints
    function print(...) -- luacheck: ignore
        local t = {}
        for i = 1, select("#", ...) do t[i] = tostring((select(i, ...))) end
        lines[#lines + 1] = table.concat(t, "\t")
    end
    local ok, module = pcall(require, row.module)
    if ok then
        local main = type(module) == "table" and module.main or module
        ok, module = pcall(main, { "--help" }, {})
    end
    print = real -- luacheck: ignore
    if not ok then error(row.name .. ": " .. tostring(module), 0) end
    local text = table.concat(lines, "\n")
    return text:find "^usage: " and text or nil
end

local function host_help()
    local p = assert(io.popen("'" .. arg[-1]:gsub("'", "'\\''") .. "' --help"))
    local text = p:read "a"
    assert(p:close(), "symbi-lua --help failed")
    return text
end

-- ---- what the texts say ---------------------------------------------------------------------------------------------------

-- { name = kind }: "" a flag, "f" a file, "d" a folder, "-" some value, "a,b,c" one of these words.
local function options_of(text, into)
    local tokens = {}
    text = text:gsub("%f[%S]%u[^%s%-]*%.%.%.", "[]"):gsub("%.%.%.", " ") -- FILE|DIR... is what the command works on, no option's value
    for word in text:gmatch "%S+" do
        word = word:gsub("^[%[%(]+", ""):gsub("|(%-%-)", " %1")
        for part in word:gmatch "%S+" do tokens[#tokens + 1] = part end
    end
    for i, token in ipairs(tokens) do
        local name, rest = token:match "^(%-%-[%a%-]+)(.*)$"
        if name then
            local closed = rest:find "[%]%),;]"
            local value = rest:match "^=([^%]%)]*)" or (not closed and rest == "" and tokens[i + 1]) or ""
            value = value:gsub("[%]%),;:].*$", "")
            local kind = ""
            if value:find "^FILE" or value:find "|FILE" or value:find "^PRIVATE" or value:find "^EXPORT" then kind = "f"
            elseif value:find "^DIR" then kind = "d"
            elseif value:find "^%l[%l%-_]*|" and not value:find "%u" then kind = value:gsub("|", ",")
            elseif value:find "^[%u']" or value:find "^%u" then kind = "-" end
            if not into[name] or into[name] == "" then into[name] = kind end
        end
    end
    return into
end

-- A usage text: list of { words = { sub-command and its own sub-commands }, options = {...} }, and the options of all.
local function synopses(text, name)
    local list, common, current, prose = {}, {}, nil, false
    for line in (text .. "\n"):gmatch "([^\n]*)\n" do
        if line:find("symbi-lua " .. name, 1, true) and (line:find "^usage:" or line:find "^%s+symbi%-lua ") then
            for part in (line:gsub("^usage:", "") .. "symbi-lua "):gsub("symbi%-lua ", "\0"):gmatch "%z([^%z]+)" do
                list[#list + 1] = part
            end
            current = true
        elseif line == "" then
            current, prose = nil, false
        elseif line:find "^every one:" or line:find "^%u+:" then
            current, prose = nil, true
            options_of(line, common)
        elseif current and line:find "^%s" then
            list[#list] = list[#list] .. " " .. line
        elseif prose and line:find "^%s" then
            options_of(line, common)
        else
            prose = false
        end
    end
    return list, common
end

local function commands()
    local out = {}
    for _, row in ipairs(require "symbi.cli") do
        local command = { name = row.name, summary = row.summary, usage = usage_of(row), subs = {}, order = {}, options = {} }
        local list, common = synopses(command.usage or "", row.name)
        for _, s in ipairs(list) do
            local rest = s:match("^" .. row.name:gsub("%-", "%%-") .. "%s*(.*)$") or ""
            local sub = rest:match "^(%l[%l%-]*)%f[%s%z]"
            local target = command
            if sub then
                target = command.subs[sub]
                if not target then
                    target = { words = {}, options = {} }
                    command.subs[sub] = target
                    command.order[#command.order + 1] = sub
                end
                local after = rest:sub(#sub + 1):match "^%s+(%l.*)$"
                for token in (after or ""):gmatch "%S+" do
                    if token:find "^%-" or token:find "^%[" then break end
                    for word in (token .. "|"):gmatch "([^|]*)|" do
                        if word:find "^%l[%l%-]*$" then target.words[#target.words + 1] = word end
                    end
                end
                -- pin list|show D|add D --key FILE|remove D: a word after a bar
                if after then
                    for word in rest:gmatch "|(%l[%l%-]*)%f[%s%z]" do
                        if rest:find("D|" .. word, 1, true) or rest:find("%]|" .. word) or rest:find("N|" .. word, 1, true) then target.words[#target.words + 1] = word end
                    end
                end
            end
            options_of(rest, target.options)
        end
        for k, v in pairs(common) do
            command.options[k] = command.options[k] or v
            for _, sub in pairs(command.subs) do sub.options[k] = sub.options[k] or v end
        end
        out[#out + 1] = command
    end
    return out
end

local function spec(options)
    local list = { "--help" }
    for name, kind in pairs(options) do
        if name ~= "--help" then list[#list + 1] = kind == "" and name or name .. "=" .. kind end
    end
    table.sort(list)
    return table.concat(list, " ")
end

local function unique(words)
    local seen, list = {}, {}
    for _, w in ipairs(words) do
        if not seen[w] then list[#list + 1] = w end
        seen[w] = true
    end
    return table.concat(list, " ")
end

-- ---- the shells -----------------------------------------------------------------------------------------------------------

-- Both shells read the same lines: the words that can follow, and the options with what they take.
local function cases(all)
    local out = {}
    local function add(...) out[#out + 1] = table.concat { ... } end
    for _, c in ipairs(all) do
        if c.name == "help" or c.name == "version" then
            add("    '", c.name, "') words='' opts='' ;;")
        else
            add("    '", c.name, "') words='", table.concat(c.order, " "), "' opts='", spec(c.options), "' ;;")
        end
        for _, sub in ipairs(c.order) do
            add("    '", c.name, " ", sub, "') words='", unique(c.subs[sub].words), "' opts='", spec(c.subs[sub].options), "' ;;")
        end
    end
    return table.concat(out, "\n")
end

local function names(all)
    local list = {}
    for i, c in ipairs(all) do list[i] = c.name end
    return table.concat(list, " ")
end

local MADE = "# Made by scripts/completion/generate.lua from the commands' own usage texts; `make completion` makes it anew.\n"

local function bash(all, host)
    return [==[
# Completion of symbi-lua for bash.
]==] .. MADE .. [==[
_symbi_lua_rows() {
    case $1 in
    '') words=']==] .. names(all) .. [==[' opts=']==] .. host .. [==[' ;;
]==] .. cases(all) .. "\n" .. [==[
    *) words='' opts='' ;;
    esac
}
_symbi_lua() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} at='' words opts word kind i=1 skip='' typed=0 IFS=$' \t\n'
    COMPREPLY=()
    _symbi_lua_rows ''
    while ((i < COMP_CWORD)); do
        word=${COMP_WORDS[i]}
        i=$((i + 1))
        if [[ -n $skip ]]; then
            skip=''
            continue
        fi
        case $word in
        =) skip=1 ;;
        -*) [[ " $opts " == *" $word="* ]] && skip=1 ;;
        *)
            if [[ -n $words && " $words " == *" $word "* ]]; then
                at="${at:+$at }$word"
                [[ $at == *' '*' '* ]] && at=${at% *} words='' || _symbi_lua_rows "$at"
            else
                typed=1 words=''
                [[ -z $at ]] && return 0 # a script has arguments of its own
            fi
            ;;
        esac
    done
    if [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
    if [[ $cur == = ]]; then cur=''; fi
    for word in $opts; do
        kind=${word#*=}
        [[ $word == *=* && $prev == "${word%%=*}" ]] || continue
        case $kind in
        f) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        d) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        -) ;;
        *) mapfile -t COMPREPLY < <(compgen -W "${kind//,/ }" -- "$cur") ;;
        esac
        return 0
    done
    if [[ $cur == -* ]]; then
        kind=''
        for word in $opts; do kind="$kind ${word%%=*}"; done
        mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur")
    elif [[ -n $words && $cur != */* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        if [[ -z $at ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -X '!*.lua' -- "$cur"; compgen -d -- "$cur")
        fi
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -F _symbi_lua symbi-lua
]==]
end

local function zsh(all, host)
    local described = {}
    for i, c in ipairs(all) do described[i] = "        '" .. c.name .. ":" .. c.summary:gsub("'", "'\\''"):gsub(":", "\\:") .. "'" end
    return [==[
#compdef symbi-lua
# Completion of symbi-lua for zsh.
]==] .. MADE .. [==[
_symbi_lua_rows() {
    case $1 in
    '') rest=']==] .. names(all) .. [==[' opts=']==] .. host .. [==[' ;;
]==] .. cases(all):gsub("words=", "rest=") .. "\n" .. [==[
    *) rest='' opts='' ;;
    esac
}
_symbi_lua() {
    local at='' rest opts word kind i=2 skip=''
    local -a list described
    described=(
]==] .. table.concat(described, "\n") .. [==[

    )
    _symbi_lua_rows ''
    while ((i < CURRENT)); do
        word=${words[i]}
        i=$((i + 1))
        if [[ -n $skip ]]; then
            skip=''
            continue
        fi
        case $word in
        -*) [[ " $opts " == *" $word="* ]] && skip=1 ;;
        *)
            if [[ -n $rest && " $rest " == *" $word "* ]]; then
                at="${at:+$at }$word"
                if [[ $at == *' '*' '* ]]; then at=${at% *} rest=''; else _symbi_lua_rows "$at"; fi
            else
                rest=''
                if [[ -z $at ]]; then
                    _files
                    return
                fi
            fi
            ;;
        esac
    done
    for word in ${=opts}; do
        kind=${word#*=}
        [[ $word == *=* ]] || continue
        if [[ $PREFIX == ${word%%=*}=* ]]; then compset -P '*='
        elif [[ ${words[CURRENT - 1]} != ${word%%=*} ]]; then continue; fi
        case $kind in
        f) _files ;;
        d) _files -/ ;;
        -) _message value ;;
        *) list=(${(s:,:)kind}); compadd -a list ;;
        esac
        return
    done
    if [[ $PREFIX == -* ]]; then
        for word in ${=opts}; do list+=(${word%%=*}); done
        compadd -a list
    elif [[ -n $rest && $PREFIX != */* ]]; then
        if [[ -z $at ]]; then
            _describe command described
            _files -g '*.lua'
        else
            list=(${=rest})
            compadd -a list
        fi
    else
        _files
    fi
}
if [[ ${funcstack[1]} == _symbi_lua || ${funcstack[1]} == _symbi-lua ]]; then _symbi_lua "$@"; else compdef _symbi_lua symbi-lua; fi
]==]
end

-- ---- the man page ---------------------------------------------------------------------------------------------------------

local function roff(s)
    s = s:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("'", "\\(aq"):gsub("`", "\\(ga"):gsub("%^", "\\(ha"):gsub("~", "\\(ti")
    return (s:gsub("^%.", "\\&."))
end

local function literal(text)
    local out = { ".nf" }
    for line in (text .. "\n"):gmatch "([^\n]*)\n" do out[#out + 1] = line == "" and ".sp" or roff(line) end
    out[#out + 1] = ".fi"
    return table.concat(out, "\n")
end

local function man(all, help)
    local version = require("symbi.core").version
    local out = {
        [[.\" Made by scripts/completion/generate.lua from the commands' own usage texts; `make completion` makes it anew.]],
        '.TH SYMBI\\-LUA 1 "" "symbi\\-lua ' .. version .. '" "symbi\\-lua"',
        ".SH NAME", "symbi\\-lua \\- run Lua scripts and agents under a policy gate",
        ".SH SYNOPSIS", literal((help:match "^usage: (.-)\n\n" or ""):gsub("\n       ", "\n")),
        ".SH DESCRIPTION",
        "An argument that contains a slash or ends in .lua is a script; any other first word is a command. Scripts find the module",
        ".B symbi", "without any environment variable.", ".PP",
        "With", ".B \\-i", "lines are read, run and their values shown; with a terminal they are edited, completed with Tab and kept in a history.",
        "A line that begins with a space is not kept.", ".PP",
        "With", ".B \\-\\-sandbox", "a script runs in a Lua state of its own, without files, programs, modules or the network, with a limit of memory and of time.",
        ".SH OPTIONS", literal(help:match "\noptions:\n(.-)\n\ncommands:" or ""),
        ".SH COMMANDS",
    }
    for _, c in ipairs(all) do
        out[#out + 1] = ".SS " .. roff(c.name)
        out[#out + 1] = roff(c.summary:sub(1, 1):upper() .. c.summary:sub(2)) .. "."
        if c.usage then
            out[#out + 1] = ".PP"
            out[#out + 1] = literal((c.usage:gsub("^usage: ", ""):gsub("\n       ", "\n")))
        end
    end
    local tail = {
        ".SH EXIT STATUS", ".TP", ".B 0", "success", ".TP", ".B 1", "the script or command failed; what it says is on standard error", ".TP", ".B 2",
        "the command line is wrong", ".TP", ".B 124", "a limit of \\-\\-sandbox was reached", ".TP", ".B 130", "interrupted",
        ".SH ENVIRONMENT", ".TP", ".B NO_COLOR", "no colours, where it is not empty", ".TP", ".B SYMBI_LUA_HISTORY", "the file of the history of \\-i; empty for none",
        ".TP", ".B XDG_STATE_HOME", "the history is symbi\\-lua/history there",
        ".SH FILES", ".TP", ".I \\(ti/.local/state/symbi\\-lua/history", "the history of \\-i, for nobody else to read", ".TP", ".I .symbi/", "the state: audit trail, approvals, keys",
        ".SH SEE ALSO", ".BR lua (1)",
    }
    for _, l in ipairs(tail) do out[#out + 1] = l end
    return table.concat(out, "\n") .. "\n"
end

-- ---- the files ------------------------------------------------------------------------------------------------------------

local help = host_help()
local all = commands()
local host = spec(options_of((help:match "\noptions:\n(.-)\n\ncommands:" or ""):gsub("\n", " \n"), {})) .. " -e=- -h -i -v"
local stale = {}
for path, text in pairs { ["completion/symbi-lua.bash"] = bash(all, host), ["completion/_symbi-lua"] = zsh(all, host), ["symbi-lua.1"] = man(all, help) } do
    local f = io.open(root .. "/" .. path, "rb")
    local old = f and f:read "a"
    if f then f:close() end
    if old ~= text then
        stale[#stale + 1] = root .. "/" .. path
        if not check then
            f = assert(io.open(root .. "/" .. path, "wb"))
            f:write(text)
            f:close()
        end
    end
end
table.sort(stale)
for _, path in ipairs(stale) do print((check and "out of date (make completion): " or "written: ") .. path) end
if check and #stale > 0 then os.exit(1) end
