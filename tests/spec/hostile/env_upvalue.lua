-- want: error
-- A nil _ENV in a nested function.
local function f()
  local _ENV = nil
  return function() return anything end
end
f()()
