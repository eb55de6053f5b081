-- want: S403
-- Reaches for the table of globals.
escaped(_G.io)
