--- symbi.toolclad: manifests as text, tables, files and folders; arguments, dry runs, schemas, envelopes.
local symbi = require "symbi"
local toolclad = symbi.toolclad

local WC = [[
[tool]
name = "wc"
version = "1.0.0"
description = "Counts lines"
risk_tier = "low"
timeout_seconds = 5

[args.path]
position = 1
required = true
type = "path"
description = "File to count"

[args.mode]
position = 2
type = "enum"
allowed = ["lines", "words"]
default = "lines"

[command]
exec = ["wc", "{_mode_flags}", "--", "{path}"]
[command.mappings.mode]
lines = "-l"
words = "-w"

[output]
format = "text"
[output.schema]
type = "object"
]]

local helper = require "tests.spec.helper.files"
local tmpdir, write = helper.tmpdir, helper.write

describe("symbi.toolclad", function()
    it("tells what a manifest says", function()
        local t = assert(toolclad.parse(WC, "tools/wc.clad.toml"))
        local info = t:info()
        assert.equal("wc", info.name)
        assert.equal("Counts lines", info.description)
        assert.equal("shell", info.backend)
        assert.equal("low", info.risk_tier)
        assert.equal(5000, info.timeout_ms)
        assert.equal(2, info.arg_count)
        assert.is_false(info.human_approval)
        assert.equal("tools/wc.clad.toml", info.source_path)
        assert.equal(64, #info.sha256)
        assert.same({}, info.warnings)
        assert.equal("symbi.tool wc", tostring(t))
    end)

    it("validates arguments and fills in defaults", function()
        local t = assert(toolclad.parse(WC))
        assert.same({ path = "a/b.txt", mode = "lines" }, assert(t:validate { path = "a/b.txt" }))
        for _, bad in ipairs { {}, { path = "../x" }, { path = "/etc/passwd" }, { path = "a;b" }, { path = "a", mode = "chars" }, { path = "a", pth = "b" }, { path = { 1 } } } do
            local args, message, err = t:validate(bad)
            assert.is_nil(args)
            assert.equal("ESCHEMA", err.code)
            assert.is_string(message)
        end
        local _, message, err = t:validate { pth = "a" }
        assert.matches("did you mean 'path'", message)
        assert.equal("pth", err.path)
        _, message, err = t:validate {}
        assert.matches("Missing required argument: path", message)
        assert.equal("path", err.path)
        assert.is_nil((t:validate(nil)))
        assert.is_nil((t:validate { path = "a\0b" }))
        assert.is_nil((t:validate { path = "a\255b" }))
    end)

    it("gives the same canonical values whatever the type that came in", function()
        local t = assert(toolclad.declare { tool = { name = "t", dispatch = "callback" },
            args = { i = { type = "integer", min = 1, max = 10, clamp = true }, b = { type = "boolean" }, n = { type = "number" }, s = {}, p = { type = "port" } } })
        assert.same({ i = 10, b = true, n = 0.5, s = "7", p = 80 }, assert(t:validate { i = "99", b = "TRUE", n = ".5", s = 7, p = "80" }))
        assert.same({ i = 1, b = false, n = 2 }, assert(t:validate { i = -5, b = false, n = "2.0" }))
        assert.same({}, assert(t:validate { i = symbi.null }))
        for _, bad in ipairs { { i = "1.0" }, { i = "" }, { b = "yes" }, { n = "nan" }, { n = "1e999" }, { p = 0 }, { p = 65536 }, { s = "a`b" } } do
            assert.is_nil((t:validate(bad)))
        end
    end)

    it("shows the command of a dry run", function()
        local t = assert(toolclad.parse(WC))
        local argv, text = t:command { path = "a b.txt", mode = "words" }
        assert.same({ "wc", "-w", "--", "a b.txt" }, argv)
        assert.equal("wc -w -- a b.txt", text)
        assert.same({ "wc", "-l", "--", "-rf" }, (t:command { path = "-rf" }))
    end)

    it("does not let a value become an option", function()
        local m = WC:gsub('"%-%-", ', "")
        local t = assert(toolclad.parse(m))
        local argv, message, err = t:command { path = "-rf" }
        assert.is_nil(argv)
        assert.equal("EDENIED", err.code)
        assert.matches("allow_options", message)
        assert.same({ "wc", "-l", "-rf" }, (t:command({ path = "-rf" }, { allow_options = true })))
        t = assert(toolclad.parse((m:gsub('description = "File', 'allow_options = true\n%0'))))
        assert.same({ "wc", "-l", "-rf" }, (t:command { path = "-rf" }))
    end)

    it("plans without an order", function()
        local t = assert(toolclad.parse(WC))
        local plan = assert(t:plan({ path = "x" }, { scan_id = "s-1", project_dir = "/p", env = { "PATH=/bin", "HOME=/h", "AWS_SECRET=1", "LC_ALL=C" } }))
        assert.equal("shell", plan.kind)
        assert.same({ "PATH=/bin", "HOME=/h", "LC_ALL=C" }, plan.env)
        assert.equal("s-1", plan.scan_id)
        assert.equal("/p", plan.cwd)
        assert.equal(5000, plan.timeout_ms)
        assert.same({ path = "x", mode = "lines" }, plan.arguments)
        local again = assert(t:plan({ path = "x" }, { scan_id = "s-1", project_dir = "/p", env = { "PATH=/bin", "HOME=/h", "LC_ALL=C" } }))
        assert.equal(plan.digest, again.digest)
        assert.not_equal(plan.digest, assert(t:plan({ path = "y" }, { scan_id = "s-1", project_dir = "/p" })).digest)
        assert.is_nil((t:plan({ path = "x" }, { scan_id = "../x" })))
    end)

    it("makes the schema that models get", function()
        local s = assert(assert(toolclad.parse(WC)):schema())
        assert.equal("wc", s.name)
        assert.same({ "path" }, s.inputSchema.required)
        assert.same({ "lines", "words" }, s.inputSchema.properties.mode.enum)
        assert.is_false(s.inputSchema.additionalProperties)
        assert.is_table(s.outputSchema.properties.results)
        local c = assert(toolclad.declare { tool = { name = "c", dispatch = "callback" } })
        assert.is_nil(assert(c:schema()).outputSchema)
    end)

    it("makes the envelope of a run", function()
        local t = assert(toolclad.parse((WC:gsub('"text"', '"json"'))))
        local plan = assert(t:plan { path = "x" })
        local e = assert(t:envelope(plan, { stdout = '{"n":1,"n":2}', exit_code = 0, started_ms = 1000, duration_ms = 5 }))
        assert.equal("success", e.status)
        assert.same({ n = 2 }, e.results)
        assert.equal("1970-01-01T00:00:01.000Z", e.timestamp)
        e = assert(t:envelope(plan, { stdout = "oops", exit_code = 0 }))
        assert.equal("oops", e.results.raw_output)
        assert.is_string(e.parse_error)
        e = assert(t:envelope(plan, { stderr = "bad\n", exit_code = 3 }))
        assert.equal("error", e.status)
        assert.equal("bad", e.error)
        assert.equal(3, e.exit_code)
        e = assert(t:envelope(plan, { exit_code = -1, timed_out = true }))
        assert.equal("timeout", e.status)
        e = assert(t:envelope(plan, { exit_code = -1, start_errno = 2 }))
        assert.equal("error", e.status)
        assert.matches("No such file", e.stderr)
    end)

    it("names file, line and key of what is wrong", function()
        local t, message, err = toolclad.parse(WC:gsub('"path"\n', '"pth"\n'), "tools/wc.clad.toml")
        assert.is_nil(t)
        assert.equal("ESCHEMA", err.code)
        assert.equal(11, err.line)
        assert.equal("tools/wc.clad.toml", err.path)
        assert.matches("args%.path%.type", message)
        assert.matches("did you mean 'path'", message)
    end)

    it("uses custom types", function()
        local types = assert(toolclad.types '[types.rate]\nbase = "integer"\nmin = 1\nmax = 10\n[types.bad]\nbase = "nope"')
        assert.equal(1, types:count())
        assert.equal(1, #types:problems())
        local t = assert(toolclad.parse('[tool]\nname = "t"\ndispatch = "callback"\n[args.r]\ntype = "rate"', { types = types, source = "x" }))
        types:close()
        assert.same({ r = 10 }, assert(t:validate { r = 10 }))
        assert.is_nil((t:validate { r = 11 }))
        local _, message = toolclad.parse '[tool]\nname = "t"\ndispatch = "callback"\n[args.r]\ntype = "rate"'
        assert.matches("unknown type", message)
    end)

    it("keeps tools of one name apart in a set", function()
        local a = assert(toolclad.parse(WC, "a"))
        local set = assert(toolclad.toolset { a, { manifest = { tool = { name = "lua", dispatch = "callback" } } } })
        assert.equal(2, set:count())
        assert.same({ "wc", "lua" }, set:names())
        assert.equal("callback", set:find("lua"):info().backend)
        assert.is_nil(set:find("WC"))
        local none, message, err = toolclad.toolset { a, assert(toolclad.parse(WC, "b")) }
        assert.is_nil(none)
        assert.equal("EEXISTS", err.code)
        assert.matches("'wc' stands twice", message)
        assert.error(function() toolclad.toolset { 5 } end)
        set:close()
        set:close()
        assert.error(function() set:count() end)
        a:close()
        assert.error(function() a:info() end)
    end)

    it("writes policies that the gate understands", function()
        local t = assert(toolclad.parse((WC:gsub('"low"', '"high"'))))
        local text = assert(t:cedar())
        assert.matches('Action::"tool_call::wc"', text)
        assert.matches("has_human_approval", text)
        assert.equal("", t:cedar "upstream")
    end)
end)

describe("symbi.toolclad.load and dir", function()
    local dir
    before_each(function() dir = tmpdir() end)
    after_each(function() os.execute("rm -r '" .. dir .. "'") end)

    it("reads one file", function()
        write(dir .. "/wc.clad.toml", WC)
        assert.equal("wc", assert(toolclad.load(dir .. "/wc.clad.toml")):info().name)
        local t, message = toolclad.load(dir .. "/nothing.clad.toml")
        assert.is_nil(t)
        assert.matches("nothing", message)
    end)

    it("reads a folder in order of name, whole or not at all", function()
        write(dir .. "/b.clad.toml", WC)
        write(dir .. "/a.clad.toml", (WC:gsub('"wc"', '"aa"', 1)))
        write(dir .. "/readme.txt", "no tool")
        local set = assert(toolclad.dir(dir))
        assert.same({ "aa", "wc" }, set:names())
        write(dir .. "/c.clad.toml", "[tool")
        write(dir .. "/d.clad.toml", WC)
        local none, message, err = toolclad.dir(dir)
        assert.is_nil(none)
        assert.matches("c%.clad%.toml:1", message)
        assert.matches("d%.clad%.toml", message)
        assert.equal(2, #err.files)
        local part, files = toolclad.dir(dir, { partial = true })
        assert.same({ "aa", "wc" }, part:names())
        assert.equal(2, #files)
        assert.is_nil((toolclad.dir(dir .. "/none")))
    end)

    it("takes custom types from toolclad.toml beside the folder", function()
        assert(symbi.io.mkdir(dir .. "/tools"))
        write(dir .. "/toolclad.toml", '[types.rate]\nbase = "integer"\nmax = 3\n')
        write(dir .. "/tools/r.clad.toml", '[tool]\nname = "r"\ndispatch = "callback"\n[args.n]\ntype = "rate"\n')
        local set = assert(toolclad.dir(dir .. "/tools"))
        assert.is_nil((set:find("r"):validate { n = 4 }))
        write(dir .. "/toolclad.toml", "[types.rate]\nmax = 3\n")
        local none, message = toolclad.dir(dir .. "/tools")
        assert.is_nil(none)
        assert.matches("base is missing", message)
    end)
end)
