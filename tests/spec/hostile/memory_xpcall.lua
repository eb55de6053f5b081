-- want: memory
-- A handler that allocates too.
local kept = {}
xpcall(function() while true do kept[#kept + 1] = { {} } end end, function() while true do kept[#kept + 1] = {} end end)
escaped(1)
