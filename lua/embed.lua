-- Writes the Lua library as a C table, sorted by name: embed.lua ROOT OUT.c FILE...
-- Each file is compiled here, with its lines and names, so that no run has to: compiling costs more than running it.
assert(_VERSION == "Lua 5.4", "the library is compiled for Lua 5.4")
local root, out = arg[1], arg[2]
local names = table.move(arg, 3, #arg, 1, {})
table.sort(names)

local function c_bytes(text)
  local parts = {}
  for i = 1, #text do parts[i] = text:byte(i) .. (i % 24 == 0 and ",\n" or ",") end
  return table.concat(parts)
end

local function compiled(name)
  local source = assert(io.open(root .. "/" .. name, "rb"))
  local chunk = assert(load(source:read("a"), "=" .. name, "t"))
  source:close()
  return string.dump(chunk)
end

local file = assert(io.open(out, "wb"))
file:write("#include <stddef.h>\n")
file:write("struct lua_file { const char *name; const unsigned char *code; size_t len; };\n")
file:write("extern const struct lua_file lua_library[];\nextern const size_t lua_library_len;\n")
for i, name in ipairs(names) do
  file:write(("static const unsigned char file_%d[] = {%s};\n"):format(i, c_bytes(compiled(name))))
end
file:write("const struct lua_file lua_library[] = {\n")
for i, name in ipairs(names) do file:write(("{%q, file_%d, sizeof(file_%d)},\n"):format(name, i, i)) end
file:write(("{NULL, NULL, 0}};\nconst size_t lua_library_len = %d;\n"):format(#names))
file:close()
