--- symbi.metrics.digits: numbers as other languages write them: the shortest digits that read back the same, and where each puts the
-- exponent.
local M = {}

-- The sign, the shortest digits d1d2d3... and the exponent of d1.d2d3...
local function shortest(x)
    local text
    for n = 0, 16 do
        text = string.format("%." .. n .. "e", x):gsub(",", ".")
        if tonumber(text) == x then break end
    end
    local sign, first, rest, exponent = text:match "^(%-?)(%d)%.?(%d*)e([+-]%d+)$"
    return sign, first .. rest:gsub("0+$", ""), tonumber(exponent)
end

local function positional(sign, d, e)
    if e < 0 then return sign .. "0." .. ("0"):rep(-e - 1) .. d end
    if #d <= e + 1 then return sign .. d .. ("0"):rep(e + 1 - #d) .. ".0" end
    return sign .. d:sub(1, e + 1) .. "." .. d:sub(e + 2)
end

local function mantissa(sign, d) return sign .. d:sub(1, 1) .. (#d > 1 and "." .. d:sub(2) or "") end

--- As Python's repr: 1e+16, 1e-05, 100.0. Not a number, and infinities, are null: they have no JSON.
function M.python(x)
    if x - x ~= 0 then return "null" end
    local sign, d, e = shortest(x)
    if e >= -4 and e < 16 then return positional(sign, d, e) end
    return mantissa(sign, d) .. string.format("e%s%02d", e < 0 and "-" or "+", math.abs(e))
end

--- As Rust's serde_json: 1e16, 1e-6, 100.0.
function M.rust(x)
    if x - x ~= 0 then return "null" end
    local sign, d, e = shortest(x)
    if e >= -5 and e < 16 then return positional(sign, d, e) end
    return mantissa(sign, d) .. string.format("e%d", e)
end

return M
