--- Signed manifests: what [signing] of toolclad.toml, or a caller, asks for is held when a folder is loaded and when it changes.
local symbi = require "symbi"
local helper = require "tests.spec.helper.files"
local schemapin, toolclad = symbi.schemapin, symbi.toolclad
local tmpdir, write = helper.tmpdir, helper.write

local function manifest(name, word) return '[tool]\nname = "' .. name .. '"\nversion = "1"\ndescription = "d"\n[command]\nexec = ["echo", "' .. (word or "x") .. '"]\n[output]\nformat = "text"\n[output.schema]\ntype = "object"\n' end

describe("signed manifests", function()
    local keys, others = schemapin.generate_keypair(), schemapin.generate_keypair()
    local document = symbi.json.encode(schemapin.create_well_known_response(keys.public_key_pem, { developer_name = "Example" }))
    local root, dir

    before_each(function()
        root = tmpdir()
        dir = root .. "/tools"
        assert(symbi.io.mkdir(dir))
        write(root .. "/key.json", document)
        write(dir .. "/a.clad.toml", manifest "a")
        assert(schemapin.sign_file(dir .. "/a.clad.toml", keys.private_key_pem, { domain = "example.com" }))
        write(dir .. "/b.clad.toml", manifest "b")
    end)
    after_each(function() os.execute("rm -rf " .. root) end)

    local function settings(mode) write(root .. "/toolclad.toml", '[signing]\ndomain = "example.com"\ndiscovery = "key.json"\n' .. (mode and 'mode = "' .. mode .. '"\n' or "")) end
    local function names(set) return table.concat(set:names(), " ") end

    it("load where they are asked for, and nothing else does", function()
        settings()
        local none, message, err = toolclad.dir(dir)
        assert.is_nil(none)
        assert.matches("b%.clad%.toml: it is not signed", message)
        assert.equal(1, #err.files)
        local set = assert(toolclad.dir(dir, { partial = true }))
        assert.equal("a", names(set))
        assert(schemapin.sign_file(dir .. "/b.clad.toml", others.private_key_pem, { domain = "example.com" }))
        assert.equal("a", names(assert(toolclad.dir(dir, { partial = true })))) -- another's key
        assert(schemapin.sign_file(dir .. "/b.clad.toml", keys.private_key_pem, { domain = "example.org" }))
        assert.equal("a", names(assert(toolclad.dir(dir, { partial = true })))) -- another's domain
        assert(schemapin.sign_file(dir .. "/b.clad.toml", keys.private_key_pem, { domain = "example.com", expires_in = 1, now = os.time() - 60 }))
        assert.equal("a", names(assert(toolclad.dir(dir, { partial = true })))) -- of yesterday
        assert(schemapin.sign_file(dir .. "/b.clad.toml", keys.private_key_pem, { domain = "example.com" }))
        assert.equal("a b", names(assert(toolclad.dir(dir))))
        write(dir .. "/b.clad.toml", manifest("b", "y")) -- signed, then changed
        assert.equal("a", names(assert(toolclad.dir(dir, { partial = true }))))
        os.execute("cp " .. dir .. "/a.clad.toml.sig " .. dir .. "/b.clad.toml.sig")
        assert.equal("a", names(assert(toolclad.dir(dir, { partial = true })))) -- another file's
    end)

    it("are only warned about, or not looked at, where that is asked for", function()
        settings "warn"
        local set, problems = toolclad.dir(dir)
        assert.equal("a b", names(set))
        assert.equal(1, #problems)
        assert.matches("b%.clad%.toml: it is not signed", problems[1].message)
        settings "off"
        set, problems = toolclad.dir(dir)
        assert.equal("a b", names(set))
        assert.same({}, problems)
        settings()
        assert.equal("a b", names(assert(toolclad.dir(dir, { signing = false }))))
        os.remove(root .. "/toolclad.toml")
        assert.is_nil(toolclad.dir(dir, { signing = { domain = "example.com", discovery = document } }))
        assert.equal("a", names(assert(toolclad.dir(dir, { partial = true, signing = { domain = "example.com", discovery = document, pins = schemapin.pins() } }))))
        assert.has_error(function() toolclad.dir(dir, { signing = { domain = "example.com", mode = "on" } }) end)
        assert.has_error(function() toolclad.dir(dir, { signing = {} }) end)
        assert.has_error(function() toolclad.dir(dir, { signing = { domain = "d", keys = 1 } }) end)
    end)

    it("are refused, all of them, when what is asked for cannot be read", function()
        for _, text in ipairs { '[signing]\ndomain = "example.com"\n', '[signing]\ndiscovery = "key.json"\n', '[signing]\ndomain = "example.com"\ndiscovery = "none.json"\n', '[signing]\nmode = "maybe"\n',
            '[signing]\ndomain = "example.com"\nkey = "key.json"\n', "signing = 7\n", "[signing\n", '[signing]\ndomain = 7\n', '[signing]\ndomain = "example.com"\ndiscovery = "toolclad.toml"\n' } do
            write(root .. "/toolclad.toml", text)
            local set = assert(toolclad.dir(dir, { partial = true }))
            assert.equal("", names(set), text)
        end
    end)

    it("are looked at again when a folder changes; what was good stays, unless nobody asked for signatures then", function()
        settings()
        local folder = assert(toolclad.follow(dir))
        assert.equal("a", names(folder:set()))
        assert.equal(1, #folder:status().problems)
        assert(schemapin.sign_file(dir .. "/b.clad.toml", keys.private_key_pem, { domain = "example.com" }))
        assert.same({ "b" }, folder:refresh().added) -- only the signature is new
        write(dir .. "/a.clad.toml", manifest("a", "evil"))
        local report = folder:refresh()
        assert.equal(1, #report.errors)
        assert.equal("echo x", select(2, folder:set():find "a":command {}))
        assert(schemapin.sign_file(dir .. "/a.clad.toml", keys.private_key_pem, { domain = "example.com" }))
        folder:refresh()
        assert.equal("echo evil", select(2, folder:set():find "a":command {}))
        folder:close()

        settings "off"
        write(dir .. "/b.clad.toml", manifest("b", "unsigned"))
        folder = assert(toolclad.follow(dir))
        assert.equal("a b", names(folder:set()))
        settings()
        assert.same({ "b" }, folder:refresh().removed)
        write(root .. "/toolclad.toml", "[signing\n") -- breaks: what was in force stays
        folder:refresh()
        assert.equal("a", names(folder:set()))
        folder:close()
    end)
end)
