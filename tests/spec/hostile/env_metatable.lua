-- want: fine
-- Asks for the metatable of the globals.
local m = getmetatable(_ENV)
if type(m) == "table" then escaped(m) end
