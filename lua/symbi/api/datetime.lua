--- Date-times as the SDK's models read and write them: RFC 3339 with or without a zone, a bare date, Unix seconds (milliseconds above
-- 2e10). Text out: microseconds at most, "Z" for UTC, other offsets kept.
local M = {}

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function days_in(y, m)
    if m == 2 and (y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0)) then return 29 end
    return DAYS[m]
end

local function civil(days)
    local z = days + 719468
    local era = math.floor(z / 146097)
    local doe = z - era * 146097
    local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
    local mp = math.floor((5 * doy + 2) / 153)
    local m = mp < 10 and mp + 3 or mp - 9
    return yoe + era * 400 + (m <= 2 and 1 or 0), m, doy - math.floor((153 * mp + 2) / 5) + 1
end

--- Text of a Unix time in seconds, which may have a fraction; nil outside the years 1 to 9999.
function M.from_unix(t)
    if t - t ~= 0 then return nil end
    if math.abs(t) > 2e10 then t = t / 1000 end
    if t < -62135596800 or t >= 253402300800 then return nil end
    local whole = math.floor(t)
    local micro = math.floor((t - whole) * 1e6 + 0.5)
    if micro >= 1000000 then whole, micro = whole + 1, 0 end
    local y, m, d = civil(math.floor(whole / 86400))
    local s = whole % 86400
    local text = string.format("%04d-%02d-%02dT%02d:%02d:%02d", y, m, d, math.floor(s / 3600), math.floor(s / 60) % 60, s % 60)
    return text .. (micro > 0 and string.format(".%06dZ", micro) or "Z")
end

local function zone(text)
    if text == "" then return "" end
    if text == "Z" or text == "z" then return "Z" end
    local sign, h, m = text:match "^([+-])(%d%d):?(%d%d)$"
    if not sign then
        sign, h = text:match "^([+-])(%d%d)$"
        m = "00"
    end
    if not sign or tonumber(h) > 23 or tonumber(m) > 59 then return nil end
    if h == "00" and m == "00" then return "Z" end
    return sign .. h .. ":" .. m
end

-- Is this a date-time in its normal form with seconds and Z? Most are, and this costs no strings.
local function is_normal(text)
    if not text:find "^[12]%d%d%d%-[01]%d%-[0-3]%dT[0-2]%d:[0-5]%d:[0-5]%dZ$" then return false end
    local m1, m2, _, d1, d2, _, h1, h2 = text:byte(6, 13)
    local m, d = m1 * 10 + m2 - 528, d1 * 10 + d2 - 528
    if m < 1 or m > 12 or d < 1 or h1 * 10 + h2 - 528 > 23 then return false end
    return d <= 28 or d <= days_in(tonumber(text:sub(1, 4)), m)
end

--- The normal form of a date-time given as text or number, or nil.
function M.normal(value)
    if type(value) == "number" then return M.from_unix(value) end
    if #value == 20 and is_normal(value) then return value end
    local y, m, d, rest = value:match "^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$"
    if not y then
        if value:find "^%-?%d+%.?%d*$" then return M.from_unix(tonumber(value)) end
        return nil
    end
    local date = y .. "-" .. m .. "-" .. d
    y, m, d = tonumber(y), tonumber(m), tonumber(d)
    if y == 0 or m < 1 or m > 12 or d < 1 or d > days_in(y, m) then return nil end
    if rest == "" then return date .. "T00:00:00" end
    local h, min, after = rest:match "^[Tt _](%d%d):(%d%d)(.*)$"
    if not h or tonumber(h) > 23 or tonumber(min) > 59 then return nil end
    local sec, more = after:match "^:(%d%d)(.*)$"
    local fraction = ""
    if sec then
        if tonumber(sec) > 59 then return nil end
        after = more
        local digits, tail = after:match "^[.,](%d+)(.*)$"
        if digits then
            if #digits > 9 then return nil end
            fraction, after = (digits .. "000000"):sub(1, 6), tail
            fraction = fraction == "000000" and "" or "." .. fraction
        end
    end
    local z = zone(after)
    return z and date .. "T" .. h .. ":" .. min .. ":" .. (sec or "00") .. fraction .. z
end

local function days_from_civil(y, m, d)
    if m <= 2 then y = y - 1 end
    local era = math.floor(y / 400)
    local yoe = y - era * 400
    local doy = math.floor((153 * (m > 2 and m - 3 or m + 9) + 2) / 5) + d - 1
    return era * 146097 + yoe * 365 + math.floor(yoe / 4) - math.floor(yoe / 100) + doy - 719468
end

--- Whole Unix seconds and microseconds of a date-time; without a zone it is taken for UTC. nil when it is none.
function M.to_unix(value)
    local text = M.normal(value)
    if not text then return nil end
    local y, mo, d, h, mi, s, rest = text:match "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)(.*)$"
    local seconds = days_from_civil(tonumber(y), tonumber(mo), tonumber(d)) * 86400 + tonumber(h) * 3600 + tonumber(mi) * 60 + tonumber(s)
    local micro = tonumber((rest:match "^%.(%d+)")) or 0
    local sign, zh, zm = rest:match "([+-])(%d+):(%d+)$"
    if sign then seconds = seconds - (sign == "+" and 1 or -1) * (tonumber(zh) * 3600 + tonumber(zm) * 60) end
    return seconds, micro
end

return M
