-- want: fine
-- The metatable of the engine's errors.
local ok, e = pcall(wait, "no number")
local ok2, e2 = pcall(function() nosuch = 1 end)
if type(getmetatable(e2)) == "table" then escaped(1) end
