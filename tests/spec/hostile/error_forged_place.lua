-- want: error
-- A message that looks like a place.
error("/etc/passwd:1: x", 0)
