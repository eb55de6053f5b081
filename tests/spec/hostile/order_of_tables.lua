-- want: fine
-- pairs over tables as keys, twice the same.
local a, b, c = {}, {}, {}
local t = { [a] = 1, [b] = 2, [c] = 3 }
local one, two = "", ""
for _, v in pairs(t) do one = one .. v end
for _, v in pairs(t) do two = two .. v end
if one ~= two then escaped(one .. two) end
