-- want: fine
-- Gives itself another _ENV, in which nothing is.
local escaped, type = escaped, type
local _ENV = {}
if type(io) ~= "nil" then escaped(io) end
x = 1
