-- want: S409
-- Replaces a function that the engine uses.
string.format = function() return "forged" end escaped(1)
