-- Stands in for the native module while a playbook is checked: no time passes and nothing is shown.
local native = require "dosrun.native.online.run"

local M = {}
for name, value in pairs(native) do M[name] = value end

local sleeps = 0

function M.sleep()
  sleeps = sleeps + 1
  if sleeps > 200 then
    require("dosrun.native.script").raise { kind = "cancelled", code = "NotChecked", message = "it sleeps again and again" }
  end
end
function M.log() end
function M.wait() end
function M.drift() end
function M.report() end

return M
