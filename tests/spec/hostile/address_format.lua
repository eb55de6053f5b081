-- want: fine
-- %p and %s.
if ("%p %s"):format({}, pcall):find("0x") then escaped(1) end
