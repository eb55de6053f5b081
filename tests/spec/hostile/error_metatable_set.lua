-- want: S409
-- Replaces it.
local ok, e = pcall(function() nosuch = 1 end)
setmetatable(e, { __tostring = function() return "forged" end }) escaped(1)
