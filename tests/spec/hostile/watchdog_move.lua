-- want: watchdog
-- table.move where every step is a C function.
table.move(setmetatable({}, { __index = rawlen and rawequal }), 1, math.maxinteger - 1, 1, setmetatable({}, { __newindex = rawequal }))
