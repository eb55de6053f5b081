-- want: S403
-- Looks for the index of the strings' metatable.
getmetatable("").__index.rep = nil escaped(1)
