-- want: error
-- select from before the beginning.
return select(-5, 1, 2)
