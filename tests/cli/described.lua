-- Is every public function described in lua/dosrun/api, and nothing that is not there? Run in the project's root.
package.path = "lua/?.lua"

local described, real = {}, {}
for _, entry in ipairs(require "dosrun.api") do
  local name = entry[1]
  if name and not entry.global then described[name] = true end
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- Room -> its face; classes -> where their methods stand and the word that help uses.
local faces = { kube = "lua/dosrun/kube.lua", istio = "lua/dosrun/istio.lua", image = "lua/dosrun/image.lua", http = "lua/dosrun/http.lua",
  file = "lua/dosrun/file.lua", process = "lua/dosrun/process.lua", aws = "lua/dosrun/aws.lua" }
for room, path in pairs(faces) do
  local text = read(path)
  for name in text:gmatch("\nfunction M%.([%w_]+)%(") do real[room .. "." .. name] = true end
  local members = text:match("\nlocal M = {(.-)}") or ""
  for name in members:gmatch("([%w_]+)%s*=") do real[room .. "." .. name] = true end
end
local v1 = read "lua/dosrun/v1.lua"
for name in v1:gmatch("\nfunction M%.([%w_]+)%(") do real["dosrun." .. name] = true end
for name in v1:match("\nlocal M = {(.-)\n}"):gmatch("\n%s+([%w_]+)%s*=") do real["dosrun." .. name] = true end
for name, members in v1:gmatch("\nM%.([%w_]+) = (%b{})") do
  for member in members:gmatch("([%w_]+)%s*=") do real[("dosrun.%s.%s"):format(name, member)] = true end
end
for name in v1:gmatch("\nM%.([%w_]+) = [sr]%l+%.") do real["dosrun." .. name] = true end
real["dosrun.games"] = true
local classes = {
  { "lua/dosrun/playbook.lua", "Playbook", ":", "playbook" }, { "lua/dosrun/playbook.lua", "Run", ".", "run" },
  { "lua/dosrun/kube/apply.lua", "Applied", ":", "applied" }, { "lua/dosrun/istio.lua", "Traffic", ":", "traffic" },
  { "lua/dosrun/aws.lua", "Client", ":", "client" }, { "lua/dosrun/spec.lua", "Test", "[.:]", "t" }, { "lua/dosrun/spec.lua", "Result", ":", "r" },
}
for _, class in ipairs(classes) do
  local path, name, sign, word = table.unpack(class)
  for method in read(path):gmatch("\nfunction " .. name .. (sign == "." and "%." or sign) .. "([%w_]+)%(") do real[word .. ":" .. method] = true end
end

local wrong = {}
for name in pairs(real) do if not described[name] then wrong[#wrong + 1] = name .. " is not described in lua/dosrun/api" end end
for name in pairs(described) do if not real[name] then wrong[#wrong + 1] = name .. " is described, but there is no such function" end end
table.sort(wrong)
for _, line in ipairs(wrong) do print(line) end
os.exit(#wrong == 0 and 0 or 1)
