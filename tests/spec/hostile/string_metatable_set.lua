-- want: error
-- Sets a metatable for strings.
setmetatable("", {}) escaped(1)
