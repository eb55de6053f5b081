-- want: error
-- A message of megabytes.
error(("x"):rep(1 << 22))
