--- symbi.schemapin.store: pins in a file that several processes share.
--   store = schemapin.store.open(path[, {create=true, timeout_ms=10000}])
-- Whoever changes it holds a lock, reads the file again, changes that, and replaces the file as a whole (written beside, synced,
-- renamed; mode 0600): two processes at once lose nothing. A file that cannot be read is an error and stays as it is. One that was
-- there and is gone is an error too: starting anew would forget every pin. That it was there the lock file remembers, which is empty
-- before. Through a symbolic link the file that it names is locked and replaced, not the link.
local symbi = require "symbi"
local compat = require "symbi.compat"
local core = require("symbi.core").schemapin

local M = {}
local Store = {}
Store.__index = Store

local MAX = 64 * 1024 * 1024

local function io() return symbi.io end
local function fail(code, message) return nil, message, symbi.error(code, message) end

-- What is there: info, or false when there is no file, or nil and why.
local function look(path)
    local info, message, err = io().stat(path)
    if info then return info end
    if err.code ~= "ENOTFOUND" then return nil, message, err end
    if io().stat(path, { follow = false }) then return fail("ESTATE", "the pin store " .. path .. " is a link to a file that is not there") end
    return false
end

local function lock_of(path) return ((io().realpath(path)) or path) .. ".lock" end

-- Has there ever been a file? false also where nobody can tell.
local function was_there(path)
    local info = io().stat(lock_of(path))
    return info and info.size > 0 or false
end

-- Reads the file into self.pins. Others must not be able to write it.
function Store:read()
    local text, info, err = io().read_file_info(self.path, { max = MAX })
    if not text then
        if err and err.code == "ENOTFOUND" then
            return fail("ESTATE", "the pin store " .. self.path .. " is gone: put it back, or remove " .. lock_of(self.path) .. " to start without any pin")
        end
        return nil, info, err
    end
    if math.floor((info.mode or 0) / 16) % 2 == 1 or math.floor((info.mode or 0) / 2) % 2 == 1 then
        return fail("EDENIED", "the pin store " .. self.path .. " can be written by others: chmod 600 it, and look at what it holds")
    end
    local ok, message, e = self.pins:load(text)
    if not ok then
        return nil, "the pin store " .. self.path .. " cannot be used and is left as it is: " .. message, e
    end
    -- A file changed within the clock's grain looks unchanged: such a one is read again next time.
    self.seen = info
    self.settled = info.mtime_ms + 2000 < os.time() * 1000
    return true
end

function Store:refresh()
    local info, message, err = look(self.path)
    if info == nil then return nil, message, err end
    if info and self.seen and self.settled and info.version == self.seen.version then return true end
    return self:read()
end

function Store:write()
    local text, message, err = self.pins:json()
    if not text then return nil, message, err end
    local ok
    local lock = lock_of(self.path)
    ok, message, err = io().write_file((io().realpath(self.path)) or self.path, text, 384) -- 0600
    if ok and not was_there(self.path) then ok, message, err = io().append_file(lock, "the pin store beside this was made\n", { sync = true }) end
    if not ok then return nil, message, err end
    self.seen, self.settled = io().stat(self.path), false
    return true
end

--- change(pins) under the lock, on what the file holds now; written when it changed something. Returns what change returned. When
-- writing fails the change is undone and nothing of it is returned.
function Store:update(change)
    local lock, message, err = io().lock(lock_of(self.path), self.timeout_ms)
    if not lock then return nil, message, err end
    local function done(...)
        lock:close()
        return ...
    end
    local ok
    ok, message, err = self:read()
    if not ok then return done(nil, message, err) end
    local before = self.pins:generation()
    local fine, result, second, third = pcall(change, self.pins)
    if not fine then
        lock:close() -- a mistake of the caller must not keep everybody else waiting
        error(result, 0)
    end
    if self.pins:generation() ~= before then
        ok, message, err = self:write()
        if not ok then
            self.seen = nil
            self:read()
            return done(nil, "nothing was pinned: " .. tostring(message), err)
        end
    end
    return done(result, second, third)
end

--- A check against the pins. Where the pair is known the check reads only; else it runs under the lock, and what it pins is on
-- disk before its result is returned.
function Store:run(check, tool_id, domain)
    if tool_id and domain then
        local ok, message, err = self:refresh()
        if not ok then return nil, message, err end
        if self.pins:find(tool_id, domain) then return check(self.pins) end
    end
    return self:update(check)
end

for _, name in ipairs{ "add", "remove", "set_policy", "answer" } do
    Store[name] = function(self, ...)
        local args, n = { ... }, select("#", ...)
        return self:update(function(pins) return pins[name](pins, compat.unpack(args, 1, n)) end)
    end
end
function Store:consider(o) return self:update(function(pins) return pins:consider(o) end) end
for _, name in ipairs{ "find", "list", "count", "policy", "json", "generation" } do
    Store[name] = function(self, ...)
        local ok, message, err = self:refresh()
        if not ok then return nil, message, err end
        return self.pins[name](self.pins, ...)
    end
end
function Store:close() self.pins:close() end

--- Opens a store. A missing file is made (create = false: is an error), unless its lock file says that it was there before.
function M.open(path, options)
    options = options or {}
    local pins, message, err = core.pins()
    if not pins then return nil, message, err end
    local self = setmetatable({ path = path, pins = pins, timeout_ms = options.timeout_ms or 10000 }, Store)
    local info
    info, message, err = look(path)
    if info == nil then return nil, message, err end
    if not info and not was_there(path) then
        if options.create == false then return fail("ENOTFOUND", "there is no pin store " .. path) end
        local lock
        lock, message, err = io().lock(lock_of(path), self.timeout_ms)
        if not lock then return nil, message, err end
        local ok = true
        if not look(path) and not was_there(path) then ok, message, err = self:write() end -- somebody may have been faster
        lock:close()
        if not ok then return nil, message, err end
    end
    local ok
    ok, message, err = self:read()
    if not ok then return nil, message, err end
    return self
end

--- Where pins are kept when nobody says where: $SYMBI_SCHEMAPIN_PINS, else ~/.symbiont/schemapin/pins.json.
function M.default_path()
    local path = os.getenv("SYMBI_SCHEMAPIN_PINS")
    if path and path ~= "" then return path end
    local home = os.getenv("HOME")
    return home and home ~= "" and home .. "/.symbiont/schemapin/pins.json" or nil
end

return M
