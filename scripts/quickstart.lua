-- An agent reports on the files of a folder, and tries what it may not. Run it:  ./symbi-lua scripts/quickstart.lua [--json]
-- Its proposals come from a recorded conversation (no account, no network), or, with SYMBI_MODEL_URL set, from a live model;
-- the tools, the policy, the denials and the audit trail are real either way.
local symbi = require "symbi"

local here = arg[0]:match("^(.*)/[^/]*$") .. "/quickstart"
local live = os.getenv("SYMBI_MODEL_URL")
local show = symbi.show.printer { json = arg[1] == "--json" }

local runtime = symbi.try(symbi.runtime {
    policies = here .. "/policies", -- Cedar: who may call what
    tools = here .. "/tools",       -- ToolClad: what a call may look like, and what it runs
    agents = here .. "/agents",
    state = ".symbi",               -- where the audit trail lives
    replay = not live and here .. "/replay.json" or nil,
})

show:head {
    title = "symbi-lua quickstart: agent reporter, " .. (live and "live model at " .. live or "replay of a recorded conversation"),
    notes = { not live and "The model's side is played back from " .. here .. "/replay.json; everything else happens now." or "Live model: its proposals differ from run to run." },
}

local agent = symbi.try(runtime:agent "reporter")
local result = symbi.try(agent:run("Report on the files in scripts/quickstart/tools: names, one length, one checksum.", { watch = show:watch() }))
show:answer(result)

local whole = show:audit(symbi.try(runtime:verify()), runtime.state_dir)
runtime:close()
os.exit(result.completed and whole and 0 or 1)
