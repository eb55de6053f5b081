-- One call of an operation that only reads.
local dosrun = require "dosrun.v1"

local look = dosrun.playbook { "look", reads = true,
  args = { { "service", "string" }, { "operation", "string" }, { "params", "string", default = "{}" } } }

look:step("look", function(run)
  local client = dosrun.aws[run.args.service]
  client[run.args.operation](client, dosrun.json.decode(run.args.params))
end)

return look
