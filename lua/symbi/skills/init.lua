--- symbi.skills: what stands in skills that an agent should not be made to do, and which skills may be used.
--   scanner = symbi.skills.scanner{profile = "strict"}    "seed" and "runtime" give exactly the findings of the references
--       scanner:scan(content, path)   findings: {{rule=, severity=, category=, message=, file=, line=, column=, excerpt=, how=}, ...}
--       scanner:scan_file(path)  scanner:scan_dir(dir)    {passed=, findings=, totals=}
--     rules = {{name=, pattern=, severity=, message=}, ...}; deny_content, deny_files, deny_shell = {patterns}; allow_executables = {names}
--     limits = {file_bytes=, files=, depth=} instead of the profile's
--     suppress = {{rule=, path=, line=, reason=, until_time="2027-01-31"}, ...}; progress = function(files, path)
--   loader = symbi.skills.loader{...}                     symbi/skills/loader.lua
--   symbi.skills.rules("strict")                          the rules as data
-- What is found, and whether that passes, is decided in C; this walks folders and reads files. Not for nginx workers: it reads files.
local core = require "symbi.core"

local M = { rules = core.skills.rules, limits = core.skills.limits }

local Scanner = {}
Scanner.__index = Scanner

local LISTS = { { "deny_content", "content" }, { "deny_files", "file" }, { "deny_shell", "shell" } }
local KNOWN = { profile = true, rules = true, deny_content = true, deny_files = true, deny_shell = true, allow_executables = true, suppress = true, progress = true, drop_bad = true, limits = true }

local function custom_rules(options)
    local out = {}
    for i, rule in ipairs(options.rules or {}) do
        if type(rule) ~= "table" then error("symbi.skills.scanner: rules[" .. i .. "] must be a table", 3) end
        out[#out + 1] = { kind = "rule", id = rule.name or rule.id, value = rule.pattern, severity = rule.severity, message = rule.message }
    end
    for _, pair in ipairs(LISTS) do
        for _, value in ipairs(options[pair[1]] or {}) do out[#out + 1] = { kind = pair[2], value = value } end
    end
    if options.allow_executables then out[#out + 1] = { kind = "executables", value = table.concat(options.allow_executables, "\n") } end
    return out
end

--- "2027-01-31" or "2027-01-31T12:00:00Z" as ms: the moment, UTC, from which a suppression no longer holds.
local function moment(text)
    text = tostring(text)
    return core.schemapin.time(text:find "^%d%d%d%d%-%d%d%-%d%d$" and text .. "T00:00:00Z" or text)
end

local function suppressions(list)
    local out = {}
    for i, s in ipairs(list or {}) do
        local where = "suppress[" .. i .. "]"
        if type(s) ~= "table" or type(s.rule) ~= "string" or type(s.reason) ~= "string" or s.reason == "" then
            local message = where .. " needs a rule and a reason"
            return nil, message, core.error("ESCHEMA", message)
        end
        local until_ms = 0
        if s.until_time then
            until_ms = moment(s.until_time)
            if not until_ms then
                local message = where .. ".until_time '" .. tostring(s.until_time) .. "' is no date like 2027-01-31"
                return nil, message, core.error("ESCHEMA", message)
            end
        end
        out[i] = { rule = s.rule, path = s.path, line = s.line, reason = s.reason, until_ms = until_ms }
    end
    return out
end

function M.scanner(options)
    options = options or {}
    for name in pairs(options) do
        if not KNOWN[name] then error("symbi.skills.scanner: unknown option '" .. tostring(name) .. "'", 2) end
    end
    local suppress, message, err = suppressions(options.suppress)
    if not suppress then return nil, message, err end
    local c
    c, message, err = core.skills.scanner { profile = options.profile, drop_bad = options.drop_bad, rules = custom_rules(options) }
    if not c then return nil, message, err end
    local limits = core.skills.limits(options.profile)
    for name, value in pairs(options.limits or {}) do
        if name ~= "file_bytes" and name ~= "files" and name ~= "depth" then error("symbi.skills.scanner: limits has no '" .. tostring(name) .. "'", 2) end
        limits[name] = value
    end
    return setmetatable({ c = c, profile = c:profile(), suppress = suppress, progress = options.progress, limits = limits }, Scanner)
end

--- A scan under way: scan:content(path, bytes), scan:unread(path, why, amount, limit). For those who read the files themselves.
function Scanner:begin()
    local scan, message, err = self.c:scan()
    if not scan then return nil, message, err end
    for _, s in ipairs(self.suppress) do
        local ok
        ok, message, err = scan:suppress(s)
        if not ok then return nil, message, err end
    end
    return scan
end

local function result_of(scan) return { passed = scan:passed(), findings = scan:findings(), totals = scan:totals(), scan = scan } end

--- The findings of one text.
function Scanner:scan(content, path)
    local scan, message, err = self:begin()
    if not scan then return nil, message, err end
    local ok
    ok, message, err = scan:content(path or "SKILL.md", content)
    if not ok then return nil, message, err end
    local findings = scan:findings()
    scan:close()
    return findings
end
Scanner.scan_content = Scanner.scan

-- Reads one file for a scan. The bytes go to the scan and, where they were read, back to the caller.
local function read_one(sio, scan, limits, full, shown, follow)
    local info, message = sio.stat(full, { follow = follow })
    if not info then return nil, scan:unread(shown, "io"), message end
    if info.type == "link" then return nil, scan:unread(shown, "link") end
    if info.type ~= "file" then return nil, scan:unread(shown, "kind") end
    if limits.file_bytes and info.size > limits.file_bytes then return nil, scan:unread(shown, "size", info.size, limits.file_bytes) end
    local bytes, _, err = sio.read_file_info(full, { max = limits.file_bytes or 1024 * 1024 * 1024, follow = follow })
    if not bytes then
        if err.code == "ELIMIT" then return nil, scan:unread(shown, "size", (limits.file_bytes or 0) + 1, limits.file_bytes) end
        return nil, scan:unread(shown, "io")
    end
    local ok, why, e = scan:content(shown, bytes)
    if not ok then return nil, nil, why, e end
    return bytes, true
end

--- One file. nil, message, err only where the file cannot be looked at at all.
function Scanner:scan_file(path)
    local sio = require "symbi.io"
    local info, message, err = sio.stat(path)
    if not info then return nil, message, err end
    local scan
    scan, message, err = self:begin()
    if not scan then return nil, message, err end
    local _, ok, why, e = read_one(sio, scan, self.limits, path, path:match "[^/]*$", true)
    if not ok then return nil, why, e end
    return result_of(scan)
end

-- Everything below dir as {path=, full=, kind=}, sorted by path. What a profile follows: seed links to files, runtime also links to
-- folders (its depth ends a loop), strict none.
local function gather(sio, profile, limits, dir)
    local out, most = {}, limits.files and limits.files * 20 or 200000 -- entries; folders without files count, too
    local function into(base, prefix, depth)
        local entries = sio.list_dir(base)
        if not entries then
            out[#out + 1] = { path = prefix == "" and "." or prefix:sub(1, -2), full = base, kind = "unreadable" }
            return
        end
        for _, e in ipairs(entries) do
            local item = { path = prefix .. e.name, full = base .. "/" .. e.name, kind = e.type }
            if e.type == "link" and profile ~= "strict" then
                local target = sio.stat(item.full)
                item.kind = target and target.type or "link"
                if item.kind == "directory" and profile == "seed" then item.kind = "link" end
            end
            out[#out + 1] = item
            if item.kind == "directory" then
                if limits.depth and depth >= limits.depth then
                    item.deep = depth + 1
                elseif #out <= most then
                    into(item.full, item.path .. "/", depth + 1)
                else
                    item.unwalked = true
                end
            end
        end
    end
    into(dir, "", 0)
    table.sort(out, function(x, y) return x.path < y.path end)
    return out
end

--- Walks dir and gives every file to the scan. visit(path, kind, bytes or nil) is called for each entry: what is hashed there is what was
-- scanned. kind: "file" "directory" "link" "other" "unreadable".
function M.walk(scanner, scan, dir, visit)
    local sio = require "symbi.io"
    local profile = scanner.profile
    local strict, limits, files, stopped = profile == "strict", scanner.limits, 0, false
    dir = dir:gsub("(.)/+$", "%1")
    for _, item in ipairs(gather(sio, profile, limits, dir)) do
        local ok, message, err, bytes = true, nil, nil, nil
        if item.kind == "unreadable" then
            ok, message, err = scan:unread(item.path, "io")
        elseif item.kind == "directory" then
            if item.deep and strict then ok, message, err = scan:unread(item.path, "depth", item.deep, limits.depth) end
            if item.unwalked and strict then ok, message, err = scan:unread(item.path, "files", files, limits.files) end
        elseif (strict or item.kind == "file") and not stopped and core.skills.plan(profile, item.path) == "read" then
            if limits.files and files >= limits.files then
                ok, message, err = scan:unread(strict and item.path or dir, "files", files, limits.files)
                stopped = true
            else
                -- seed calls a file by its last name, whatever its folder
                bytes, ok, message, err = read_one(sio, scan, limits, item.full, profile == "seed" and item.path:match "[^/]*$" or item.path, not strict)
                if bytes then files = files + 1 end
            end
        end
        if not ok then return nil, message, err end
        if scanner.progress then scanner.progress(files, item.path) end
        visit(item.path, item.kind, bytes)
    end
    return true
end

local function nothing() end

--- A folder. A folder that is not there passes in the references; ours says so.
function Scanner:scan_dir(dir)
    local sio = require "symbi.io"
    local info, message, err = sio.stat(dir)
    if not info or info.type ~= "directory" then
        if self.profile ~= "strict" then return { passed = true, findings = core.array {}, totals = {} } end
        if info then message, err = dir .. " is no folder", core.error("EINVAL", dir .. " is no folder") end
        return nil, message, err
    end
    local scan
    scan, message, err = self:begin()
    if not scan then return nil, message, err end
    local ok
    ok, message, err = M.walk(self, scan, dir, nothing)
    if not ok then return nil, message, err end
    return result_of(scan)
end
Scanner.scan_skill = Scanner.scan_dir

function Scanner:close() self.c:close() end

function M.loader(options) return require("symbi.skills.loader").new(options) end

return M
