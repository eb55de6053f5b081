-- want: error
-- Alignment that is no power of two.
return string.pack("!16 Xi3", 1)
