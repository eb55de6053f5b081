-- Writes the Lua library as a C table, sorted by name: embed.lua ROOT OUT.c FILE...
local root, out = arg[1], arg[2]
local names = table.move(arg, 3, #arg, 1, {})
table.sort(names)

local function c_bytes(text)
  local parts = {}
  for i = 1, #text do parts[i] = text:byte(i) .. (i % 24 == 0 and ",\n" or ",") end
  return table.concat(parts)
end

local file = assert(io.open(out, "wb"))
file:write("#include <stddef.h>\n")
file:write("struct lua_file { const char *name; const unsigned char *text; size_t len; };\n")
file:write("extern const struct lua_file lua_library[];\nextern const size_t lua_library_len;\n")
for i, name in ipairs(names) do
  local source = assert(io.open(root .. "/" .. name, "rb"))
  file:write(("static const unsigned char file_%d[] = {%s0};\n"):format(i, c_bytes(source:read("a"))))
  source:close()
end
file:write("const struct lua_file lua_library[] = {\n")
for i, name in ipairs(names) do file:write(("{%q, file_%d, sizeof(file_%d) - 1},\n"):format(name, i, i)) end
file:write(("{NULL, NULL, 0}};\nconst size_t lua_library_len = %d;\n"):format(#names))
file:close()
