-- want: error
-- Fields of an error that are of odd types and sizes.
error({ message = ("x"):rep(1 << 20), kind = ("k"):rep(1 << 20), code = {}, status = 1e300, retry_after_ms = "x", explain = ("e"):rep(99) })
