-- want: error
-- unpack of a huge range.
return table.unpack({}, 1, 1 << 30)
