-- want: error
-- A text nested too deep.
return require("cjson").decode(("["):rep(1 << 20))
