-- want: time
-- A loop without end.
while true do end
