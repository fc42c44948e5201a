-- An agent keeps notes in a SQLite shell: one program at a terminal for the whole run, each line it types judged by itself. Run it:
--   ./symbi-lua scripts/session.lua [--json]         (needs the program sqlite3)
-- Its proposals come from a recorded conversation; the terminal, the denials, the transcript and the trail are real.
local symbi = require "symbi"

local here = arg[0]:match("^(.*)/[^/]*$") .. "/session"
local runtime = symbi.try(symbi.runtime { policies = here .. "/policies", tools = here .. "/tools", state = ".symbi", replay = here .. "/replay.json" })

local show = symbi.show.printer { json = arg[1] == "--json" }
show:head { title = "symbi-lua: a session with sqlite3", notes = { "The model's side is played back from " .. here .. "/replay.json." } }

local transcript
local watch = show:watch()
local agent = symbi.try(runtime:agent { id = "keeper" })
local result = symbi.try(agent:run("Keep a note of day 1 and read it back.", { watch = function(kind, a, b)
    if kind == "result" and b.value then transcript = b.value.transcript_file end
    return watch(kind, a, b)
end }))
show:answer(result)
if arg[1] ~= "--json" then print("transcript: " .. tostring(transcript)) end

local whole = show:audit(symbi.try(runtime:verify()), runtime.state_dir)
runtime:close()
os.exit(result.completed and whole and 0 or 1)
