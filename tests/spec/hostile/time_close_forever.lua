-- want: watchdog
-- A loop in a value to be closed when the task dies by its deadline.
local x <close> = setmetatable({}, { __close = function() while true do end end })
while true do end
