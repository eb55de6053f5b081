-- Stands in for the native module while a playbook is checked.
local run = require "dosrun.native.run"
local offline = require "dosrun.offline"

local M = {}

local reads = { GET = true, HEAD = true, OPTIONS = true }

function M.request(request)
  local what = request.method .. " " .. tostring(request.url)
  if not reads[request.method] then
    run.raise("usage", "S401", what .. " would change something outside of a verb; wrap it in dosrun.verb", 3)
  end
  if type(request.url) == "string" and request.url:find("://", 1, true) and not request.url:match("^https?://") then
    run.raise("usage", "S404", what .. ": a URL begins with https://, or http:// for this machine itself", 3)
  end
  return {
    status = 200, headers = offline.answer(what), body = offline.answer(what),
    json = function() return offline.answer(what) end,
  }
end

return M
