-- want: S403
-- Calls what the restricted Lua leaves out.
escaped(warn("@on"))
