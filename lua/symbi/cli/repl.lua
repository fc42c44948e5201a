--- symbi-lua -i: lines are read, run and their values shown until the input ends. Called by the host (host/cli/repl.c) with
-- { protect = function(f, ...), readline = function(prompt, complete) or nil, terminal = true or false }. Without a terminal the input is
-- read as it comes, and an error ends with status 1.
local M = {}

M.history_lines = 1000

--- The file of the history, or nil where none is wanted: SYMBI_LUA_HISTORY (empty: none), else XDG_STATE_HOME, else ~/.local/state.
function M.history_path(getenv)
    local own, state, home = getenv "SYMBI_LUA_HISTORY", getenv "XDG_STATE_HOME", getenv "HOME"
    if own then return own ~= "" and own or nil end
    if state and state:sub(1, 1) == "/" then return state .. "/symbi-lua/history" end
    return home and home:sub(1, 1) == "/" and home .. "/.local/state/symbi-lua/history" or nil
end

--- f, or nil and the message, or nil and nil: the text is not complete yet. "=x" is "return x"; an expression is what it gives.
function M.compile(text, loader)
    loader = loader or loadstring or load -- luacheck: ignore
    local shown = text:match "^%s*=(.*)$"
    local f, message = loader("return " .. (shown or text), "=stdin")
    if f then return f end
    if not shown then f, message = loader(text, "=stdin") end
    if f then return f end
    if message:find "near '?<eof>'?$" and not message:find "unfinished string" then return nil, nil end -- a quote never closes on a later line
    return nil, message
end

-- What belongs to the program that called the chunk is not shown.
function M.traceback(message)
    local cut = message:find "\n\t[^\n]*symbi/cli/repl%.lua:"
    return cut and message:sub(1, cut - 1) or message
end

local History = {}
History.__index = History

-- Nothing that goes wrong with the history stops the session; it is said once.
function History:trouble(message)
    if not self.told then io.stderr:write("symbi-lua: no history: ", require("symbi.cli.args").safe(message, 300), "\n") end
    self.told, self.path = true, nil
end

local function open_history(path)
    local self = setmetatable({ path = path, lines = {} }, History)
    if not path then return self end
    if not path:find("/", 1, true) then path = "./" .. path end
    local ok, symio = pcall(require, "symbi.io")
    if not ok then self.path = nil return self end
    self.io = symio
    local made, why = symio.mkdir(path:match("^(.*)/[^/]*$"), { parents = true, mode = 448 }) -- 0700
    if not made then self:trouble(why) return self end
    if not symio.stat(path) then return self end
    local text, message = symio.read_file(path, 4194304)
    if not text then self:trouble(message) return self end
    for line in text:gmatch "[^\n]+" do self.lines[#self.lines + 1] = line end
    if #self.lines > 2 * M.history_lines then
        local kept = {}
        for i = #self.lines - M.history_lines + 1, #self.lines do kept[#kept + 1] = self.lines[i] end
        self.lines = kept
        ok, message = symio.write_file(path, table.concat(kept, "\n") .. "\n", 384)
        if not ok then self:trouble(message) end
    end
    return self
end

-- A line that begins with a space is not kept: the way to type a secret.
function History:add(line)
    if not self.path or line:find "^%s" or line == "" then return end
    local ok, message = self.io.append_file(self.path, line .. "\n", { mode = 384 })
    if not ok then self:trouble(message) end
end

local function show_values(...)
    local n = select("#", ...)
    if n == 0 then return end
    local show, list = require "symbi.show", {}
    for i = 1, n do list[i] = show.value((select(i, ...))) end
    io.stdout:write(table.concat(list, "\t"), "\n")
    io.stdout:flush()
end

local function with_terminal(host)
    local safe = require("symbi.cli.args").safe
    local complete = require("symbi.cli.completion").complete
    local readline, history = host.readline, open_history(M.history_path(os.getenv))
    if readline then
        for _, line in ipairs(history.lines) do readline(nil, nil, line) end
    else
        readline = function(prompt)
            if not prompt then return end
            io.stdout:write(prompt)
            io.stdout:flush()
            return io.stdin:read()
        end
    end
    _G.symbi = _G.symbi or require "symbi"
    print("symbi-lua " .. require("symbi").version .. " on " .. _VERSION .. ". symbi.<Tab> shows what there is; Ctrl-D ends.")
    local text
    while true do
        local line, why = readline(text and ">> " or "> ", complete)
        if not line then
            if why ~= "interrupted" then break end
            text = nil
        else
            if line:find "%S" then
                history:add(line)
                readline(nil, nil, line)
            end
            text = text and text .. "\n" .. line or line
            local f, message = M.compile(text)
            if not f and message then
                io.stderr:write(safe(message), "\n")
                text = nil
            elseif f then
                text = nil
                local ok, failed = host.protect(function() show_values(f()) end)
                if not ok then io.stderr:write(failed and M.traceback(failed):gsub("[%z\1-\8\11-\31\127]", "?") or "interrupted", "\n") end
            end
        end
    end
    print()
    return 0
end

-- As lua -i < file: each line that is complete runs; values of expressions are shown.
local function without(host)
    local text
    for line in io.stdin:lines() do
        text = text and text .. "\n" .. line or line
        local f, message = M.compile(text)
        if message then
            io.stderr:write("symbi-lua: ", message, "\n")
            return 1
        elseif f then
            text = nil
            local ok, why = host.protect(function() show_values(f()) end)
            if not ok then
                io.stderr:write("symbi-lua: ", why and M.traceback(why) or "interrupted", "\n")
                return why and 1 or 130
            end
        end
    end
    if text and text:find "%S" then
        io.stderr:write("symbi-lua: ", select(2, (loadstring or load)(text, "=stdin")), "\n") -- luacheck: ignore
        return 1
    end
    return 0
end

function M.main(host)
    if not host.terminal then return without(host) end
    return with_terminal(host)
end

return setmetatable(M, { __call = function(_, host) return M.main(host) end })
