-- want: fine
-- Collects all functions by walking; none of the left out ones is among them.
for k in pairs(string) do if k == "dump" then escaped(k) end end
for k in pairs(math) do if k == "random" then escaped(k) end end
