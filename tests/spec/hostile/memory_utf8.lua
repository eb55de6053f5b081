-- want: memory
-- utf8.char in a doubling list.
local t = { 0x10FFFF }
local s = ""
while true do
  s = s .. s .. utf8.char(table.unpack(t))
  if #t < 10000 then for i = 1, #t do t[#t + 1] = 0x10FFFF end end
end
