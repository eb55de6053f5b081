-- want: fine
-- Adds keys while it walks.
local t = { a = 1 }
local n = 0
for k in pairs(t) do t[k .. "x"] = 1 n = n + 1 end
if n ~= 1 then escaped(n) end
