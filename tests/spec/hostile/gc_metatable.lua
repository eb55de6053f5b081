-- want: S409
-- A finalizer.
setmetatable({}, { __gc = function() escaped(1) end })
