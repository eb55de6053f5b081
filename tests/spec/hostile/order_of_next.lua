-- want: fine
-- The same through next.
local last = ""
local t = {}
for i = 1, 500 do t["k" .. (i * 7919 % 1000)] = i end
for k in next, t do if k < last then escaped(k) end last = k end
