-- want: S402
-- Waits inside __tostring.
tostring(setmetatable({}, { __tostring = function() wait(1) end }))
