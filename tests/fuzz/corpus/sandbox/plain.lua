local t = {} for k, v in ("a=1, b=22"):gmatch "(%w+)=(%w+)" do t[k] = tonumber(v) end print("sum", t.a + t.b, ...) return t, 1.5, nil
