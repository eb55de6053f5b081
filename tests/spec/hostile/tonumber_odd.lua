-- want: fine
-- Numbers of odd forms.
if tonumber("0x" .. ("f"):rep(1000)) == nil then escaped(1) end
if tonumber(("9"):rep(100000)) == nil then escaped(1) end
