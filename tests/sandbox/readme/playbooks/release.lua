local dosrun = require "dosrun.v1"
local file, http, process = dosrun.file, dosrun.http, dosrun.process

local release = dosrun.playbook { "release", summary = "Number a version, tag it, announce it", args = { { "number" } } }

local tag = dosrun.verb { "tag", class = "reversible", -- a verb of one's own, here on a program
  key  = function(i) return "git tag " .. i.name end,
  look = function(i) return process.run({ "git", "tag", "--list", i.name }, { reads = true }).stdout ~= "" end,
  want = function() return true end,
  act  = function(i) process.run { "git", "tag", i.name } end,
  undo = function(i) process.run { "git", "tag", "--delete", i.name } end }

release:step("number", function(run) file.write("VERSION", run.args.number .. "\n") end)
release:step("tag", function(run) tag { name = "v" .. run.args.number } end)
release:step("announce", function(run)
  http.resource { url = "https://status.example.com/release", body = { version = run.args.number } }
end)
return release
