-- want: fine
-- An old fault of the compiler: _ENV as a constant.
local escaped, pcall = escaped, pcall
pcall(function()
  local _ENV <const> = {}
  x = 1
  if io then escaped(io) end
end)
