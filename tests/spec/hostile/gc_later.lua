-- want: fine
-- A finalizer that comes into the metatable afterwards.
local m = {}
for _ = 1, 1000 do setmetatable({}, m) end
m.__gc = function() escaped(1) end
for i = 1, 100000 do local _ = { i } end
