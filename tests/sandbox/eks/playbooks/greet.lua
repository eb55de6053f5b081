-- An object, a wait that outlives the cluster's token, and another object.
local dosrun = require "dosrun.v1"
local kube = dosrun.kube

local greet = dosrun.playbook { "greet", args = { { "text", "string" } } }

local function say(name, run) kube.apply(("manifests/%s.yaml"):format(name), { text = run.args.text }) end

greet:step("before", function(run) say("before", run) end)
greet:step("pause", function(run) run:sleep("16m") end)
greet:step("after", function(run) say("after", run) end)

return greet
