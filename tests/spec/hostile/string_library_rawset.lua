-- want: S409
-- The same with rawset.
rawset(string, "format", function() end) escaped(1)
