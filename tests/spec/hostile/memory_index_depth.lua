-- want: error
-- An __index that asks for itself.
local t t = setmetatable({}, { __index = function(_, k) return t[k] end })
return t.x
