-- want: error
-- nil as an error.
error(nil)
