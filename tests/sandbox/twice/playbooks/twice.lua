-- One set applied twice: what the second manifest lacks goes, though this run made it.
local dosrun = require "dosrun.v1"
local kube = dosrun.kube

local twice = dosrun.playbook { "twice", on_failure = "rollback" }

twice:step("one", function() kube.apply("manifests/note.yaml", { name = "one" }) end)
twice:step("two", function() kube.apply("manifests/note.yaml", { name = "two" }) end)
twice:step("three", function() kube.apply("manifests/note.yaml", { name = "one" }) end)
return twice
