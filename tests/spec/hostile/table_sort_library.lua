-- want: fine
-- Sorts a library.
table.sort(string)
if not string.len then escaped(1) end
