-- want: error
-- The separator makes it large.
escaped(#(""):rep(1 << 20, ("y"):rep(1 << 12)))
