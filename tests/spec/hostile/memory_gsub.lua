-- want: memory
-- gsub with a long replacement.
local s = ("x"):rep(1 << 14)
return #(s:gsub(".", ("y"):rep(1 << 14)))
