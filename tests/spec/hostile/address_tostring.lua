-- want: fine
-- The address of a table in its text.
if tostring({}):find("0x") or tostring(pcall):find("0x") then escaped(1) end
