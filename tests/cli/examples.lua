-- Writes a playbook for each example of the API's description: examples.lua FOLDER. Prints their names.
package.path = "lua/?.lua"

for _, one in ipairs(require("dosrun.api.types").examples()) do
  local name = one.name:gsub("[.:]", "-")
  local file = assert(io.open(("%s/%s.lua"):format(arg[1], name), "wb"))
  local top = one.example:find("dosrun.verb", 1, true) or one.example:find(":step(", 1, true) or one.example:find("dosrun.playbook", 1, true)
  file:write('local dosrun = require "dosrun.v1"\n')
  local room = one.example:match("dosrun%.(%l+)[.:]")
  if room == "kube" or room == "istio" or room == "image" then file:write(("local %s = dosrun.%s\n"):format(room, room)) end
  local before, inside = "", one.example
  if top and one.name ~= "dosrun.verb" then before, inside = one.example .. "\n", "" end
  file:write(before, 'local examples = dosrun.playbook { "examples" }\n',
    'examples:step("example", function(run)\n', inside, "\nreturn run.target\nend)\nreturn examples\n")
  file:close()
  print(name)
end
