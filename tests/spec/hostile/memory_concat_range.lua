-- want: error
-- concat over a huge range.
return table.concat({}, "x", 1, math.maxinteger)
