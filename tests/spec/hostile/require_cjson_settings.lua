-- want: S403
-- Lifts the limits of the JSON library.
require("cjson").encode_max_depth(1 << 30) escaped(1)
