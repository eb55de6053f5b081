-- want: S403
-- Calls what the restricted Lua leaves out.
escaped(io.open("/etc/passwd"))
