-- want: error
-- Writes into the metatable of strings.
getmetatable("").__add = function() return 1 end escaped(1)
