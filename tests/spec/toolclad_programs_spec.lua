--- Real programs with options that write files or run others (tar, git, grep, find, curl, sort, sqlite3): hostile values in every place of a contract leave
-- no canary behind, whether as an option, a GNU abbreviation of one, glued to a value, or in the middle of a template; clean values work.
local symbi = require "symbi"
local helper = require "tests.spec.helper.files"
local tmpdir, write = helper.tmpdir, helper.write

local permit = { { name = "p", text = 'permit(principal, action == Action::"tool_call::t", resource);' } }

-- The spawner is started once per process, and stays.
assert(assert(symbi.toolclad.declare { tool = { name = "t" }, command = { exec = { "true" } }, output = {} }):execute({}, { policies = permit }))

local function has(program) return os.execute("command -v " .. program .. " >/dev/null 2>&1") == true or os.execute("command -v " .. program .. " >/dev/null 2>&1") == 0 end

local ARG = '[args.x]\nrequired = true\ntype = "string"\n'
local URL = '[args.x]\nrequired = true\ntype = "url"\nschemes = ["http", "https"]\n'
local PATH = '[args.x]\nrequired = true\ntype = "path"\n'
local SELECT = '[args.x]\nrequired = true\ntype = "string"\npattern = "^select [a-z0-9_,* ]+$"\n'

-- C stands for the canary's path. good: a value that works, and what it prints.
local programs = {
    { "tar", ARG, { 'exec = ["tar", "-cf", "out.tar", "{x}"]', 'exec = ["tar", "-cf", "out.tar", "-T", "list", "{x}"]', 'template = "tar -cf out.tar {x} file"', 'exec = ["tar", "-cf", "out.tar", "-{x}"]',
            'exec = ["tar", "-cf", "out.tar", "--{x}=1", "file"]', 'exec = ["tar", "-cf", "out.tar", "{_c}", "file"]\nconditionals.c = {when = "x != \'\'", template = "{x}"}' },
        { "--checkpoint-action=exec=touch C", "--checkpoint=1 --checkpoint-action=exec=touch\\ C", "--to-comm=touch C", "-Itouch C", "--use-compress-prog=touch", "-fC", "file --checkpoint=1 --checkpoint-act=exec=./evil",
            "-I./evil", "checkpoint-action=exec=./evil", "I./evil" }, "file" },
    { "sort", ARG, { 'exec = ["sort", "{x}", "file"]', 'template = "sort {x} file"', 'exec = ["sort", "--{x}", "file"]', 'exec = ["sort", "-{x}", "file"]' },
        { "--output=C", "--outp=C", "-oC", "-o C", "file -o C", "--compress-prog=./evil", "outp=C", "oC" } },
    { "git", ARG, { 'exec = ["git", "-C", "repo", "log", "{x}"]', 'exec = ["git", "-C", "repo", "diff", "{x}"]', 'template = "git -C repo log {x}"', 'exec = ["git", "-C", "repo", "grep", "{x}"]' },
        { "--output=C", "--outp=C", "-Ocat", "HEAD --output=C", "--open-files-in-pager=./evil", "--ext-diff", "-p --output=C" }, "HEAD" },
    { "git", URL, { 'exec = ["git", "ls-remote", "{x}"]', 'exec = ["git", "clone", "{x}", "dst"]' }, { "ext::sh -c touch% C", "--upload-pack=./evil", "-u./evil", "file:///etc", "ssh://-oProxyCommand=./evil/x" } },
    { "find", PATH, { 'exec = ["find", "{x}", "-name", "nothing"]', 'template = "find {x} -name nothing"' }, { "-delete", "-exec", ". -exec ./evil ;", ". -fprint C", "-fprint", "file -delete", "(" }, "file" },
    { "grep", ARG, { 'exec = ["grep", "{x}", "file"]', 'template = "grep -n {x} file"', 'exec = ["grep", "--{x}", "file"]' }, { "-f/etc/passwd", "--fil=/etc/passwd", "x -f /etc/passwd", "--include=/etc", "fil=/etc/passwd", "-r" }, "word" },
    { "curl", URL, { 'exec = ["curl", "-s", "-m", "5", "{x}"]', 'template = "curl -s -m 5 {x}"' },
        { "-oC", "--output=C", "--outp", "file:///etc/passwd", "file://localhost/etc/passwd", "http://127.0.0.1:9/ -o C", "-K./config", "gopher://x/", "-", "http://127.0.0.1:9/{a,b}" } },
    { "sqlite3", SELECT, { 'exec = ["sqlite3", "-batch", ":memory:", "{x}"]' }, { ".shell touch C", "-cmd .shell touch C", ".output C", "select 1; .shell touch C", "select 1\n.shell touch C", "-init" }, "select 41" },
}

describe("real programs", function()
    local dir
    before_each(function()
        dir = tmpdir()
        write(dir .. "/file", "a word\nb\n")
        write(dir .. "/list", "file\n")
        write(dir .. "/evil", "#!/bin/sh\ntouch " .. dir .. "/canary\n")
        os.execute("chmod 755 " .. dir .. "/evil; cd " .. dir .. " && mkdir repo && cd repo && git init -q . 2>/dev/null && echo HEAD > f && git add f && git -c user.name=a -c user.email=a@b commit -q -m m 2>/dev/null")
    end)
    after_each(function() os.execute("rm -rf " .. dir) end)

    for n, p in ipairs(programs) do
        it(p[1] .. " takes no value for an option (" .. n .. ")", function()
            if not has(p[1]) then return pending(p[1] .. " is not there") end
            for _, command in ipairs(p[3]) do
                local tool = assert(symbi.toolclad.parse('[tool]\nname = "t"\nversion = "1"\ndescription = "d"\ntimeout_seconds = 20\n' .. p[2] .. "[command]\n" .. command .. '\n[output]\nformat = "text"\n'))
                for _, value in ipairs(p[4]) do
                    value = value:gsub("C$", dir .. "/canary")
                    local e, _, err = tool:execute({ x = value }, { policies = permit, project_dir = dir })
                    local status, text = e and e.status, e and tostring(e.results.raw_output)
                    local where = command .. " with " .. value
                    assert.is_nil(symbi.io.stat(dir .. "/canary"), where)
                    assert.truthy(symbi.io.stat(dir .. "/file"), where) -- find -delete
                    if text then assert.is_nil(text:find("root:", 1, true), where) end -- grep -f, file:
                    if value:find "^%-" or command:find "%-{x}" then -- what could be an option never runs; else it is one word, blanks and all
                        assert.is_nil(status, where)
                        assert.truthy(err.code == "EDENIED" or err.code == "ESCHEMA", where)
                    end
                end
                if p[5] and not command:find "%-{x}" then
                    local e, message = tool:execute({ x = p[5] }, { policies = permit, project_dir = dir })
                    assert.equal("success", e and e.status .. (e.error or "") or message)
                end
            end
        end)
    end
end)
