-- want: error
-- A module of its own name, asked for in a loop.
while true do require "no.such.module" end
