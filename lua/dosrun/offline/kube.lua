-- Stands in for the native module while a playbook is checked: kinds from a list, reads not known.
local run = require "dosrun.native.run"
local offline = require "dosrun.offline"
local groups = require "dosrun.offline.kinds"

local M = {}

local function nothing() end
M.discover, M.rediscover, M.watch_any = nothing, nothing, nothing

local function plural_of(kind)
  local word = kind:lower()
  if word:match("[^aeiou]y$") then return word:sub(1, -2) .. "ies" end
  if word:match("ss$") or word:match("x$") then return word .. "es" end
  if word:match("s$") then return word end
  return word .. "s"
end

-- "*" in a kind's short name: it belongs to no namespace.
local function resource_of(group, version, kind, short)
  return {
    group = group.name, version = version, api_version = (group.name ~= "" and group.name .. "/" or "") .. version, kind = kind,
    plural = plural_of(kind), short = short:gsub("%*$", ""), namespaced = short:sub(-1) ~= "*",
  }
end

local function by_word(word)
  local words, lower = {}, word:lower()
  for _, group in ipairs(groups) do
    for kind, short in pairs(group.kinds) do
      local one = resource_of(group, group.versions[1], kind, short)
      local named = { kind:lower(), one.plural, one.short }
      for _, name in ipairs(named) do
        if name ~= "" and (name == lower or name .. "." .. group.name == lower) then return one end
      end
      words[kind] = true
    end
  end
  local near = run.suggest(word, words)
  if near then return nil, ("no kind %q is known; did you mean %q?"):format(word, near) end
  offline.note(("kind %s is not known offline: its name and scope were not checked"):format(word))
  return { group = "", version = "v1", api_version = "v1", kind = word, plural = plural_of(word), assumed = true }
end

local function assumed(api_version, kind, why)
  offline.note(("%s %s: %s"):format(api_version, kind, why))
  local group, version = api_version:match("^(.-)/?([^/]+)$")
  return { group = group, version = version, api_version = api_version, kind = kind, plural = plural_of(kind), assumed = true }
end

function M.resource(api_version, word)
  if not api_version then return by_word(word) end
  local name, version = api_version:match("^(.-)/?([^/]+)$")
  local kinds, names = {}, {}
  for _, group in ipairs(groups) do
    names[group.name ~= "" and group.name .. "/" .. group.versions[1] or "v1"] = true
    if group.name == name then
      local short = group.kinds[word]
      for _, known in ipairs(group.versions) do
        if known == version and short then return resource_of(group, version, word, short) end
      end
      if version:match("^v%d+%a+%d+$") and short then return assumed(api_version, word, "this version is not known offline") end
      for kind in pairs(group.kinds) do kinds[kind] = true end
      if not short then
        local near = run.suggest(word, kinds)
        return nil, ("%s has no kind %q%s"):format(api_version, word, near and ("; did you mean %q?"):format(near) or "")
      end
      return nil, ("%s has no version %q; it has %s"):format(name == "" and "the core group" or name, version, table.concat(group.versions, ", "))
    end
  end
  local near = run.suggest(api_version, names)
  if near or name == "" then
    return nil, ("no cluster has %q%s"):format(api_version, near and ("; did you mean %q?"):format(near) or "")
  end
  return assumed(api_version, word, "a kind of somebody else's; its scope and fields were not checked")
end

function M.resources()
  local all = {}
  for _, group in ipairs(groups) do
    for kind, short in pairs(group.kinds) do all[#all + 1] = resource_of(group, group.versions[1], kind, short) end
  end
  return all
end

-- Only ever shown.
function M.path(_, kind, namespace, name, sub)
  if not name then return "the list of " .. kind end
  return ("%s %s%s%s"):format(kind, namespace and namespace .. "/" or "", name, sub and "/" .. sub or "")
end

function M.request(request)
  local method = request.method or "GET"
  local what = request.subject or (method == "GET" and "" or method .. " ") .. tostring(request.path)
  if method ~= "GET" and not request.reads then
    run.raise("usage", "S401", what .. " would change something outside of a verb; wrap it in dosrun.verb", 3)
  end
  return offline.answer(what), 200
end

function M.config()
  return { context = "", server = "", namespace = tostring(offline.unknown("the context's namespace")), source = "" }
end

function M.applied() return nil end
function M.settled() return false end
function M.diff() return {} end
function M.trim(object) return object end
function M.manager_of() return nil end
function M.watch(_, kind) return offline.answer("watching " .. kind) end

return M
