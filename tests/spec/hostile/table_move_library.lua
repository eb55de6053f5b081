-- want: S409
-- Moves values into a library.
table.move({ 1, 2 }, 1, 2, 1, math) escaped(1)
