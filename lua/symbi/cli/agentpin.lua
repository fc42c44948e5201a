--- symbi-lua agentpin keygen|issue|verify|discovery|pin|revoke|bundle: AgentPin from a shell. Exit status: 0 fine, 1 refused or failed, 2 misuse.
-- A private key is written to a file of mode 0600 and never printed.
local M = {}

local usage = [[
usage: symbi-lua agentpin keygen --domain D [--kid K] [--output-dir DIR] [--format pem|jwk|both] [--json]
       symbi-lua agentpin issue --private-key FILE --kid K --issuer D --agent-id A --capabilities C,C [--audience D] [--ttl SECONDS]
                                [--constraints JSON|FILE] [--delegation-chain FILE] [--json]
       symbi-lua agentpin verify --credential JWT|FILE|- [--audience D] [--pin-store FILE] [--pin-policy tofu|rotate|strict]
                                [--discovery FILE [--revocation FILE] | --trust-bundle FILE | --discovery-dir DIR] [--offline]
                                [--verify-delegation] [--upstream-checks] [--skew SECONDS] [--max-ttl SECONDS] [--now SECONDS] [--json]
       symbi-lua agentpin discovery build --entity D [--type maker|deployer|both] --key FILE[=KID] ... [--agents FILE] [--depth N] [--output FILE]
       symbi-lua agentpin discovery validate FILE --entity D        symbi-lua agentpin discovery fetch D
       symbi-lua agentpin pin list|show D|add D --key FILE[=KID]|remove D [--hash H]   --pin-store FILE [--json]
       symbi-lua agentpin revoke --file FILE [--entity D] --credential J|--agent A|--key K --reason R
       symbi-lua agentpin bundle create --discovery FILE ... [--revocation FILE ...] --output FILE
       symbi-lua agentpin bundle check FILE [--strict] [--max-age SECONDS] [--previous FILE] [--json]

verify asks the issuer's own domain unless documents, a bundle or a folder are given, and tells every step. Reasons of a revocation:
key_compromise, affiliation_changed, superseded, cessation_of_operation, privilege_withdrawn, policy_violation.]]

local KNOWN = {
    keygen = { domain = "text", kid = "text", ["output-dir"] = "text", format = "text", json = "flag" },
    issue = {
        ["private-key"] = "text", kid = "text", issuer = "text", ["agent-id"] = "text", audience = "text", capabilities = "text", ttl = "number",
        constraints = "text", ["delegation-chain"] = "text", now = "number", json = "flag",
    },
    verify = {
        credential = "text", discovery = "text", revocation = "text", ["pin-store"] = "text", ["pin-policy"] = "text", audience = "text", offline = "flag",
        ["trust-bundle"] = "text", ["discovery-dir"] = "text", ["verify-delegation"] = "flag", ["upstream-checks"] = "flag", now = "number", skew = "number",
        ["max-ttl"] = "number", json = "flag",
    },
    discovery = { entity = "text", type = "text", key = "list", agents = "text", depth = "number", output = "text", json = "flag" },
    pin = { ["pin-store"] = "text", key = "list", hash = "text", json = "flag" },
    revoke = { file = "text", entity = "text", credential = "text", agent = "text", key = "text", reason = "text", now = "number", json = "flag" },
    bundle = { discovery = "list", revocation = "list", output = "text", strict = "flag", ["max-age"] = "number", previous = "text", json = "flag" },
}
local WORDS = { discovery = 2, pin = 2, bundle = 2 } -- how many words may follow the command
for command in pairs(WORDS) do KNOWN[command].rest = true end

local cli = require "symbi.cli.args"
local as_json = cli.json
local safe = cli.safe

local function misuse(...) return cli.misuse("agentpin", usage, string.format(...)) end

local function parse(args)
    local argv = {}
    for i, a in ipairs(args) do argv[i] = a == "-o" and "--output" or a end
    local o, command = cli.parse("agentpin", usage, KNOWN, argv)
    if not o then return nil, command end
    local words = o.rest
    if #words > (WORDS[command] or 0) then return nil, misuse("%s does not take '%s'", command, safe(words[#words], 60)) end
    o.rest = nil
    for name, kind in pairs(KNOWN[command]) do
        if kind == "number" and o[name] then o[name] = math.floor(o[name]) end
    end
    return o, command, words
end

local symbi, agentpin, symio

local function read(path, max)
    local text, message = symio.read_file(path, max or agentpin.limits.document)
    if text then return text end
    return nil, safe(message, 300)
end

local function read_json(path, max)
    local text, message = read(path, max)
    if not text then return nil, message end
    local value
    value, message = symbi.json.decode(text)
    if value == nil then return nil, safe(path, 200) .. ": " .. message end
    return value
end

local function pretty(value) return (assert(agentpin.document(value):json(true))) end

-- The file that a symbolic link names, else the path: what is served under another name must change with it.
local function target(path) return (symio.realpath(path)) or path end

local function output(path, text)
    if not path or path == "-" then
        print(text)
        return 0
    end
    local ok, message = symio.write_file(target(path), text .. "\n")
    if not ok then return nil, safe(message, 300) end
    return 0
end

local function need(o, ...)
    for _, name in ipairs { ... } do
        if o[name] == nil then return misuse("--%s is missing", name) end
    end
end

-- ---- keygen, issue --------------------------------------------------------------------------------------------------------

local commands = {}

function commands.keygen(o)
    local status = need(o, "domain")
    if status then return status end
    if not agentpin.domain_ok(o.domain) then return nil, "'" .. safe(o.domain, 80) .. "' is not a domain name (lower case, at least two labels)" end
    local format = o.format or "both"
    if format ~= "pem" and format ~= "jwk" and format ~= "both" then return misuse("--format is pem, jwk or both") end
    local kid = o.kid or (o.domain .. "-" .. os.date("!%Y") .. "-01")
    local keys, message = agentpin.generate_key_pair()
    if not keys then return nil, message end
    local files
    files, message = agentpin.save_key_pair(keys, o["output-dir"] or ".", kid, kid)
    if not files then return nil, safe(message, 300) end
    if format == "jwk" then
        symio.remove(files.public)
        files.public = nil
    elseif format == "pem" then
        symio.remove(files.jwk)
        files.jwk = nil
    end
    local id = agentpin.generate_key_id(keys.public_key_pem)
    if o.json then
        print(as_json { kid = kid, key_id = id, private = files.private, public = files.public, jwk = files.jwk })
        return 0
    end
    print("kid          " .. safe(kid, 128))
    print("key id       " .. id)
    print("private key  " .. safe(files.private) .. " (mode 0600)")
    if files.public then print("public key   " .. safe(files.public)) end
    if files.jwk then print("public JWK   " .. safe(files.jwk)) end
    return 0
end

-- JSON text, or the file that holds it.
local function json_or_file(text)
    if text:find("^%s*[%[{]") then
        local value, message = symbi.json.decode(text)
        if value == nil then return nil, message end
        return value
    end
    return read_json(text)
end

function commands.issue(o)
    local status = need(o, "private-key", "kid", "issuer", "agent-id", "capabilities")
    if status then return status end
    if o["private-key"]:find("-----BEGIN", 1, true) then return nil, "--private-key is the name of a file, not the key itself" end -- not quoted
    local info = symio.stat(o["private-key"])
    if info and (math.floor(info.mode / 32) % 2 == 1 or math.floor(info.mode / 4) % 2 == 1) then
        io.stderr:write("symbi-lua agentpin: ", safe(o["private-key"], 200), " may be read by others: chmod 600\n")
    end
    local pem, message = read(o["private-key"], 16384)
    if not pem then return nil, message end
    local capabilities = symbi.array {}
    for c in o.capabilities:gmatch("[^,]+") do capabilities[#capabilities + 1] = c:match("^%s*(.-)%s*$") end
    local constraints, chain
    if o.constraints then
        constraints, message = json_or_file(o.constraints)
        if constraints == nil then return nil, "--constraints: " .. message end
    end
    if o["delegation-chain"] then
        chain, message = read_json(o["delegation-chain"])
        if chain == nil then return nil, "--delegation-chain: " .. message end
    end
    local jwt
    jwt, message = agentpin.issue_credential {
        private_key_pem = pem, kid = o.kid, issuer = o.issuer, agent_id = o["agent-id"], audience = o.audience, capabilities = capabilities,
        constraints = constraints, delegation_chain = chain, ttl_secs = o.ttl or 3600, now = o.now,
    }
    if not jwt then return nil, safe(message, 300) end
    for _, c in ipairs(capabilities) do
        local ok, why = agentpin.validate_capability(c)
        if not ok then io.stderr:write("symbi-lua agentpin: ", safe(why, 200), "\n") end
    end
    -- said, not refused: a verifier may have other rules than ours
    if not agentpin.domain_ok(o.issuer) then io.stderr:write("symbi-lua agentpin: issuer ", safe(o.issuer, 200), " is not a domain name in its plain form: verifiers refuse it\n") end
    if (o.ttl or 3600) > 86400 then io.stderr:write("symbi-lua agentpin: a life of more than 86400 seconds: verifiers refuse it by default\n") end
    if o.json then print(as_json { credential = jwt }) else print(jwt) end
    return 0
end

-- ---- verify ---------------------------------------------------------------------------------------------------------------

local function credential(text)
    if text == "-" then return (io.read("*a") or ""):sub(1, agentpin.limits.token + 64):match("^%s*(.-)%s*$") end
    if text:find("^[%w_%-]+%.[%w_%-]+%.[%w_%-]*$") and #text > 100 then return text end
    local content, message = read(text, agentpin.limits.token + 64)
    if not content and #text > 100 and text:find("ey", 1, true) then return nil, "--credential is neither a credential in its whole form nor a file that can be read" end -- not quoted
    if not content then return nil, "--credential is neither a credential nor a file that can be read: " .. message end
    return content:match("^%s*(.-)%s*$")
end

local function show(result)
    if result.valid then
        print("valid        " .. safe(result.agent_id, 200) .. " of " .. safe(result.issuer, 200) .. (result.agent_name and " (" .. safe(result.agent_name, 128) .. ")" or ""))
        local list = {}
        for i, c in ipairs(result.capabilities) do list[i] = safe(c, 100) end
        print("may          " .. (#list > 0 and table.concat(list, ", ") or "nothing"))
        print("until        " .. os.date("!%Y-%m-%dT%H:%M:%SZ", tonumber(result.exp)))
        local pinning = result.key_pinning
        if pinning then print("key          " .. pinning.status .. ", first seen " .. tostring(pinning.first_seen)) end
        for _, w in ipairs(result.warnings) do print("warning      " .. safe(w, 200)) end
    else
        print("refused      " .. result.error_code .. ": " .. safe(result.error_message, 400) .. " (" .. result.reason .. ")")
    end
    for _, s in ipairs(result.steps) do print(string.format("  %2d %-13s %s", s.step, s.name, s.status:gsub("_", " "))) end
end

local function verify_options(o)
    local options = {
        audience = o.audience, now = o.now, clock_skew_secs = o.skew, max_ttl_secs = o["max-ttl"], pin_policy = o["pin-policy"],
        verify_delegation = o["verify-delegation"], checks = o["upstream-checks"] and "upstream" or nil,
    }
    if o["pin-policy"] and o["pin-policy"] ~= "tofu" and o["pin-policy"] ~= "rotate" and o["pin-policy"] ~= "strict" then
        return nil, misuse("--pin-policy is tofu, rotate or strict")
    end
    if o["pin-store"] then
        local store, message = agentpin.open_pin_store(o["pin-store"])
        if not store then return nil, nil, safe(message, 400) end
        options.pin_store = store
    end
    return options
end

local function run_verify(o, jwt, options)
    local message
    if o["trust-bundle"] then
        local bundle
        bundle, message = agentpin.load_trust_bundle(o["trust-bundle"])
        if not bundle then return nil, safe(message, 300) end
        return agentpin.verify_credential_with_bundle(jwt, bundle, options)
    elseif o.discovery then
        local discovery, revocation
        discovery, message = read_json(o.discovery)
        if discovery == nil then return nil, message end
        if o.revocation then
            revocation, message = read_json(o.revocation)
            if revocation == nil then return nil, message end
        end
        return agentpin.verify_credential_offline(jwt, discovery, revocation, options)
    elseif o["discovery-dir"] then
        return agentpin.verify_credential_with_resolver(jwt, agentpin.resolver.files(o["discovery-dir"]), options)
    end
    return agentpin.verify_credential(jwt, options)
end

function commands.verify(o)
    local status = need(o, "credential")
    if status then return status end
    local sources = (o.discovery and 1 or 0) + (o["trust-bundle"] and 1 or 0) + (o["discovery-dir"] and 1 or 0)
    if sources > 1 then return misuse("--discovery, --trust-bundle and --discovery-dir exclude each other") end
    if sources == 0 and o.offline then return misuse("--offline needs --discovery, --trust-bundle or --discovery-dir") end
    if o.revocation and not o.discovery then return misuse("--revocation goes with --discovery") end
    local jwt, message = credential(o.credential)
    if not jwt then return nil, message end
    local options, bad
    options, bad, message = verify_options(o)
    if not options then
        if bad then return bad end
        return nil, message
    end
    local result
    result, message = run_verify(o, jwt, options)
    if not result then return nil, safe(message, 400) end
    if o.json then
        local t = result:to_table()
        for _, name in ipairs { "agent_id", "issuer", "capabilities", "constraints", "delegation_verified", "delegation_chain", "key_pinning", "error_code", "error_message" } do
            if t[name] == nil then t[name] = symbi.null end
        end
        print(as_json(t))
    else
        show(result)
    end
    return result.valid and 0 or 1
end

-- ---- discovery ------------------------------------------------------------------------------------------------------------

-- FILE or FILE=KID; PEM or a JWK.
local function load_jwk(text, kid)
    local path, given = text:match("^(.*)=([^=/]+)$")
    path, kid = path or text, given or kid
    local content, message = read(path, 16384)
    if not content then return nil, message end
    if content:find("PRIVATE KEY", 1, true) then return nil, safe(path, 200) .. " is a private key: give the public one" end
    if content:find("^%s*{") then
        local jwk
        jwk, message = symbi.json.decode(content)
        if not jwk then return nil, safe(path, 200) .. ": " .. message end
        local pem
        pem, message = agentpin.jwk_to_pem(jwk)
        if not pem then return nil, safe(path, 200) .. ": " .. message end
        return agentpin.pem_to_jwk(pem, kid or (type(jwk.kid) == "string" and jwk.kid) or agentpin.generate_key_id(pem))
    end
    local id
    id, message = agentpin.generate_key_id(content)
    if not id then return nil, safe(path, 200) .. ": " .. message end
    local name = path:match("([^/]+)%.public%.pem$")
    return agentpin.pem_to_jwk(content, kid or name or id)
end

function commands.discovery(o, words)
    local message
    if words[1] == "build" then
        local status = need(o, "entity", "key")
        if status then return status end
        local keys, agents = symbi.array {}, symbi.array {}
        for i, k in ipairs(o.key) do
            keys[i], message = load_jwk(k)
            if not keys[i] then return nil, message end
        end
        if o.agents then
            agents, message = read_json(o.agents)
            if agents == nil then return nil, message end
        end
        local doc
        doc, message = agentpin.build_discovery_document { entity = o.entity, entity_type = o.type or "both", public_keys = keys, agents = agents, max_delegation_depth = o.depth or 0 }
        if not doc then return nil, message end
        return output(o.output, pretty(doc))
    elseif words[1] == "validate" and words[2] then
        local status = need(o, "entity")
        if status then return status end
        local doc
        doc, message = read_json(words[2])
        if doc == nil then return nil, message end
        local ok, why, err = agentpin.validate_discovery_document(doc, o.entity)
        if o.json then print(as_json { valid = ok == true, code = err and err.code, message = why }) else print(ok and "valid" or safe(err.code .. ": " .. why, 400)) end
        return ok and 0 or 1
    elseif words[1] == "fetch" and words[2] then
        local doc
        doc, message = agentpin.fetch_discovery_document(words[2])
        if not doc then return nil, safe(message, 400) end
        return output(o.output, pretty(doc))
    end
    return misuse("discovery build, validate FILE or fetch DOMAIN")
end

-- ---- pins -----------------------------------------------------------------------------------------------------------------

function commands.pin(o, words)
    local status = need(o, "pin-store")
    if status then return status end
    local verb, domain = words[1], words[2]
    if not (verb == "list" and not domain) and not ((verb == "show" or verb == "add" or verb == "remove") and domain) then return misuse("pin list, show D, add D or remove D") end
    local store, message = agentpin.open_pin_store(o["pin-store"], { must_exist = verb ~= "add" })
    if not store then return nil, safe(message, 400) end
    if verb == "list" or verb == "show" then
        local list
        if verb == "list" then list = store:list() else list = { store:get_domain(domain) } end
        if verb == "show" and #list == 0 then return nil, "nothing is pinned for " .. safe(domain, 100) end
        if o.json then
            print(as_json(symbi.array(list)))
            return 0
        end
        for _, d in ipairs(list) do
            for _, k in ipairs(d.pinned_keys) do
                print(string.format("%s  %s  %s  first %s  last %s  %s", safe(d.domain, 253), safe(k.public_key_hash, 64), safe(k.trust_level), safe(k.first_seen), safe(k.last_seen), safe(k.kid, 128)))
            end
        end
        return 0
    end
    local ok
    if verb == "add" then
        if not o.key or #o.key ~= 1 then return misuse("pin add needs one --key") end
        if not agentpin.domain_ok(domain) then return nil, "'" .. safe(domain, 80) .. "' is not a domain name" end
        local jwk
        jwk, message = load_jwk(o.key[1])
        if not jwk then return nil, message end
        ok, message = store:add_key(domain, jwk)
    else
        ok, message = store:remove(domain, o.hash)
    end
    if not ok then return nil, safe(message, 300) end
    ok, message = store:save()
    if not ok then return nil, safe(message, 300) end
    if o.json then print(as_json { ok = true, domain = domain }) else print((verb == "add" and "pinned " or "forgotten ") .. safe(domain, 253)) end
    return 0
end

-- ---- revoke ---------------------------------------------------------------------------------------------------------------

function commands.revoke(o)
    local status = need(o, "file", "reason")
    if status then return status end
    local what, id
    for _, kind in ipairs { "credential", "agent", "key" } do
        if o[kind] then
            if what then return misuse("one of --credential, --agent and --key") end
            what, id = kind, o[kind]
        end
    end
    if not what then return misuse("--credential, --agent or --key is missing") end
    local file = target(o.file)
    local lock, message = symio.lock(file .. ".lock")
    if not lock then return nil, safe(message, 300) end
    local function change()
        local doc, why
        if symio.stat(o.file) then
            doc, why = read_json(o.file)
            if doc == nil then return nil, why end
            if o.entity and doc.entity ~= o.entity then return nil, safe(o.file, 200) .. " is about " .. safe(doc.entity, 100) .. ", not about " .. safe(o.entity, 100) end
        else
            if not o.entity then return misuse("--entity is missing: %s does not exist yet", safe(o.file, 200)) end
            doc, why = agentpin.build_revocation_document(o.entity, o.now)
            if not doc then return nil, why end
        end
        doc, why = agentpin["add_revoked_" .. what](doc, id, o.reason, o.now)
        if not doc then return nil, safe(why, 300) end
        local ok
        ok, why = symio.write_file(file, pretty(doc) .. "\n")
        if not ok then return nil, safe(why, 300) end
        if o.json then print(as_json { ok = true, revoked = what, id = id }) else print("revoked " .. what .. " " .. safe(id, 200)) end
        return 0
    end
    local a, b = change()
    lock:close()
    return a, b
end

-- ---- bundle ---------------------------------------------------------------------------------------------------------------

function commands.bundle(o, words)
    local message
    if words[1] == "create" then
        local status = need(o, "discovery", "output")
        if status then return status end
        local documents, revocations = symbi.array {}, symbi.array {}
        for i, path in ipairs(o.discovery) do
            documents[i], message = read_json(path)
            if documents[i] == nil then return nil, message end
        end
        for i, path in ipairs(o.revocation or {}) do
            revocations[i], message = read_json(path)
            if revocations[i] == nil then return nil, message end
        end
        local bundle
        bundle, message = agentpin.build_trust_bundle(documents, revocations)
        if not bundle then return nil, message end
        local ok
        ok, message = agentpin.check_trust_bundle(bundle, { strict = true })
        if not ok then return nil, safe(message, 400) end
        return output(o.output, pretty(bundle))
    elseif words[1] == "check" and words[2] then
        local previous
        if o.previous then
            previous, message = agentpin.load_trust_bundle(o.previous)
            if not previous then return nil, safe(message, 300) end
        end
        local bundle, why, err = agentpin.load_trust_bundle(words[2], { strict = o.strict, max_age_secs = o["max-age"], previous = previous })
        if o.json then
            print(as_json { valid = bundle ~= nil, code = not bundle and err and err.code or nil, message = why, documents = bundle and #bundle.documents or nil })
        else
            print(bundle and "fine: " .. #bundle.documents .. " documents of " .. safe(bundle.created_at, 40) or safe((err and err.code or "?") .. ": " .. tostring(why), 400))
        end
        return bundle and 0 or 1
    end
    return misuse("bundle create or check FILE")
end

function M.main(args)
    local o, command, words = parse(args)
    if not o then return command end
    symbi = require "symbi"
    agentpin = symbi.agentpin
    symio = require "symbi.io"
    return commands[command](o, words)
end

return M
