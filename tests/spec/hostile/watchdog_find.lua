-- want: watchdog
-- A pattern that runs for minutes; no hook fires inside.
return ("a"):rep(64):find(("a*"):rep(16) .. "b")
