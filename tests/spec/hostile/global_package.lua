-- want: S403
-- Calls what the restricted Lua leaves out.
escaped(package.loadlib("libc.so.6", "*"))
