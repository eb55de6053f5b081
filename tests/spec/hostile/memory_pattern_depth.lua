-- want: error
-- A pattern nested too deep.
return ("x"):find(("("):rep(300))
