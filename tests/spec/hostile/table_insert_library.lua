-- want: S409
-- Puts a value into a library.
table.insert(table, "x") escaped(1)
