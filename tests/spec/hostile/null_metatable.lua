-- want: fine
-- The one value whose metatable all light userdata share.
local null = require("cjson").null
if type(getmetatable(null)) == "table" then escaped(1) end
if tostring(null):find("%x%x%x%x") then escaped(tostring(null)) end
