--- Runs f(base_url, port) while tests/tools/symbi-standin.py serves; for specs.
local symio = require("symbi").io

local function word(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

return function(f)
    local out = os.tmpname()
    os.execute("python3 tests/tools/symbi-standin.py --seconds 60 >" .. word(out) .. " 2>/dev/null </dev/null &")
    local port
    for _ = 1, 100 do
        local file = io.open(out)
        port = file and file:read "*l"
        if file then file:close() end
        if port then break end
        symio.sleep(50)
    end
    assert(port, "the stand-in server does not start (python3)")
    local base = "http://127.0.0.1:" .. port
    local ok, message = pcall(f, base, port)
    for _ = 1, 100 do -- until nobody answers: then no kept connection is left either
        if not symio.http { by_operator = true, proxy = "none", url = base .. "/quit", timeout_ms = 2000 } then break end
    end
    os.remove(out)
    if not ok then error(message, 0) end
end
