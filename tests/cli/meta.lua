-- Writes the editor types from the one description: lua5.4 tests/cli/meta.lua, in the project's root.
-- With the word "check" it only says whether the file is fresh.
package.path = "lua/?.lua"
local text = require("dosrun.api.types").meta()
local path = "lua/meta/dosrun.lua"

if arg[1] == "check" then
  local file = io.open(path, "rb")
  local fresh = file and file:read("a") == text
  print(fresh and "fresh" or path .. " is not what lua/dosrun/api gives: run lua5.4 tests/cli/meta.lua")
  os.exit(fresh and 0 or 1)
end
local file = assert(io.open(path, "wb"))
file:write(text)
file:close()
