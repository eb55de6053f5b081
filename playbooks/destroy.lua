local dosrun = require "dosrun.v1"
local platform = require "platform"

local destroy = dosrun.playbook {
  "destroy", summary = "Take away everything that deploy and switch made, the play counts too",
  on_failure = "stop", pivots = true,
}

-- From the inventories in the cluster alone: no journal and no manifest is needed.
for _, part in ipairs(platform.parts) do
  local name = part:gsub("%-$", "s")
  destroy:step(name, function() platform.remove_part(part) end)
end

return destroy
