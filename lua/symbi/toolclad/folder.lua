--- A folder of tools that is followed: folder = symbi.toolclad.follow("tools"[, {types=, audit=, watch = bool}]). folder:set() is the tool
-- set as it is now; folder:refresh() looks again, folder:poll() costs one system call where the system tells of changes (inotify). A file
-- that breaks keeps its last good version, and the problem is told once and stands on the trail once. folder:bind(gate): the gate
-- gets each new set, whole, between two decisions.
local core = require "symbi.core"

local Folder = {}
Folder.__index = Folder

local SUFFIX = "%.clad%.toml$"

local function io_module() return require("symbi").io end

local function journal(self, event)
    if not self.audit then return true end
    return self.audit:commit { event = core.json.canonical(event), agent_id = "runtime", loop_id = "" }
end

-- Problems are known by their text: one that is still there is not told again.
local function problem(self, now, path, message)
    now[path] = message
    if self.problems[path] == message then return end
    self.fresh[#self.fresh + 1] = { path = path, message = message }
end

-- Custom types; a file that breaks leaves those that were.
local function read_types(self, problems)
    local path = self.types_path
    local info = path and io_module().stat(path)
    if not info then
        local had = self.types ~= nil and not self.given
        if not self.given then self.types, self.types_stamp = nil, nil end
        return had
    end
    local now = info.version
    if now == self.types_stamp then
        for _, text in ipairs(self.types and self.types:problems() or {}) do problems[path .. text] = self.problems[path .. text] or text end
        if self.types_broken then problems[path] = self.types_broken end
        return false
    end
    local types, message = require("symbi.toolclad").load_types(path)
    self.types_stamp, self.types_broken = now, nil
    if not types then
        self.types_broken = message
        problem(self, problems, path, message)
        return false
    end
    for _, text in ipairs(types:problems()) do problem(self, problems, path .. text, text) end
    self.types = types
    return true
end

-- How manifests must be signed; what cannot be read leaves what was in force, or refuses everything.
local function read_signing(self, problems)
    if self.signing_given or not self.signing_path then return end
    local settings, message = require "symbi.toolclad.signing".from_file(self.signing_path)
    if message then problem(self, problems, self.signing_path .. " [signing]", message) end
    if message and self.signing_read then settings = self.signing end
    self.signing_read = true
    local was, now = self.signing and core.json.canonical(self.signing) or "", settings and core.json.canonical(settings) or ""
    if was ~= now then self.signing = settings end
end

-- Of the signature beside a manifest.
local function signature_stamp(self, path)
    local info = self.signing and self.signing.mode ~= "off" and io_module().stat(path .. ".sig")
    return info and info.version or ""
end

-- Of the other file that a tool was made from, if there is one.
local function child_stamp(entry)
    local info = entry.child and io_module().stat(entry.child)
    return entry.child and (info and info.version or "")
end

-- One file: {stamp=, tool= (the last good one), message= (what is wrong with it now), child=, child_stamp=}.
local function read_file(self, path, info, old)
    local now = info.version
    local signature = signature_stamp(self, path)
    if old and old.stamp == now and old.types == self.types and old.child_stamp == child_stamp(old) and old.signing == self.signing and old.signature == signature then return old, false end
    local toolclad = require "symbi.toolclad"
    local tool, message, err = toolclad.load(path, { types = self.types, signing = self.signing })
    local after = io_module().stat(path)
    local entry = { stamp = after and after.version == now and now or "", types = self.types, signing = self.signing, signature = signature } -- written meanwhile: looked at again
    if tool then
        entry.message = err -- signing.mode = "warn"
        entry.tool, entry.child = tool, message -- the path of the manifest of its child sessions
        entry.child_stamp = child_stamp(entry)
        local same = old and old.tool and old.tool:info().sha256 == tool:info().sha256 and old.types == self.types and not entry.child
        if same then entry.tool = old.tool end
        return entry, not same
    end
    -- a contract that was taken up before signatures were asked for, or under another key, is no good version any more
    local good = old and (old.signing == self.signing or not self.signing or self.signing.mode ~= "require")
    entry.tool, entry.message = good and old.tool or nil, err and err.code and tostring(err) or message
    if entry.message:find("child_detection.manifest", 1, true) then entry.stamp = "" end -- the fault may be in the other file
    return entry, false
end

local function names_of(set) return set and set:names() or {} end

-- What a reload changed, by name. fresh: names whose contract was read again and is not what it was (its types may have changed).
local function difference(old, new, fresh)
    local before, out = {}, { added = core.array(), removed = core.array(), changed = core.array() }
    for _, name in ipairs(names_of(old)) do before[name] = old:find(name):info().sha256 end
    for _, name in ipairs(names_of(new)) do
        local hash = new:find(name):info().sha256
        if before[name] == nil then table.insert(out.added, name) elseif before[name] ~= hash or fresh[name] then table.insert(out.changed, name) end
        before[name] = nil
    end
    for name in pairs(before) do table.insert(out.removed, name) end
    table.sort(out.removed)
    return out
end

local function scan(self)
    local entries, message, err = io_module().list_dir(self.dir)
    if not entries then return nil, message, err end
    local problems, files, names, again = {}, {}, {}, {}
    local changed = read_types(self, problems)
    read_signing(self, problems)
    for _, e in ipairs(entries) do
        if e.name:find(SUFFIX) and e.type ~= "directory" then names[#names + 1] = e.name end
    end
    table.sort(names)
    for _, name in ipairs(names) do
        local path = self.dir .. "/" .. name
        local info = io_module().stat(path)
        if info then
            local entry, fresh = read_file(self, path, info, self.files[name])
            files[name] = entry
            changed = changed or fresh or self.files[name] == nil or self.files[name].tool ~= entry.tool
            if fresh and self.files[name] then again[entry.tool:info().name] = true end
            if entry.message then problem(self, problems, path, entry.message) end
        end
    end
    for name in pairs(self.files) do changed = changed or files[name] == nil end
    return files, names, problems, changed, again
end

-- The tools that are there, the first of each name.
local function assemble(self, files, names, problems)
    local tools, owner = {}, {}
    for _, name in ipairs(names) do
        local tool = files[name] and files[name].tool
        if tool then
            local called, path = tool:info().name, self.dir .. "/" .. name
            if owner[called] then
                problem(self, problems, path .. "#", path .. ": tool '" .. called .. "' stands in " .. owner[called] .. " already")
            else
                owner[called] = path
                tools[#tools + 1] = tool
            end
        end
    end
    return core.toolclad.toolset(tools)
end

--- Looks at the folder now. Returns what changed ({reloaded=, tools=, added=, removed=, changed=, errors={{path=, error=}}}) when another
-- set is in force or a new problem came up, false when nothing did; nil, message, err when the folder itself cannot be read: then
-- everything stays as it was.
function Folder:refresh()
    self.fresh = {}
    local files, names, problems, changed, again = scan(self)
    if not files then return nil, names, problems end
    local set, message, err
    if changed or not self.current then
        set, message, err = assemble(self, files, names, problems)
        if not set then return nil, message, err end
    else
        for path, text in pairs(self.problems) do -- those of names: nothing changed
            if path:sub(-1) == "#" then problems[path] = text end
        end
    end
    self.files, self.problems = files, problems
    for _, p in ipairs(self.fresh) do journal(self, { type = "tool_reload_failed", source = p.path, error = p.message }) end
    local report
    if set then
        report = difference(self.current, set, again)
        if not self.current or #report.added + #report.removed + #report.changed > 0 then
            for gate in pairs(self.gates) do
                local ok
                ok, message, err = gate:retool(set)
                if not ok then return nil, message, err end
            end
            if self.current then
                journal(self, { type = "tools_reloaded", source = self.dir, added = report.added, removed = report.removed, changed = report.changed })
            end
            self.current = set
            self.generation = self.generation + 1
        else
            set = nil
        end
    end
    if not set and #self.fresh == 0 then return false end
    report = report or { added = core.array(), removed = core.array(), changed = core.array() }
    report.tools = names_of(self.current)
    report.reloaded = #report.added + #report.changed
    report.errors = core.array()
    for i, p in ipairs(self.fresh) do report.errors[i] = { path = p.path, error = p.message } end
    return report
end

--- From now on the system tells when the folder changes. Inside symbi.io.host.run nobody needs to poll. nil, message, err where folders
-- cannot be watched (then folder:refresh is what there is).
function Folder:watch()
    if self.watcher then return true end
    local folders = { self.dir }
    if self.types_path then folders[2] = self.types_path:match("^(.*)/[^/]*$") or "." end
    local seen = {}
    for _, entry in pairs(self.files) do -- where the contracts of child sessions lie; of those that come later, refresh knows
        local at = entry.child and entry.child:match("^(.*)/[^/]*$")
        if at and not seen[at] then
            seen[at] = true
            folders[#folders + 1] = at
        end
    end
    local message, err
    self.watcher, message, err = io_module().watch(folders)
    if not self.watcher then return nil, message, err end
    self:refresh() -- what happened before the watch began
    local host = package.loaded["symbi.io.host"]
    if host and host.running() then
        local weak = setmetatable({ folder = self }, { __mode = "v" })
        host.follow(self.watcher, function() if weak.folder and not weak.folder.closed then weak.folder:refresh() end end)
    end
    return true
end

--- What refresh returns, when the folder changed; false when it did not, or is still being written. ms: how long to wait for the end of
-- an edit that is under way.
function Folder:poll(ms)
    if not self.watcher then return self:refresh() end
    local changed, message, err = self.watcher:poll(0)
    if changed == false and (ms or 0) > 0 and self.watcher:due() >= 0 then changed, message, err = self.watcher:poll(ms) end
    if changed == nil then return nil, message, err end
    if not changed then return false end
    return self:refresh()
end

function Folder:set() return self.current end

--- Every later change goes to this gate, too (and the set of now).
function Folder:bind(gate)
    local ok, message, err = gate:retool(self.current)
    if not ok then return nil, message, err end
    self.gates[gate] = true
    return true
end

function Folder:unbind(gate) self.gates[gate] = nil end

--- {generation=, tools=, problems={{path=, message=}}, watching=}
function Folder:status()
    local list = {}
    for path, text in pairs(self.problems) do list[#list + 1] = { path = (path:gsub("#$", "")), message = text } end
    table.sort(list, function(a, b) return a.path .. a.message < b.path .. b.message end)
    return { generation = self.generation, tools = names_of(self.current), problems = list, watching = self.watcher ~= nil }
end

function Folder:close()
    if self.watcher then self.watcher:close() end
    self.watcher, self.closed, self.gates = nil, true, {}
end

return function(dir, options)
    options = options or {}
    dir = dir:gsub("(.)/+$", "%1")
    local self = setmetatable({ dir = dir, audit = options.audit, files = {}, problems = {}, fresh = {}, gates = setmetatable({}, { __mode = "k" }), generation = 0 }, Folder)
    if type(options.types) == "userdata" then self.types, self.given = options.types, true
    else self.types_path = options.types or dir .. "/../toolclad.toml" end
    if options.signing ~= nil then
        self.signing, self.signing_given = options.signing and require "symbi.toolclad.signing".given(options.signing, "symbi.toolclad.follow") or nil, true
    else
        self.signing_path = dir .. "/../toolclad.toml"
    end
    local first, message, err = self:refresh()
    if first == nil then return nil, message, err end
    if options.watch then
        first, message, err = self:watch()
        if not first then return nil, message, err end
    end
    return self
end
