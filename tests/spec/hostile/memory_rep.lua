-- want: error
-- string.rep of a terabyte.
escaped(#("x"):rep(1 << 40))
