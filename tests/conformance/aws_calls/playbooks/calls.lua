-- Stories of several services, each a change of its own: `make` creates, reads and changes things; its undo deletes them, by
-- what can be listed. They are one after the other, so that the journal's calls are in an order.
local dosrun = require "dosrun.v1"

local calls = dosrun.playbook { "calls", args = { { "cloud", dosrun.choice { "moto", "ministack" } } } }
local stories, order = {}, {}
-- moto's CloudFormation needs packages that are not brought.
local lacks = { moto = { cloudformation = true }, ministack = {} }
for _, file in ipairs { "identity", "network", "storage", "messages", "compute", "operations" } do
  for _, story in ipairs(require(file)) do
    stories[story.name] = story
    order[#order + 1] = story.name
  end
end

local tell = dosrun.verb { "story", class = "reversible",
  key = function(i) return "story " .. i.name end,
  look = function(i) return stories[i.name].there(i.cloud) or nil end,
  want = function() return true end,
  act = function(i) stories[i.name].make(i.cloud) end,
  undo = function(i) stories[i.name].clear(i.cloud) end }

for _, name in ipairs(order) do
  calls:step(name, function(run)
    if not lacks[run.args.cloud][name] then tell { name = name, cloud = run.args.cloud } end
  end)
end

return calls
