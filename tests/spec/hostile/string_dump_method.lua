-- want: S403
-- The same through a method.
escaped((""):dump())
