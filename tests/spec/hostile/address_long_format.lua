-- want: error
-- A format that Lua's own parser refuses.
return ("%099999999p"):format({})
