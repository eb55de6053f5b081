-- Kinds of AWS resources: data that says how one is found, created, changed and deleted. engine/aws/resource.h reads the
-- same when a change is undone, without a playbook. A call is { "operation", { params }, at = JMESPath in the answer,
-- missing = codes that mean: there is none }; "${expression}" in params is filled in.
local native = require "dosrun.native.aws"
local script = require "dosrun.native.script"
local play = require "dosrun.playbook"
local run = require "dosrun.native.run"

local M = {}
local kinds = {}

local parts = { service = true, find = true, create = true, delete = true, fields = true, gives = true, wait = true,
  awaits = true, holds = true, bound = true }
local field_parts = { at = true, look = true, map = true, each = true, json = true, whole = true, inside = true, keep = true,
  first = true, put = true, unset = true }
local taken = { name = true, kind = true, region = true, role = true, adopt = true, found = true, fields = true, key = true, value = true }

local function list(value)
  if value == nil or type(value) == "table" then return value and script.array(value) end
  return script.array { value }
end

-- { "operation", { ... }, ... } as data; checked against the service's table.
local function call(def, one, what, reads)
  if one == nil then return nil end
  if type(one) ~= "table" or type(one[1]) ~= "string" then
    play.fail(4, '%s is a call: { "operation", { params }, at = "JMESPath", missing = "Code" }', what)
  end
  local operation = native.operation(def.service, one[1])
  if operation.reads ~= reads then
    play.fail(4, "%s: %s %s", what, operation.snake, reads and "may change something, and this only looks" or "changes nothing")
  end
  return { op = operation.name, params = one[2] or {}, at = one.at, missing = list(one.missing) }
end

local function field(def, kind, name, given)
  local what = ("kind %s, field %s"):format(kind, name)
  if type(given) ~= "table" then play.fail(4, '%s is a table: { at = "JMESPath in what was found", put = { ... } }', what) end
  play.check_names(given, field_parts, what, 4)
  if taken[name] then play.fail(4, "%s: this name is taken; call the field otherwise", what) end
  if (given.at == nil) == (given.look == nil) then play.fail(4, "%s needs either at or look", what) end
  return {
    name = name, at = given.at, look = call(def, given.look, what .. ": look", true), map = given.map and script.array(given.map),
    each = call(def, given.each, what .. ": each", true), json = given.json, whole = given.whole, inside = given.inside, keep = given.keep,
    first = given.first,
    put = call(def, given.put, what .. ": put", false), unset = call(def, given.unset, what .. ": unset", false),
  }
end

-- aws.kind("sqs.queue", { service = "sqs", find = ..., create = ..., delete = ..., fields = { ... } })
function M.define(name, def)
  if type(name) ~= "string" or not name:match("^[%w_-]+%.[%w_-]+$") then
    play.fail(3, 'aws.kind takes a name like "sqs.queue" and a table')
  end
  if kinds[name] then play.fail(3, "kind %q is defined already", name) end
  play.check_names(def, parts, "kind " .. name, 3)
  for _, part in ipairs { "service", "find", "create", "delete" } do
    if def[part] == nil then play.fail(3, "kind %s needs %s", name, part) end
  end
  local kind = { name = name, service = native.service(def.service), gives = def.gives or {}, awaits = def.awaits or {},
    wait = def.wait, bound_ms = def.bound and play.duration(def.bound, "bound"), holds = list(def.holds), fields = script.array {}, by_name = {} }
  kind.find = call(kind, def.find, ("kind %s: find"):format(name), true)
  kind.create = call(kind, def.create, ("kind %s: create"):format(name), false)
  kind.delete = call(kind, def.delete, ("kind %s: delete"):format(name), false)
  local names = {}
  for one in pairs(def.fields or {}) do names[#names + 1] = one end
  table.sort(names, function(a, b)
    local first, second = def.fields[a], def.fields[b]
    if type(first) == "table" and type(second) == "table" and not first.first ~= not second.first then return first.first end
    return a < b
  end)
  for i, one in ipairs(names) do
    kind.fields[i] = field(kind, name, one, def.fields[one])
    kind.by_name[one] = kind.fields[i]
  end
  kinds[name] = kind
end

function M.find(name)
  require "dosrun.aws.kinds"
  if type(name) ~= "string" then play.fail(3, 'aws.ensure needs kind = "s3.bucket", and a name') end
  local kind = kinds[name]
  if kind then return kind end
  local near = run.suggest(name, kinds)
  play.fail(3, "there is no kind %q of AWS resources%s; aws.kind(%q, ...) makes one", name,
    near and ("; did you mean %q?"):format(near) or "", name)
end

-- A field's value as a playbook writes it, in the form in which looks find it.
function M.value(kind, name, value)
  local one = kind.by_name[name]
  local what = ("%s: %s"):format(kind.name, name)
  if math.type(value) == "float" then return math.tointeger(value) or value end
  local function document(text)
    if type(text) ~= "string" or not one.json or not script.known(text) then return text end
    local ok, decoded = pcall(script.json_decode, text)
    if not ok then play.fail(4, "%s is no JSON: %s", what, type(decoded) == "table" and decoded.message or decoded) end
    return decoded
  end
  if value == script.null and one.map then return {} end
  if value == script.null or type(value) == "string" and not script.known(value) then return value end
  if not one.map then return document(value) end
  if type(value) ~= "table" then play.fail(4, "%s is a table, not %s", what, type(value)) end
  local map = {}
  for key, entry in pairs(value) do
    if type(key) == "number" and type(entry) == "string" and not one.map[2] and not one.each then
      map[entry] = true
    elseif type(key) ~= "string" then
      play.fail(4, "%s: each entry needs a name", what)
    else
      map[key] = document(entry)
    end
  end
  return map
end

return M
