--- Folders and files of a spec's own.
local symbi = require "symbi"

local M = {}

--- A new folder in the system's temporary one, which only we may enter.
function M.tmpdir()
    local name = os.tmpname()
    os.remove(name)
    assert(symbi.io.mkdir(name, { mode = 448 }))
    return name
end

function M.write(path, text)
    local f = assert(io.open(path, "wb"))
    f:write(text)
    f:close()
end

--- A program that only we may change; text begins with its "#!" line.
function M.program(path, text)
    assert(symbi.io.write_file(path, text, 448))
    return path
end

return M
