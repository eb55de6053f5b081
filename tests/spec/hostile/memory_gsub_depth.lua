-- want: error
-- gsub inside gsub inside gsub.
local function f(s) return (s:gsub(".", f)) end
return f("x")
