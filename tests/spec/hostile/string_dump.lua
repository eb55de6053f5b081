-- want: S403
-- Makes bytecode of a function.
escaped(string.dump(function() end))
