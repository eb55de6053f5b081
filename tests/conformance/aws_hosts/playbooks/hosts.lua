-- One call of each "service.operation": what became of it, for all.
local dosrun = require "dosrun.v1"

local hosts = dosrun.playbook { "hosts", reads = true, args = { { "operations", "string" } } }

hosts:step("ask", function(run)
  for service, operation in run.args.operations:gmatch("([%w-]+)%.([%w_]+)") do
    local client = dosrun.aws[service]
    local _, err = dosrun.try(function() return client[operation](client, {}) end)
    run:log("asked %s: %s", service, err and err.message or "answered")
  end
end)

return hosts
