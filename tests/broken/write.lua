-- Writes each case of cases.lua as a folder FOLDER/NNN: project/ (its files), argv (a word a line), error, at, env, name.
local folder = arg[1]

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

for index, case in ipairs(dofile "tests/broken/cases.lua") do
  local at = ("%s/%03d"):format(folder, index)
  local folders = { [at .. "/project"] = true }
  for path in pairs(case.files) do folders[("%s/project/%s"):format(at, path):match("^(.*)/")] = true end
  for path in pairs(folders) do assert(os.execute(("mkdir -p '%s'"):format(path))) end
  for path, text in pairs(case.files) do write(("%s/project/%s"):format(at, path), text) end
  local argv = case.argv == true and { "check", "playbooks/p.lua" } or case.argv
  write(at .. "/argv", table.concat(argv, "\n") .. "\n")
  write(at .. "/name", case.name)
  write(at .. "/error", case.error)
  write(at .. "/at", case.at or "")
  local env = {}
  for name, value in pairs(case.env or {}) do env[#env + 1] = name .. "=" .. value:gsub("@", at .. "/project") .. "\n" end
  write(at .. "/env", table.concat(env))
end
