-- want: error
-- A table raised as an error.
error({})
