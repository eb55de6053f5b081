-- want: error
-- A width that format refuses.
return ("%1000000000d"):format(1)
