-- want: time
-- Matches of an empty pattern, again and again.
while true do for _ in ("xxxx"):gmatch("") do end end
