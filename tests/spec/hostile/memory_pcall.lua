-- want: memory
-- The same inside pcall, again and again.
local kept = {}
while true do
  pcall(function() while true do kept[#kept + 1] = ("x"):rep(1 << 16) .. #kept end end)
end
