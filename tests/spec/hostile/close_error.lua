-- want: error
-- An error in a value to be closed.
local x <close> = setmetatable({}, { __close = function() error("in close") end })
error("in the body")
