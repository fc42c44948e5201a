--- symbi.schemapin.pinning: SchemaPin's KeyPinning: keys pinned after asking a person, or by a policy. What is asked and what an answer
-- does is decided in C; here the question goes to a handler.
--   p = pinning.new{mode="automatic"|"interactive"|"strict", pins=, handler=function(prompt) ... end}
-- Pins are kept by tool and domain, not by tool alone as elsewhere. Answers: accept, reject, always_trust, never_trust, temporary_accept;
-- anything else is reject. prompt = {prompt_type=, tool_id=, domain=, current_key=, new_key=, developer_info=, security_warning=}.
local symbi = require "symbi"
local core = require("symbi.core").schemapin

local M = {}
local Pinning = {}
Pinning.__index = Pinning

local ANSWERS = { accept = true, reject = true, always_trust = true, never_trust = true, temporary_accept = true }
local WARNING = {
    first_time_key = "This tool's key is not known yet: accept it only if you expect this tool from this domain",
    key_change = "The key of this tool CHANGED since it was pinned: a rotation that was announced, or an attack",
    revoked_key = "The key of this tool is REVOKED by its owner",
}

local function pin_of(tool_id, pem, domain, developer)
    local fingerprint, message, err = core.fingerprint(pem)
    if not fingerprint then return nil, message, err end
    return { tool_id = tool_id, domain = domain, fingerprint = fingerprint, developer_name = developer, public_key_pem = pem }
end

function Pinning:now() return self.clock and self.clock() or os.time() end

--- true when pinned; false when the tool already has a key there.
function Pinning:pin_key(tool_id, pem, domain, developer)
    local pin, message, err = pin_of(tool_id, pem, domain, developer)
    if not pin then return nil, message, err end
    if self.pins:find(tool_id, domain) then return false end
    pin.now = self:now()
    local ok
    ok, message, err = self.pins:add(pin)
    if ok then return true end
    if err.code == "EEXISTS" then return false end
    return nil, message, err
end

local function entry(self, tool_id, domain)
    if domain then return self.pins:find(tool_id, domain) end
    for _, p in ipairs(self.pins:list()) do
        if p.tool_id == tool_id then return p end
    end
    return nil
end

--- The pinned key (PEM), of the first domain when none is named.
function Pinning:get_pinned_key(tool_id, domain)
    local p = entry(self, tool_id, domain)
    return p and (p.public_key_pem or p.fingerprint) or nil
end

function Pinning:is_key_pinned(tool_id, domain) return entry(self, tool_id, domain) ~= nil end

function Pinning:get_key_info(tool_id, domain)
    local p = entry(self, tool_id, domain)
    if not p then return nil end
    return { tool_id = p.tool_id, domain = p.domain, fingerprint = p.fingerprint, developer_name = p.developer_name, pinned_at = p.first_seen, last_verified = p.last_seen, public_key_pem = p.public_key_pem }
end

function Pinning:remove_pinned_key(tool_id, domain)
    if domain then return self.pins:remove(tool_id, domain) end
    local removed = false
    for _, p in ipairs(self.pins:list()) do
        if p.tool_id == tool_id and self.pins:remove(tool_id, p.domain) then removed = true end
    end
    return removed
end

function Pinning:list_pinned_keys()
    local out = symbi.array{}
    for i, p in ipairs(self.pins:list()) do out[i] = self:get_key_info(p.tool_id, p.domain) end
    return out
end

--- The time of the last check is now.
function Pinning:update_last_verified(tool_id, domain)
    local p = entry(self, tool_id, domain)
    if not p then return false end
    return self.pins:add{ tool_id = p.tool_id, domain = p.domain, fingerprint = p.fingerprint, now = self:now() }
end

function Pinning:export_pinned_keys() return symbi.json.encode(self:list_pinned_keys()) end

--- How many were taken over; 0 for a text that is no list of keys. overwrite: also where another key is pinned.
function Pinning:import_pinned_keys(text, overwrite)
    local list = symbi.json.decode(text)
    if type(list) ~= "table" then return 0 end
    local n = 0
    for _, e in ipairs(list) do
        if type(e) == "table" and type(e.tool_id) == "string" and type(e.domain) == "string" and type(e.public_key_pem) == "string" then
            local developer = type(e.developer_name) == "string" and e.developer_name or nil
            local pin = pin_of(e.tool_id, e.public_key_pem, e.domain, developer)
            if pin and (overwrite or not self.pins:find(e.tool_id, e.domain)) then
                pin.now, pin.replace = self:now(), overwrite and true or false
                if self.pins:add(pin) then n = n + 1 end
            end
        end
    end
    return n
end

function Pinning:set_domain_policy(domain, policy) return self.pins:set_policy(domain, policy) end
function Pinning:get_domain_policy(domain) return self.pins:policy(domain) end

--- May this key be used for this tool? Pins it when the mode, the policy or the person says so. options: developer, force_prompt,
-- revoked = true when the key stands on a list.
function Pinning:interactive_pin_key(tool_id, pem, domain, options)
    options = options or {}
    local pin, message, err = pin_of(tool_id, pem, domain, options.developer)
    if not pin then return nil, message, err end
    pin.mode, pin.force, pin.can_ask, pin.revoked, pin.now = self.mode, options.force_prompt or false, self.handler ~= nil, options.revoked or false, self:now()
    local accepted, prompt
    accepted, prompt, err = self.pins:consider(pin)
    if accepted == nil then return nil, prompt, err end
    if not prompt then return accepted end
    local known = self.pins:find(tool_id, domain)
    local function about(p, pem_of) return { fingerprint = p.fingerprint, domain = p.domain, developer_name = p.developer_name, pinned_at = p.first_seen, last_verified = p.last_seen, public_key_pem = pem_of, is_revoked = options.revoked or false } end
    local answer = self.handler{
        prompt_type = prompt, tool_id = tool_id, domain = domain, security_warning = WARNING[prompt],
        current_key = known and about(known, known.public_key_pem) or nil, new_key = about(pin, pem),
        developer_info = { developer_name = options.developer },
    }
    pin.mode, pin.force, pin.can_ask, pin.revoked = nil, nil, nil, nil
    pin.prompt, pin.answer = prompt, ANSWERS[answer] and answer or "reject"
    return self.pins:answer(pin)
end

--- A handler that asks on the terminal: a accept, r reject, t always trust, n never trust, o once; anything unclear rejects.
function M.console_handler(input, output)
    input, output = input or io.stdin, output or io.stderr
    local keys = { a = "accept", r = "reject", t = "always_trust", n = "never_trust", o = "temporary_accept" }
    local function clean(s) return (tostring(s or "-"):gsub("[%z\1-\31\127]", "?")) end
    return function(prompt)
        output:write(prompt.security_warning, "\n  tool ", clean(prompt.tool_id), "\n  domain ", clean(prompt.domain), "\n  key ", clean(prompt.new_key.fingerprint), "\n")
        if prompt.current_key then output:write("  pinned ", clean(prompt.current_key.fingerprint), "\n") end
        local revoked = prompt.prompt_type == "revoked_key"
        output:write(revoked and "[r]eject, [n]ever trust this domain: " or "[a]ccept, [r]eject, always [t]rust, [n]ever trust, [o]nce: ")
        local answer = keys[(input:read("*l") or ""):lower():match("^%s*(%a)%s*$") or ""] or "reject"
        if revoked and answer ~= "never_trust" then answer = "reject" end
        return answer
    end
end

function M.new(options)
    options = options or {}
    local mode = options.mode or "automatic"
    if mode ~= "automatic" and mode ~= "interactive" and mode ~= "strict" then error("mode: automatic, interactive or strict is expected", 2) end
    local pins, message, err = options.pins
    if pins == nil then
        pins, message, err = core.pins()
        if not pins then return nil, message, err end
    end
    return setmetatable({ pins = pins, mode = mode, handler = options.handler, clock = options.clock }, Pinning)
end

return M
