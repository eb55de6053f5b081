-- want: error
-- utf8.codepoint over the whole of a long text.
return utf8.codepoint(("x"):rep(1 << 22), 1, -1)
