-- want: time
-- Metamethods that call each other.
local t = setmetatable({}, { __index = function() return 1 end })
while true do local _ = t.x end
