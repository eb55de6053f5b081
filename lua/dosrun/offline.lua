-- `dosrun check`: a playbook is walked with nothing outside. What a read would have answered is a value
-- that can be indexed, called and put into texts; where it is needed for real, the walk of that step
-- ends with a note. The modules offline/* stand in for the native ones of the same name.
local script = require "dosrun.native.script"
local run = require "dosrun.native.run"

local M = {}

local ANSWERS_MAX = 200 -- of one check: a loop that waits for the world to change ends here
local FIELD = "(not known)" -- a document made of such a value holds its mark here, so it is not known either

local answers = 0
local last -- the newest answer's source
local sources = setmetatable({}, { __mode = "k" })
local found = { objects = {}, verbs = {}, notes = {} }

local function stop(why)
  script.raise { kind = "cancelled", code = "NotChecked", message = why }
end

local Unknown = { __name = "value that is not known yet" }

local function needed(a, b)
  stop("it needs " .. (sources[a] or sources[b] or "a value that is not known"))
end

local function mark(value)
  return rawget(value, FIELD)
end

-- A value known only after `source`: "reading Service dos-game/game".
function M.unknown(source)
  local value = setmetatable({ [FIELD] = script.unknown(source) }, Unknown)
  sources[value] = source
  return value
end

-- The answer of a read.
function M.answer(source)
  answers, last = answers + 1, source
  if answers > ANSWERS_MAX then stop("it asks again and again: " .. source) end
  return M.unknown(source)
end

function Unknown.__index(value, key)
  -- A list of them has one element, so that a loop over it is walked once and then ends as not checked.
  if type(key) == "number" and key ~= 1 then needed(value) end
  return M.unknown(sources[value])
end
function Unknown.__newindex() end
function Unknown.__call(value) return M.unknown(sources[value]) end
function Unknown.__tostring(value) return mark(value) end
function Unknown.__concat(a, b)
  return (sources[a] and mark(a) or a) .. (sources[b] and mark(b) or b)
end
for _, event in ipairs { "len", "lt", "le", "unm", "add", "sub", "mul", "div", "mod", "pow", "idiv", "pairs" } do
  Unknown["__" .. event] = needed
end

-- The same value as plain data: unknown ones become marked strings.
function M.plain(value)
  if type(value) ~= "table" then return value end
  if sources[value] then return mark(value) end
  local copy = script.is_array(value) and script.array {} or {}
  for key, member in pairs(value) do copy[key] = M.plain(member) end
  return copy
end

-- And back: what a step returned, for the steps after it.
function M.rich(value, source)
  if type(value) == "string" and not script.known(value) then return M.unknown(source) end
  if type(value) ~= "table" then return value end
  for key, member in pairs(value) do value[key] = M.rich(member, source) end
  return value
end

-- A function that wants a real string or number says so by the value's name.
local function is_ours(err)
  local text = type(err) == "table" and err.message or err
  return type(err) == "table" and err.code == "NotChecked" or type(text) == "string" and text:find(Unknown.__name, 1, true)
end

-- Where the error was raised is known only here, before the stack is gone.
local function explain(err)
  if not is_ours(err) or type(err) == "table" and err.code == "NotChecked" then return err end
  local file, line = script.place()
  return { kind = "cancelled", code = "NotChecked", message = "it needs " .. (last or "a value that is not known"), file = file, line = line }
end

-- A step's function, walked: plain data comes out.
function M.step(body, run, from)
  for other, value in pairs(from) do from[other] = M.rich(value, "step " .. other) end
  local ok, value = xpcall(body, explain, run, from)
  if not ok then error(value, 0) end
  return M.plain(value)
end

local function attempt(f, ...)
  local ok, value = pcall(f, ...)
  if ok then return value end
  if is_ours(value) then return M.unknown("a look at the target") end
  error(value, 0)
end

-- One use of a verb. Its own look and want are walked; the built-in ones have nothing to get wrong there.
function M.drive(spec, input, key)
  script.copy(M.plain(input.place and { key = key } or input)) -- what cannot be journalled is refused here too
  found.verbs[#found.verbs + 1] = spec.name
  if not spec.own then return M.unknown(key) end
  local now = attempt(spec.look, input)
  local want = attempt(spec.want, input, now)
  return want
end

-- A value that is not known yet becomes a word, so that the rest can be looked at.
local function filled(value)
  if type(value) == "string" then return script.known(value) and value or "unknown" end
  if type(value) ~= "table" then return value end
  for key, member in pairs(value) do value[key] = filled(member) end
  return value
end

-- What an API server would say about the object: the simulated one, by a dry run in memory. It knows the
-- fields of the built-in kinds; what it does not know at all is passed over.
local function look_at_fields(place, object)
  local kube = require "dosrun.native.online.kube"
  kube.discover()
  local resource = kube.resource(object.apiVersion, object.kind)
  if not resource then return end
  local known, copy = script.known(object), filled(script.copy(object))
  if resource.namespaced then copy.metadata.namespace = "default" end
  local ok, err = pcall(kube.request, {
    method = "POST", path = kube.path(copy.apiVersion, copy.kind, copy.metadata.namespace), reads = true, body = copy,
    query = { dryRun = "All", fieldValidation = "Strict" }, subject = "look at " .. object.kind,
  })
  if ok or type(err) ~= "table" or (err.status ~= 400 and err.status ~= 422) then return end
  local text = ("%s: %s"):format(place, err.message:gsub("^%u+ %S+: ", ""))
  if err.message:find("unknown field", 1, true) then
    M.note(text .. " (a newer cluster may know it)")
  elseif known then
    run.raise("usage", "K109", text, 3)
  end
end

-- One object of a manifest that would be applied: `place` is its file and line.
function M.applied(place, object)
  local plain = M.plain(object)
  found.objects[#found.objects + 1] = { place = place, object = plain }
  look_at_fields(place, plain)
end

-- Something that could not be looked at; told once.
function M.note(text)
  for _, other in ipairs(found.notes) do if other == text then return end end
  found.notes[#found.notes + 1] = text
end

-- What the walk met: { objects = { { file, text } }, verbs = number, notes = { text } }.
function M.found()
  local objects = {}
  for i, one in ipairs(found.objects) do
    objects[i] = { file = one.place:match("^(.-):%d+$") or one.place, text = script.yaml(one.object) }
  end
  return { objects = script.array(objects), verbs = #found.verbs, notes = script.array(found.notes) }
end

return M
