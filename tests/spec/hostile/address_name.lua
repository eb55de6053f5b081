-- want: fine
-- A __name of its own.
if tostring(setmetatable({}, { __name = "x" })):find("0x") then escaped(1) end
