-- want: time
-- pcall around the loop, in a loop.
while true do pcall(function() while true do end end) end
