-- want: error
-- A document that contains itself.
local t = {} t.t = t
return require("cjson").encode(t)
