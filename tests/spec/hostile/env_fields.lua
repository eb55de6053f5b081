-- want: S403
-- Reads globals through _ENV.
escaped(_ENV["i" .. "o"])
