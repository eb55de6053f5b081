-- Comparing and showing plain values.
local script = require "dosrun.native.script"

local M = {}

-- Deep equality of plain data; 1 and 1.0 are equal, null equals null only, {} equals [].
function M.equal(a, b)
  if rawequal(a, b) then return true end
  if type(a) ~= type(b) then return false end
  if type(a) ~= "table" then return a == b end
  for key, value in pairs(a) do if not M.equal(value, b[key]) then return false end end
  for key in pairs(b) do if a[key] == nil then return false end end
  return true
end

-- A short text for people: strings in quotes, tables as JSON, cut after 120 bytes.
function M.show(value)
  local text
  if value == nil then text = "nothing"
  elseif type(value) == "string" then text = ("%q"):format(value):gsub("\\\n", "\\n")
  elseif type(value) == "table" then text = script.json(value)
  else text = tostring(value) end
  if #text > 120 then text = text:sub(1, 117) .. "..." end
  return text
end

-- A deep copy of plain data.
function M.copy(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, one in pairs(value) do copy[key] = M.copy(one) end
  return setmetatable(copy, getmetatable(value))
end

return M
