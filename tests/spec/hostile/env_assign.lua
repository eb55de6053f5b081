-- want: S403
-- Makes a global.
_ENV.leak = 1 escaped(1)
