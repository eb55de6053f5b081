-- want: S403
-- Seeds the stream.
math.randomseed(1) escaped(1)
