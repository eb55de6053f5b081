-- Makes something, waits until somebody makes ConfigMap default/go, makes something more: for the lock's tests.
local dosrun = require "dosrun.v1"
local kube = dosrun.kube

local hold = dosrun.playbook { "hold", args = { { "text", default = "held" } } }

local function note(name, text)
  kube.apply({ { apiVersion = "v1", kind = "ConfigMap", metadata = { name = name, namespace = "default" }, data = { text = text } } },
    nil, { set = name })
end

hold:step("first", function(run) note("first", run.args.text) end)
hold:step("hold", function(run)
  while not run:planning() and not kube.get("ConfigMap", "default/go") do run:sleep "200ms" end
end)
hold:step("last", function(run) note("last", run.args.text) end)
return hold
