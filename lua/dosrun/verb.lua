-- The verb: look, want, act, look again. What is so already is left alone; what was found before the
-- first act is the undo. The C half (dosrun.native.change) journals and keeps the gate.
local script = require "dosrun.native.script"
local values = require "dosrun.values"
local native = require "dosrun.native.change"
local run = require "dosrun.native.run"
local play = require "dosrun.playbook"

local M = { registered = {} }

local ROUNDS = 4          -- acts of one change, the first included
local PAUSE_MS = { 300, 1000, 3000 }

-- Kinds of errors after which looking and acting again makes sense.
local again = { network = true, timeout = true, server = true, throttled = true, conflict = true, ["unknown-outcome"] = true }

-- Codes of errors that another round would only meet again.
M.final = { FieldManagerConflict = true }

local function rethrow(problem) error(problem, 0) end

-- One run of a verb on one resource. spec: name, version, class, bound_ms, key, look, want(i, now),
-- act(i, now, change), undo_data(i, before, want); if wanted: same(now, want, i), fields(before, want, i) for
-- the plan, result(after, i), record(value) as journalled, answers: act returns what look would find,
-- rewants: what is wanted depends on what is there, partial: a plan names its fields also when some are not known.
function M.drive(spec, input)
  local key = spec.key(input)
  if type(key) ~= "string" or key == "" then play.fail(3, "verb %s: key(i) must return a string that names the resource", spec.name) end
  local change <close> = native.open { verb = spec.name, version = spec.version or 1, key = key, class = spec.class, bound_ms = spec.bound_ms }
  if native.mode() == "check" then return require("dosrun.offline").drive(spec, input, key) end
  local same = spec.same or values.equal
  local now = spec.look(input)
  local want = spec.want(input, now)
  if not script.known(want) or not script.known(now) then
    if native.mode() == "forward" then play.fail(3, "%s: it depends on a value that is not known", key) end
    if spec.partial and script.known(now) then
      change:would(now == nil and "+" or "~", script.array(spec.fields(now, want, input)), spec.undo_data(input, now, want))
    else
      change:would("~", script.array { { path = "", new = want } }, {})
    end
    return spec.result and spec.result(want, input) or want
  end
  if now ~= nil then change:seen() end
  if same(now, want, input) then
    change:same()
    return spec.result and spec.result(now, input) or now
  end
  local before = now
  if change:acted() then before = change:before() end
  local undo = spec.undo_data(input, before, want)
  if native.mode() ~= "forward" then
    change:would(now == nil and "+" or want == nil and "-" or "~",
      script.array(spec.fields and spec.fields(now, want, input) or native.diff(now, want)), undo)
    if spec.result then return spec.result(want, input) end
    return want
  end
  local record = spec.record or function(value) return value end
  change:begin((spec.record_before or record)(before), record(want), undo)
  local problem
  for round = 1, ROUNDS do
    local ok, answer = pcall(spec.act, input, now, change)
    problem = not ok and answer or nil
    local looked, found = true, answer
    if not (ok and spec.answers) then looked, found = pcall(spec.look, input) end
    if looked and spec.rewants then looked, want = pcall(spec.want, input, found) end
    if looked then
      if found ~= nil then change:seen() end
      if same(found, want, input) then
        change:finish(record(found))
        return spec.result and spec.result(found, input) or found
      end
      now = found
    end
    if ok and looked then
      problem = { kind = "conflict", message = ("%s: after act, look still finds something else: %s"):format(key,
        M.describe(spec, found, want, input)), code = "NotAsWanted" }
    elseif ok then
      problem = found
    end
    local kind = type(problem) == "table" and problem.kind or nil
    if round == ROUNDS or not again[kind] or M.final[problem.code] or native.stopping() then break end
    run.sleep(PAUSE_MS[round])
  end
  change:fail(problem)
  rethrow(problem)
end

-- "spec.replicas: 2, wanted 3; ...", three differences at most.
function M.describe(spec, found, want, input)
  local fields = spec.fields and spec.fields(found, want, input) or native.diff(found, want)
  local parts = {}
  for i, field in ipairs(fields) do
    if i > 3 then parts[i] = ("and %d more"):format(#fields - 3) break end
    parts[i] = ("%s is %s, wanted %s"):format(field.path == "" and "it" or field.path, values.show(field.old), values.show(field.new))
  end
  return table.concat(parts, "; ")
end

local known = { class = true, version = true, key = true, look = true, want = true, act = true, undo = true, bound = true }
local classes = { reversible = true, compensable = true, pivot = true }

-- dosrun.verb { "name", class = ..., key = f(i), look = f(i), want = f(i), act = f(i, before), undo = f(i, before) }
-- gives a function: verb{...} looks, and acts only where needed. Plain data in, plain data kept.
function M.verb(spec)
  if type(spec) ~= "table" or type(spec[1]) ~= "string" then
    play.fail(2, 'dosrun.verb takes { "name", class = ..., key = ..., look = ..., want = ..., act = ..., undo = ... }')
  end
  local name = spec[1]
  play.check_names(spec, known, ("verb %q"):format(name), 2)
  for _, member in ipairs { "key", "look", "want", "act" } do
    if type(spec[member]) ~= "function" then play.fail(2, "verb %q: %s must be a function", name, member) end
  end
  local class = spec.class or "reversible"
  if not classes[class] and not class:match("^until:") then
    play.fail(2, 'verb %q: class is "reversible", "compensable" or "pivot", not %q', name, class)
  end
  if class ~= "pivot" and type(spec.undo) ~= "function" then
    play.fail(2, 'verb %q: write undo = function(i, before) ... end, or say class = "pivot" when it cannot be undone', name)
  end
  if M.registered[name] then play.fail(2, "verb %q is defined twice", name) end
  M.registered[name] = spec
  local driven = {
    name = name, version = spec.version or 1, class = class, key = spec.key, look = spec.look, want = spec.want, act = spec.act,
    own = true,
    bound_ms = spec.bound and play.duration(spec.bound, "bound") or nil,
    undo_data = function(input)
      if class == "pivot" then return { op = "none", why = ("%s cannot be undone"):format(name) } end
      return { op = "verb.undo", name = name, version = spec.version or 1, input = input }
    end,
  }
  return function(input) return M.drive(driven, input) end
end

-- Executes verb.undo for a verb of the user's: called by the engine in a task, its gate open.
-- Gives "undone", "already", "foreign" or "failed", and a list of what was left.
function M.undo(data, before, after, plan, after_known)
  local spec = M.registered[data.name]
  if not spec then
    return "failed", { { what = ("the playbook of this run defines no verb %q"):format(data.name) } }
  end
  if (spec.version or 1) ~= data.version then
    return "failed", { { what = ("verb %q has version %s, its undo data version %s"):format(data.name, spec.version or 1, data.version) } }
  end
  local now = spec.look(data.input)
  if values.equal(now, before) then return "already" end
  if after_known and not values.equal(now, after) then
    return "foreign", { { what = "somebody changed it since: " .. M.describe(spec, now, after, data.input) } }
  end
  if plan then return "undone" end
  for round = 1, ROUNDS do
    local ok, problem = pcall(spec.undo, data.input, before)
    local looked, found = pcall(spec.look, data.input)
    if looked and values.equal(found, before) then return "undone" end
    if ok and looked then
      return "failed", { { what = "after its undo it is not as before: " .. M.describe(spec, found, before, data.input) } }
    end
    problem = not ok and problem or found
    local kind = type(problem) == "table" and problem.kind or nil
    if round == ROUNDS or not again[kind] then rethrow(problem) end
    run.sleep(PAUSE_MS[round])
  end
end

return M
