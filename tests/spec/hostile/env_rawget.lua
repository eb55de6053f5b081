-- want: fine
-- Looks for globals behind the metatable.
local v = rawget(_ENV, "require") or rawget(_ENV, "io")
if v then escaped(v) end
