-- Stands in for the native module while a playbook is checked: files are read as they are; one that is
-- not there may be made by the run.
local native = require "dosrun.native.online.file"
local offline = require "dosrun.offline"

local M = { absolute = native.absolute, state = native.state }

function M.read(path)
  local text = native.read(path)
  if text == nil then return offline.answer("reading " .. path) end
  return text
end

function M.list(path)
  local names = native.list(path)
  if names == nil then return offline.answer("listing " .. path) end
  return names
end

return M
