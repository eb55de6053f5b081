-- want: error
-- A table that holds itself.
local t = {} t.message = t t.kind = t error(t)
