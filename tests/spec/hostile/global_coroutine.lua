-- want: S403
-- Calls what the restricted Lua leaves out.
escaped(coroutine.wrap(function() end)())
