-- want: S403
-- Compiles text at run time.
escaped(load("return 1")())
