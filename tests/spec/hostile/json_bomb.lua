-- want: error
-- A small table that is a large document.
local t = "x"
for _ = 1, 40 do t = { t, t } end
return require("cjson").encode(t)
