--- The open file descriptors of this process, by number and what they point to. Empty where lua-filesystem is missing.
local M = {}

local has_lfs, lfs = pcall(require, "lfs")

--- {[number] = target}
function M.list()
    local out = {}
    if not has_lfs then return out end
    for name in lfs.dir("/proc/self/fd") do
        local target = name ~= "." and name ~= ".." and lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
        -- reading the folder opens one descriptor of its own
        if target and not target:find("/fd$") then out[name] = target end
    end
    return out
end

--- What stands in after and not in before, as sorted "number -> target".
function M.added(before, after)
    local out = {}
    for name, target in pairs(after) do
        if before[name] ~= target then out[#out + 1] = name .. " -> " .. target end
    end
    table.sort(out)
    return out
end

return M
