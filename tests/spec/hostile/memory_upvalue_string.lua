-- want: memory
-- Many long keys.
local t, n = {}, 0
while true do n = n + 1 t[("k"):rep(1 << 16) .. n] = true end
