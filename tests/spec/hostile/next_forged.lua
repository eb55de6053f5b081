-- want: error
-- next with a key that is not there.
next({}, {})
