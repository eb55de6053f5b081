-- want: time
-- pcall in pcall in pcall.
local function f() pcall(f) pcall(f) while true do end end
f()
