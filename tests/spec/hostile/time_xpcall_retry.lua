-- want: time
-- A handler that starts anew.
local function f() while true do end end
while true do xpcall(f, function() return f() end) end
