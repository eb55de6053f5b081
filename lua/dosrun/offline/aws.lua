-- Stands in for the native module while a playbook is checked: names and parameters are, by the same table; answers are
-- not known.
local online = require "dosrun.native.online.aws"
local offline = require "dosrun.offline"

local M = {}
for _, name in ipairs { "check", "fill", "operation", "query", "region", "service", "services", "waiter", "wire" } do M[name] = online[name] end

function M.request(request)
  online.check(request.service, request.operation, request.params)
  return offline.answer(("aws %s %s"):format(request.service, online.operation(request.service, request.operation).name)), 200
end

function M.judge() return "success", "" end
function M.next() return nil end

return M
