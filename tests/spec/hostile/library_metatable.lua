-- want: fine
-- Asks for the metatable of a library.
if type(getmetatable(string)) == "table" then escaped(1) end
