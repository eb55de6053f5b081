-- want: S403
-- Draws from a stream.
escaped(math.random())
