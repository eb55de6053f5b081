-- want: error
-- The same, once the engine has loaded it, by another spelling.
escaped(require("dosrun.native\0.script"))
