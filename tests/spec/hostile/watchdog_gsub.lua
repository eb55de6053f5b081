-- want: watchdog
-- The same in gsub, inside pcall.
pcall(string.gsub, ("a"):rep(64), ("a*"):rep(16) .. "b", "")
escaped(1)
