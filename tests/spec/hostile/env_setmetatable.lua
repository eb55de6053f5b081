-- want: S409
-- Replaces the metatable of the globals.
setmetatable(_ENV, { __index = function() return 1 end }) escaped(1)
