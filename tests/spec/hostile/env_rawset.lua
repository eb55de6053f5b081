-- want: S409
-- Makes a global behind the metatable.
rawset(_ENV, "leak", 1) escaped(1)
