-- want: error
-- Sizes that overflow.
escaped(#("xx"):rep(math.maxinteger, "y"))
