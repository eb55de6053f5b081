-- want: error
-- The engine's own modules.
escaped(require("dosrun.native.script"))
