--- Loading skills: found below the load paths, read once, hashed and scanned from the same bytes, admitted or rejected by C.
--   loader = symbi.skills.loader{load_paths = {...}, require_signed = false, allow_unsigned_from = {...}, auto_pin = false,
--       scan_enabled = true, block_on_scan = true, custom_deny_patterns = {...}, profile = "strict", suppress = {...},
--       pins = a pin store of symbi.schemapin, resolver = or discovery = where the signers' documents come from, now = Unix seconds}
--   skills, rejected = loader:load_all()       every skill that may be used, in order; {path=, name=, reason=, message=} for the others
--   skill, message, err = loader:load_skill(dir)
-- skill: {name=, path=, signature_status=, signature=, content=, metadata={name=, description=, raw_frontmatter=} or nil, problems=,
-- scan_result={passed=, findings=, totals=} or nil}. A skill that cannot be read is rejected with the reason; it never hides the others.
local core = require "symbi.core"
local symbi = require "symbi"
local skills = require "symbi.skills"

local M = {}

local Loader = {}
Loader.__index = Loader

M.DEFAULT_PATHS = { ".agents/skills", "~/.claude/skills", "~/.codex/skills", "~/.symbiont/skills" }

local KNOWN = {
    load_paths = "table", require_signed = "boolean", allow_unsigned_from = "table", auto_pin = "boolean", scan_enabled = "boolean", block_on_scan = "boolean",
    custom_deny_patterns = "table", profile = "string", suppress = "table", progress = "function", pins = "any", resolver = "any", discovery = "any", revocation = "any", now = "number",
}

local function expand(path)
    local home = os.getenv "HOME"
    if home and (path == "~" or path:sub(1, 2) == "~/") then return home .. path:sub(2) end
    return path
end

function M.new(options)
    options = options or {}
    for name, value in pairs(options) do
        local kind = KNOWN[name]
        if not kind then error("symbi.skills.loader: unknown option '" .. tostring(name) .. "'", 3) end
        if kind ~= "any" and type(value) ~= kind then error("symbi.skills.loader: " .. name .. " must be a " .. kind, 3) end
    end
    local self = setmetatable({}, Loader)
    for name, value in pairs(options) do self[name] = value end
    self.profile = self.profile or "strict"
    self.load_paths = self.load_paths or M.DEFAULT_PATHS
    if self.block_on_scan == nil then self.block_on_scan = self.profile ~= "seed" end
    if self.scan_enabled == nil then self.scan_enabled = true end
    local rules = {}
    for i, pattern in ipairs(self.custom_deny_patterns or {}) do
        rules[i] = { name = "custom-deny-" .. (i - 1), pattern = pattern, severity = "critical", message = "Custom deny pattern matched: " .. pattern }
    end
    local message, err
    self.scanner, message, err = skills.scanner { profile = self.profile, rules = rules, suppress = self.suppress, progress = self.progress }
    if not self.scanner then return nil, message, err end
    return self
end

-- Folders of allow_unsigned_from as they really are; one that does not exist allows nothing.
local function real_folders(list)
    local sio, out = require "symbi.io", {}
    for _, path in ipairs(list or {}) do
        local real = sio.realpath(expand(path))
        if real then out[#out + 1] = real end
    end
    return out
end

local function fail(code, message, fields) return nil, message, core.error(code, message, fields) end

-- Walks, scans and hashes; every byte is read once.
local function take_in(self, dir)
    local scan, message, err = self.scanner:begin()
    if not scan then return nil, message, err end
    local folder
    folder, message, err = core.schemapin.folder()
    if not folder then return nil, message, err end
    local content, signature
    local ok, e
    ok, message, e = skills.walk(self.scanner, scan, dir, function(path, kind, bytes)
        if kind == "unreadable" then return folder:spoil(path .. ": cannot be read") end
        local wanted = folder:begin(path, (kind == "file" or kind == "directory" or kind == "link") and kind or "other")
        local own = kind == "file" and (path == "SKILL.md" or path == ".schemapin.sig")
        local why
        if (wanted or own) and not bytes then -- what a profile passes over still has to be hashed, or looked at
            bytes, why = symbi.io.read_file_info(dir .. "/" .. path, { max = core.schemapin.limits.folder, follow = false })
            if not bytes then return folder:spoil(path .. ": " .. tostring(why)) end
        end
        if wanted and folder:data(bytes) then folder:finish() end
        if own and path == "SKILL.md" then content = bytes elseif own then signature = bytes end
    end)
    if not ok then return nil, message, e end
    return { scan = scan, folder = folder, content = content, signature = signature }
end

local function check_signature(self, dir, taken)
    if not taken.signature then return nil end
    local verify = symbi.schemapin.skill[self.resolver and "verify_skill_with_resolver" or "verify_skill_offline"]
    return verify {
        dir = dir, folder = taken.folder, signature = taken.signature, resolver = self.resolver, discovery = self.discovery, revocation = self.revocation,
        pins = self.pins, only_pinned = self.pins ~= nil and not self.auto_pin or nil, refuse_expired = true, now = self.now,
    }
end

function Loader:load_skill(dir)
    local sio = require "symbi.io"
    dir = dir:gsub("(.)/+$", "%1")
    local info, message, err = sio.stat(dir, { follow = false })
    if not info then return nil, message, err end
    if info.type == "link" then return fail("EDENIED", dir .. " is a symbolic link: skills are folders", { reason = "symlink" }) end
    if info.type ~= "directory" then return fail("EINVAL", dir .. " is no folder") end
    local real
    real, message, err = sio.realpath(dir)
    if not real then return nil, message, err end
    local md = sio.stat(dir .. "/SKILL.md", { follow = false })
    if not md or md.type ~= "file" then return fail("ENOTFOUND", "SKILL.md not found in " .. dir, { reason = "no_skill_md" }) end
    local taken
    taken, message, err = take_in(self, dir)
    if not taken then return nil, message, err end
    if not taken.content then return fail("EIO", "Failed to read SKILL.md in " .. dir) end
    local front
    front, message, err = core.skillload.frontmatter(taken.content, real:match "[^/]*$")
    if not front then return nil, message, err end
    local signature
    signature, message, err = check_signature(self, dir, taken)
    if taken.signature and not signature then return nil, message, err end
    local admitted, status, reason, why = core.skillload.admit({
        require_signed = self.require_signed or false, scan_enabled = self.scan_enabled, block_on_scan = self.block_on_scan, allow_unsigned_from = real_folders(self.allow_unsigned_from),
    }, real, signature, self.scan_enabled and taken.scan or nil, self.now or os.time())
    local skill = {
        name = front.name, path = dir, signature_status = status, signature = signature, content = taken.content, problems = front.problems,
        metadata = front.found and { name = front.name, description = front.description ~= core.null and front.description or nil, raw_frontmatter = front.raw } or nil,
        scan_result = self.scan_enabled and { passed = taken.scan:passed(), findings = taken.scan:findings(), totals = taken.scan:totals() } or nil,
    }
    if admitted then return skill end
    return fail("EDENIED", dir .. ": " .. why, { reason = reason, skill = skill })
end

--- The folders that hold a SKILL.md, in the order of the load paths and then of their names; of two with one name the first counts.
function Loader:find()
    local sio, out, unreadable = require "symbi.io", {}, {}
    for _, path in ipairs(self.load_paths) do
        local base = expand(path):gsub("(.)/+$", "%1")
        local entries, message, err = sio.list_dir(base)
        if not entries and err.code ~= "ENOTFOUND" then unreadable[#unreadable + 1] = { path = base, reason = "unreadable", message = message } end
        for _, e in ipairs(entries or {}) do
            local dir = base .. "/" .. e.name
            if e.type == "directory" and sio.stat(dir .. "/SKILL.md", { follow = false }) then
                out[#out + 1] = dir
            elseif e.type == "link" then
                unreadable[#unreadable + 1] = { path = dir, reason = "symlink", message = dir .. " is a symbolic link: skills are folders" }
            elseif e.type == "directory" and not sio.list_dir(dir) then
                unreadable[#unreadable + 1] = { path = dir, reason = "unreadable", message = dir .. " cannot be read" }
            end
        end
    end
    return out, unreadable
end

function Loader:load_all()
    local loaded, seen = {}, {}
    local found, rejected = self:find()
    for _, dir in ipairs(found) do
        local ok, skill, message, err = pcall(self.load_skill, self, dir)
        if not ok then skill, message, err = nil, tostring(skill), nil end
        if not skill then
            rejected[#rejected + 1] = { path = dir, name = err and err.skill and err.skill.name, reason = err and err.reason or "unreadable", message = message, skill = err and err.skill }
        elseif self.profile == "strict" and seen[skill.name] then
            rejected[#rejected + 1] = { path = dir, name = skill.name, reason = "duplicate", message = "the name " .. skill.name .. " is taken by " .. seen[skill.name], skill = skill }
        else
            seen[skill.name] = dir
            loaded[#loaded + 1] = skill
        end
    end
    self.rejected = rejected
    return loaded, rejected
end

function Loader:close() self.scanner:close() end

return M
