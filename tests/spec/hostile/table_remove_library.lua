-- want: S409
-- Removes from a library.
table.remove(utf8) escaped(1)
