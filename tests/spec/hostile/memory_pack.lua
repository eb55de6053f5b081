-- want: memory
-- string.pack of a huge field.
return #string.pack("c2000000000", "x")
