-- want: watchdog
-- The same with captures.
return ("a"):rep(64):match(("(a-)"):rep(16) .. "b$")
