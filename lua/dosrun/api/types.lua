-- The description as editor types (LuaLS annotations) and as help for people.
local api = require "dosrun.api"

local M = {}

local rooms = { "kube", "istio", "image", "http", "file", "process" }

local function has_text(text) return text ~= nil and text ~= "" end

local function name_of(entry) return entry[1] end

-- "kube.apply(source, values, options)"
local function signature(entry)
  if entry.value then return entry[1] end
  local words = {}
  for i, param in ipairs(entry.params or {}) do words[i] = param[1] end
  return ("%s(%s)"):format(entry[1], table.concat(words, ", "))
end

local function function_lines(out, entry, full)
  local words = {}
  out[#out + 1] = "--- " .. entry.summary
  for i, param in ipairs(entry.params or {}) do
    words[i] = param[1]
    local optional = param[2]:sub(-1) == "?"
    local kind = optional and param[2]:sub(1, -2) or param[2]
    if kind == "fun(t: dosrun.Test)" or not kind:find("[ ,]") then
      out[#out + 1] = ("---@param %s%s %s%s"):format(param[1], optional and "?" or "", kind, has_text(param[3]) and " " .. param[3] or "")
    end
  end
  if entry.returns then out[#out + 1] = ("---@return %s%s"):format(entry.returns[1], has_text(entry.returns[2]) and " # " .. entry.returns[2] or "") end
  out[#out + 1] = ("function %s(%s) end"):format(full, table.concat(words, ", "))
  out[#out + 1] = ""
end

local function class_lines(out, entry)
  out[#out + 1] = "--- " .. entry.summary
  out[#out + 1] = "---@class " .. entry.class
  for _, field in ipairs(entry.fields or {}) do
    out[#out + 1] = ("---@field %s %s%s"):format(field[1], field[2], has_text(field[3]) and " " .. field[3] or "")
  end
  local var = entry.class:match("%.(%w+)$")
  out[#out + 1] = ("local %s = {}"):format(var)
  out[#out + 1] = ""
  for _, method in ipairs(api) do
    if method[1] and method.class == entry.class then function_lines(out, method, var .. ":" .. method[1]:match(":(.+)$")) end
  end
end

-- The text of lua/meta/dosrun.lua.
function M.meta()
  local out = {
    "---@meta dosrun.v1", "-- Made from lua/dosrun/api by `dosrun new`; changes here are lost.", "",
    "---@class dosrun", "local dosrun = {}", "",
  }
  for _, entry in ipairs(api) do if entry.class and not entry[1] then class_lines(out, entry) end end
  for _, group in ipairs { "json", "yaml" } do
    out[#out + 1] = ("dosrun.%s = {}"):format(group)
  end
  for _, room in ipairs(rooms) do
    out[#out + 1] = ("---@class dosrun.%s\ndosrun.%s = {}"):format(room, room)
  end
  out[#out + 1] = ""
  for _, entry in ipairs(api) do
    local name = name_of(entry)
    if entry.value then
      out[#out + 1] = "--- " .. entry.summary
      out[#out + 1] = "---@type " .. entry.value
      out[#out + 1] = name .. " = nil"
      out[#out + 1] = ""
    elseif name and entry.global then
      function_lines(out, entry, name)
    elseif name and not entry.class then
      function_lines(out, entry, name:find("^dosrun%.") and name or "dosrun." .. name)
    end
  end
  out[#out + 1] = "return dosrun"
  return table.concat(out, "\n") .. "\n"
end

local function add_entry(out, entry)
  out[#out + 1] = signature(entry)
  out[#out + 1] = "  " .. entry.summary
  for _, param in ipairs(entry.params or {}) do
    if has_text(param[3]) then out[#out + 1] = ("  %-10s %s"):format(param[1], param[3]) end
  end
  if entry.returns then
    out[#out + 1] = ("  gives      %s%s"):format(entry.returns[1], has_text(entry.returns[2]) and ": " .. entry.returns[2] or "")
  end
  if entry.example then out[#out + 1] = "\n  " .. entry.example:gsub("\n", "\n  ") end
end

-- Help for a word: "kube.apply", "dosrun.kube.apply", "run:sleep"; a room ("kube") or "lua": its list. nil for others.
function M.help(word)
  local out = {}
  local plain = word:gsub("^dosrun%.", "")
  for _, entry in ipairs(api) do
    if entry[1] == word or entry[1] == plain or entry[1] == "dosrun." .. plain then add_entry(out, entry) end
  end
  if #out == 0 then
    for _, entry in ipairs(api) do
      local name = entry[1]
      if name and (word == "lua" or name:match("^(.-)[.:]") == word) then out[#out + 1] = ("%-40s %s"):format(signature(entry), entry.summary) end
    end
  end
  if #out == 0 then return nil end
  return table.concat(out, "\n") .. "\n"
end

-- { { name, example } } of all entries that have one.
function M.examples()
  local list = {}
  for _, entry in ipairs(api) do
    if entry.example then list[#list + 1] = { name = entry[1], example = entry.example } end
  end
  return list
end

return M
