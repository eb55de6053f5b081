-- Stands in for the native module while a playbook is checked.
local run = require "dosrun.native.run"
local offline = require "dosrun.offline"

local M = {}

function M.run(request)
  if not request.reads then
    run.raise("usage", "S401", ("running %s may change something, outside of a verb's act; wrap it in dosrun.verb, or say reads = true")
      :format(request.argv[1]), 3)
  end
  local what = "running " .. request.argv[1]
  return { status = 0, stdout = offline.answer(what), stderr = offline.answer(what) }
end

return M
