-- want: S402
-- Waits inside gsub.
local _ = ("x"):gsub("x", function() wait(1) end)
