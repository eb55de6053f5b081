-- want: time
-- Waits for what never comes, inside pcall.
while true do pcall(wait, 1) end
