--- symbi.show: what a run does, for people and for machines. p = symbi.show.printer{json=, color=, write=}; p:watch() is the function
-- for agent:run{watch=}; p:answer(result) and p:audit(report, path) print the end. Colour only on a terminal, and never when NO_COLOR is set.
local core = require "symbi.core"

local M = {}
local Printer = {}
Printer.__index = Printer

-- What execve says most often (errno of Linux); the model is told the system's own text.
local START_ERRORS = { [2] = "No such file or directory", [7] = "Argument list too long", [8] = "Exec format error", [12] = "Cannot allocate memory", [13] = "Permission denied", [20] = "Not a directory" }
local CODES = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33", cyan = "36" }

local function wants_color()
    local no = os.getenv("NO_COLOR")
    if no and no ~= "" then return false end
    return require("symbi").io.isatty(1)
end

function M.printer(options)
    options = options or {}
    local color = options.color
    if color == nil then color = not options.json and wants_color() end
    return setmetatable({ json = options.json, color = color, write = options.write or function(s) io.stdout:write(s) io.stdout:flush() end,
        proposals = {}, count = 0 }, Printer)
end

function Printer:paint(color, text)
    if not self.color then return text end
    return "\27[" .. CODES[color] .. "m" .. text .. "\27[0m"
end

function Printer:line(...) self.write(table.concat({ ... }) .. "\n") end

function Printer:record(t) self.write(core.json.encode(t) .. "\n") end

-- Text from outside on one line: control characters (terminal escapes among them) become visible, long text is cut.
local function safe(text, max)
    text = tostring(text):gsub("%s+", " "):gsub("[%z\1-\31\127]", "?"):gsub("\194[\128-\159]", "?")
    if #text > max then
        text = text:sub(1, max)
        while #text > 0 and text:byte(-1) >= 128 and text:byte(-1) < 192 do text = text:sub(1, -2) end
        if #text > 0 and text:byte(-1) >= 192 then text = text:sub(1, -2) end
        text = text .. "…"
    end
    return text
end
M.safe = safe

function Printer:head(fields)
    if self.json then
        fields.type = "start"
        return self:record(fields)
    end
    self:line(self:paint("bold", fields.title))
    for _, l in ipairs(fields.notes or {}) do self:line(self:paint("dim", l)) end
end

local function policy_text(p)
    if not p then return "" end
    return p.id .. " (" .. p.source .. ":" .. p.line .. ")"
end

function Printer:verdict(d, says)
    self.count = self.count + 1
    local proposal = self.proposals[d.call_id or ""] or {}
    if self.json then
        return self:record { type = "verdict", kind = d.kind, name = d.name, call_id = d.call_id, arguments = proposal.arguments,
            decision = d.decision, code = d.code, reason = d.reason, policies = d.policies, model_says = says }
    end
    local allowed = d.decision == "allow" or d.decision == "modify"
    self:line("")
    if says and says ~= "" and d.kind == "tool_call" then self:line(self:paint("dim", "   model says: “" .. safe(says, 300) .. "”")) end
    self:line(string.format("%2d ", self.count), self:paint("bold", d.kind == "tool_call" and "proposes " .. safe(d.name, 60) or "proposes to " .. d.kind),
        "  ", safe(proposal.arguments or "", 120))
    local mark = allowed and self:paint("green", "ALLOWED") or d.decision == "step_up" and self:paint("yellow", "WAITS") or self:paint("red", "DENIED ")
    self:line("   ", mark, "  ", d.policies[1] and "by " .. policy_text(d.policies[1]) .. "  " or "", allowed and "" or d.code .. ": " .. safe(d.reason, 240))
end

function Printer:waits(effect)
    if self.json then return self:record { type = "waits", action_digest = effect.action_digest, name = effect.tool, arguments = effect.arguments, ms = effect.ms } end
    self:line("")
    self:line("   ", self:paint("yellow", "WAITS"), "    for a person: ", safe(effect.tool, 60), " ", safe(core.json.canonical(effect.arguments or {}), 200))
    self:line("            symbi-lua approvals approve ", effect.action_digest:sub(1, 12), "   (or deny)")
end

function Printer:result(effect, reply)
    local x = reply.exec
    if self.json then
        return self:record { type = "result", call_id = effect.call_id, name = effect.tool, exit_code = x and x.exit_code, stdout = x and x.stdout,
            stderr = x and x.stderr, stdout_sha256 = x and x.stdout_sha256, duration_ms = x and x.duration_ms, value = reply.value,
            error = reply.error and tostring(reply.error) }
    end
    if reply.error then return self:line("   ", self:paint("red", "FAILED"), "   ", safe(tostring(reply.error), 300)) end
    if not x then return self:line("   ", self:paint("cyan", "RESULT"), "   ", safe(type(reply.value) == "table" and core.json.encode(reply.value) or reply.value, 300)) end
    if x.start_errno ~= 0 then
        local why = START_ERRORS[x.start_errno] or "error " .. x.start_errno
        return self:line("   ", self:paint("red", "RESULT"), "   ", effect.tool, ": could not be started: ", why)
    end
    local label = self:paint(x.exit_code == 0 and "cyan" or "red", "RESULT")
    self:line("   ", label, "   ", effect.tool, ": exit ", tostring(x.exit_code), x.timed_out and ", timed out" or "", " in ", tostring(x.duration_ms), " ms")
    local n = 0
    for l in (x.stdout .. (x.exit_code ~= 0 and x.stderr or "")):gmatch("[^\n]+") do
        n = n + 1
        if n > 6 then self:line(self:paint("dim", "            …")) break end
        self:line("            ", safe(l, 120))
    end
end

--- The function for agent:run{watch=}: watch("event", journal_event, run) and watch("result", effect, reply).
function Printer:watch()
    local last_say = nil
    return function(kind, data, extra)
        if kind == "result" then return self:result(data, extra) end
        if kind == "effect" and data.kind == "approve" then return self:waits(data) end
        if kind ~= "event" then return end
        if data.type == "reasoning_complete" then
            for _, a in ipairs(data.actions) do self.proposals[a.call_id or ""] = a end
            local messages = extra and extra:conversation()
            last_say = nil
            for i = messages and #messages.messages or 0, 1, -1 do
                if messages.messages[i].role == "assistant" then last_say = messages.messages[i].content break end
            end
        elseif data.type == "policy_evaluated" then
            for i, d in ipairs(data.decisions) do self:verdict(d, i == 1 and last_say or nil) end
        end
    end
end

function Printer:answer(result)
    if self.json then
        return self:record { type = "answer", completed = result.completed, reason = result.reason, output = result.output, iterations = result.iterations,
            tool_calls = result.tool_calls, denied = result.denied, usage = result.usage, error = result.error and tostring(result.error) }
    end
    self:line("")
    if result.completed then self:line(self:paint("bold", "answer  "), (safe(result.output, 2000)))
    else self:line(self:paint("red", "ended: " .. result.reason), result.error and "  " .. safe(tostring(result.error), 300) or "") end
    self:line(self:paint("dim", string.format("        %d turns, %d tools run, %d proposals denied, %d tokens", result.iterations, result.tool_calls, result.denied,
        result.usage.total_tokens)))
end

--- The verified trail: report as symbi.audit.verify gives it. Returns true when it is whole.
function Printer:audit(report, path)
    local ok = report.result == "ok"
    if self.json then
        self:record { type = "audit", result = report.result, entries = report.entries, anchored = report.anchored, checkpoints = report.checkpoints,
            bad_sequence = report.bad_sequence, detail = report.detail, head = report.head, path = path }
        return ok
    end
    self:line("")
    self:line(ok and self:paint("green", "audit trail verified") or self:paint("red", "AUDIT TRAIL BROKEN: " .. report.result),
        string.format("  %d entries in %s, %d anchored by %d signed checkpoints", report.entries, path or "the store", report.anchored, report.checkpoints),
        ok and "" or "; first fault at entry " .. tostring(report.bad_sequence) .. ": " .. safe(report.detail, 200))
    return ok
end

-- ---- values --------------------------------------------------------------------------------------------------------------

local WORDS = {}
for w in ("and break do else elseif end false for function goto if in local nil not or repeat return then true until while"):gmatch "%a+" do WORDS[w] = true end

local function quoted(s, max)
    local cut = #s > max
    if cut then
        s = s:sub(1, max)
        while #s > 0 and s:byte(-1) >= 128 do s = s:sub(1, -2) end -- never half a character
    end
    s = s:gsub('[%z\1-\31\127"\\]', function(c)
        return c == "\n" and "\\n" or c == "\t" and "\\t" or c == "\r" and "\\r" or c == '"' and '\\"' or c == "\\" and "\\\\" or string.format("\\%03d", c:byte())
    end):gsub("\194([\128-\159])", function(c) return "\\194\\" .. c:byte() end)
    return '"' .. s .. '"' .. (cut and "..." or "")
end

local ORDER = { number = 1, string = 2, boolean = 3 }
local function before(a, b)
    local ta, tb = type(a), type(b)
    if ta ~= tb then return (ORDER[ta] or 4) < (ORDER[tb] or 4) end
    if ta == "number" or ta == "string" then return a < b end
    return tostring(a) < tostring(b)
end

local function key_text(k)
    if type(k) == "string" and k:find "^[%a_][%w_]*$" and not WORDS[k] then return k end
    if type(k) == "string" then return "[" .. quoted(k, 60) .. "]" end
    return "[" .. (type(k) == "table" and "table" or tostring(k)) .. "]"
end

local function render(v, o, depth, above)
    local kind = type(v)
    if v == core.null then return "null" end
    if kind == "string" then return quoted(v, o.text) end
    if kind ~= "table" then return (tostring(v):gsub("[%z\1-\31\127]", "?")) end
    if above[v] then return "<cycle>" end
    local meta = getmetatable(v)
    if type(meta) == "table" and rawget(meta, "__tostring") then -- it says itself what may be seen of it: a client holds keys
        local ok, text = pcall(tostring, v)
        if ok and type(text) == "string" then return safe(text, o.text) end
    end
    if next(v) == nil then return "{}" end
    if depth >= o.depth then return "{...}" end
    above[v] = true
    local parts, keys, length, more = {}, {}, 0, 0
    while rawget(v, length + 1) ~= nil do
        length = length + 1
        if #parts < o.items then parts[#parts + 1] = render(rawget(v, length), o, depth + 1, above) else more = more + 1 end
    end
    for k in next, v do
        if not (type(k) == "number" and k % 1 == 0 and k >= 1 and k <= length) then keys[#keys + 1] = k end
    end
    table.sort(keys, before)
    for _, k in ipairs(keys) do
        if #parts < o.items then parts[#parts + 1] = key_text(k) .. " = " .. render(rawget(v, k), o, depth + 1, above) else more = more + 1 end
    end
    above[v] = nil
    if more > 0 then parts[#parts + 1] = "... " .. more .. " more" end
    local line = "{ " .. table.concat(parts, ", ") .. " }"
    if #line + 2 * depth <= o.width and not line:find("\n", 1, true) then return line end
    local indent = ("  "):rep(depth + 1)
    return "{\n" .. indent .. table.concat(parts, ",\n" .. indent) .. "\n" .. ("  "):rep(depth) .. "}"
end

--- A value as text for people: tables with their fields (raw, in order) or, where they have a __tostring, as they show themselves, strings quoted with nothing in them that a terminal obeys.
-- options: depth (6), items per table (50), width of a line (100), text: the longest string (1000).
function M.value(v, options)
    options = options or {}
    return render(v, { depth = options.depth or 6, items = options.items or 50, width = options.width or 100, text = options.text or 1000 }, 0, {})
end

return M
