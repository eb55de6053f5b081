-- want: S403
-- Loads a precompiled chunk with a forged header.
escaped(load("\27Lua\84\0\25\147\r\n\26\n", "x", "b"))
