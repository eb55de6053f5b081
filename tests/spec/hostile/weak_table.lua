-- want: fine
-- Weak tables show nothing of the engine.
local t = setmetatable({}, { __mode = "kv" })
for i = 1, 1000 do t[{}] = {} end
for k in pairs(t) do if type(k) ~= "table" then escaped(k) end end
