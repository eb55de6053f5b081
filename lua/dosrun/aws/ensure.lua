-- aws.ensure: one resource made so. Found by name, ours by its tags, created with them, changed field by field where it
-- differs; fields that are not named are left alone.
local native = require "dosrun.native.aws"
local changes = require "dosrun.native.change"
local script = require "dosrun.native.script"
local run = require "dosrun.native.run"
local play = require "dosrun.playbook"
local verb = require "dosrun.verb"
local values = require "dosrun.values"
local kinds = require "dosrun.aws.kind"

local M = {}

local PAUSES_MS = { 300, 700, 1500, 3000, 5000 } -- between looks that wait for what was just changed to be seen
local SEEN_MS, AWAIT_MS = 60000, 120000 -- a new resource must be seen by then; what it depends on, too

verb.final.NotOurs = true

local function key_of(input)
  return input.kind .. " " .. input.name .. (input.region and " in " .. input.region or "") .. (input.role and " as " .. input.role or "")
end

-- What the engine looks at and undoes; kind and name are the same, so that undo needs no playbook.
local function spec_of(input)
  local kind = kinds.find(input.kind)
  local info = run.info()
  return {
    op = "aws.call", kind = kind.name, name = input.name, service = kind.service, region = input.region or input.home, role = input.role,
    find = kind.find, fields = kind.fields, delete = kind.delete, holds = kind.holds, tagged = kind.by_name.tags ~= nil,
    id = input.id, run = info.id,
  }
end

local function look(input) return native.look(spec_of(input)) end

-- ---- whose it is ----

local function owned(input)
  local info = run.info()
  return { ["dosrun:target"] = info.target, ["dosrun:id"] = input.id, ["dosrun:run"] = info.id }
end

local function is_ours(input, now)
  local tags, mine = now.fields.tags, owned(input)
  return not tags or tags["dosrun:id"] == mine["dosrun:id"] and tags["dosrun:target"] == mine["dosrun:target"]
end

local function may_adopt(input)
  if input.adopt then return true end
  for _, adopted in ipairs(run.info().adopt or {}) do if adopted == key_of(input) then return true end end
  return false
end

local function refuse(input, now)
  local tags = now.fields.tags
  local whose = tags["dosrun:target"] and ("belongs to dosrun's target %q"):format(tags["dosrun:target"]) or "was not made by dosrun"
  error({
    kind = "conflict", code = "NotOurs", explain = "A106",
    message = ("%s is there already and %s; it is not changed. Take it over with adopt = true or --adopt %q, or choose another name")
      :format(key_of(input), whose, key_of(input)),
  }, 0)
end

-- ---- what is wanted ----

-- Services keep the meaning of a policy, not its form; what they call a secret is one, whatever the playbook says.
local function equal(field, a, b)
  return values.equal(a, b) or a ~= nil and b ~= nil and native.same(field, a, b)
end

local function differs(input, now, fields)
  local by_name = kinds.find(input.kind).by_name
  for name, value in pairs(fields) do if not equal(by_name[name], now.fields[name], value) then return true end end
  return false
end

local function wanted_fields(input, now)
  local kind, fields = kinds.find(input.kind), {}
  for name, value in pairs(input.fields) do
    if value ~= script.null and kind.by_name[name].keep and now then
      local merged = script.copy(now.fields[name] or {})
      for key, one in pairs(value) do merged[key] = one end
      value = merged
    end
    fields[name] = value
  end
  return fields
end

local function want(input, now)
  local kind = kinds.find(input.kind)
  local fields = wanted_fields(input, now)
  if now and not is_ours(input, now) and not input.made then
    if not may_adopt(input) then
      for name, value in pairs(fields) do if value == script.null then fields[name] = nil end end
      if differs(input, now, fields) then refuse(input, now) end
      return now -- as wanted, and somebody else's: used as it is
    end
  end
  if kind.by_name.tags then
    local tags, mine = script.copy(fields.tags or now and now.fields.tags or {}), owned(input)
    if now and is_ours(input, now) then mine["dosrun:run"] = now.fields.tags["dosrun:run"] end
    for key, value in pairs(mine) do tags[key] = value end
    fields.tags = tags
  end
  local all = now and script.copy(now.fields) or {}
  for name, value in pairs(fields) do
    if value == script.null then all[name] = nil else all[name] = value end
  end
  return { fields = all, found = now and now.found }
end

local function same(now, wanted, input)
  if now == nil then return wanted == nil end
  for _, field in ipairs(kinds.find(input.kind).fields) do
    if not equal(field, now.fields[field.name], wanted.fields[field.name]) then return false end
  end
  return true
end

-- ---- acting ----

local function context(input, now)
  return { name = input.name, region = input.region or input.home, found = now and now.found }
end

-- What it depends on may not be visible yet to the service (a principal made a moment ago): waited for, bounded.
local function send(input, call, params, what)
  local kind, began = kinds.find(input.kind), run.now()
  local request = { service = kind.service, operation = call.op, params = params, region = input.region, role = input.role,
    subject = ("aws %s %s of %s"):format(kind.service, call.op, what) }
  while true do
    local ok, answer = pcall(native.request, request)
    if ok then return answer end
    local text = type(answer) == "table" and answer.code and kind.awaits[answer.code]
    if not text or not answer.message:find(text, 1, true) or run.now() - began > AWAIT_MS or changes.stopping() then error(answer, 0) end
    run.sleep(PAUSES_MS[#PAUSES_MS])
  end
end

local function create(input)
  local kind = kinds.find(input.kind)
  local filled = context(input)
  for name, value in pairs(want(input, nil).fields) do filled[name] = native.wire(kind.by_name[name], value) end
  return send(input, kind.create, native.fill(kind.create, filled), key_of(input))
end

-- Looks until judge(state) is true; the last state.
local function look_until(input, judge, most_ms)
  local began, round = run.now(), 1
  while true do
    local state = look(input)
    if judge(state) or run.now() - began >= most_ms or changes.stopping() then return state end
    run.sleep(PAUSES_MS[math.min(round, #PAUSES_MS)])
    round = round + 1
  end
end

local function is_there(state) return state ~= nil end

-- Found after its creation; also after one that came before and was not seen.
local function created(input, change)
  local ok, problem = pcall(create, input)
  if ok then
    local undo = change:undo()
    undo.made = true
    change:undo(undo)
  end
  if not ok and not (type(problem) == "table" and problem.kind == "conflict") then error(problem, 0) end
  input.made = ok
  local state = look_until(input, is_there, ok and SEEN_MS or 15000)
  if not state then error(ok and { kind = "timeout", code = "NotSeen", message = key_of(input) .. " was created and is not seen" } or problem, 0) end
  return state
end

local function wait(input, now)
  local kind = kinds.find(input.kind)
  if not kind.wait then return now end
  local client = require("dosrun.aws").client(kind.service, { region = input.region, role = input.role })
  client:wait(kind.wait[1], native.fill({ params = kind.wait[2] or {} }, context(input, now)), { timeout = kind.wait.timeout })
  return look(input) or now
end

-- sent: what went out already; some requests put several fields at once.
local function put(input, field, now, wanted, key, value, sent)
  local filled, call = context(input, now), value == nil and field.unset or value ~= nil and field.put
  local place = field.name .. (key and ("[%s]"):format(key) or "")
  if not call then
    run.raise("usage", "A107", ("%s: %s cannot be %s"):format(key_of(input), place, value == nil and "unset" or "changed once it is there"), 2)
  end
  filled.key, filled.fields = key, wanted.fields
  if value ~= nil then filled.value = native.wire(field, value, key ~= nil) end
  local params = native.fill(call, filled)
  local last = sent[call.op]
  if last and values.equal(last, params) then return end
  send(input, call, params, ("%s: %s"):format(key_of(input), place))
  sent[call.op] = params
end

local function put_entries(input, field, now, wanted, old, new, sent)
  for key, value in pairs(new) do
    if not equal(field, old[key], value) then put(input, field, now, wanted, key, value, sent) end
  end
  for key in pairs(old) do if new[key] == nil then put(input, field, now, wanted, key, nil, sent) end end
end

-- Each value that the run sets is known to its undo before it is sent.
local function journal(input, change, now, wanted)
  local undo, more, by_name = change:undo(), false, kinds.find(input.kind).by_name
  for name, new in pairs(wanted.fields) do
    local list = undo.ours[name] or script.array {}
    local known = equal(by_name[name], now.fields[name], new)
    for _, value in ipairs(list) do known = known or values.equal(value, new) end
    if not known then
      list[#list + 1] = new
      undo.ours[name], more = list, true
    end
  end
  for name in pairs(now.fields) do
    local list = undo.ours[name] or script.array {}
    if wanted.fields[name] == nil and list[#list] ~= script.null then
      list[#list + 1] = script.null
      undo.ours[name], more = list, true
    end
  end
  if more then change:undo(undo) end
end

local function act(input, now, change)
  if now == nil then now = wait(input, created(input, change)) end
  local wanted = want(input, now)
  if same(now, wanted, input) then return now end
  journal(input, change, now, wanted)
  local sent = {}
  for _, field in ipairs(kinds.find(input.kind).fields) do
    local old, new = now.fields[field.name], wanted.fields[field.name]
    if not equal(field, old, new) then
      if field.map and not field.whole then
        put_entries(input, field, now, wanted, old or {}, new or {}, sent)
      else
        if field.map and next(new or {}) == nil then new = nil end
        put(input, field, now, wanted, nil, new, sent)
      end
    end
  end
  return look_until(input, function(state) return state ~= nil and same(state, want(input, state), input) end, 10000)
end

-- ---- the verb ----

local function undo_data(input, before, wanted)
  local undo, ours, by_name = spec_of(input), {}, kinds.find(input.kind).by_name
  for name, value in pairs(wanted.fields) do
    if not (before and equal(by_name[name], before.fields[name], value)) then ours[name] = script.array { value } end
  end
  for name in pairs(before and before.fields or {}) do
    if wanted.fields[name] == nil then ours[name] = script.array { script.null } end
  end
  undo.ours = ours
  return undo
end

local function result(state, input)
  local kind, gives = kinds.find(input.kind), script.copy(state and state.found or {})
  if state and state.found then
    for name, value in pairs(native.fill({ params = kind.gives }, context(input, state))) do gives[name] = value end
  else
    for name in pairs(kind.gives) do gives[name] = script.unknown(key_of(input)) end
  end
  return gives
end

local function fields(now, wanted, input)
  local list = {}
  if now then
    local old, new = {}, {}
    for _, field in ipairs(kinds.find(input.kind).fields) do
      local name = field.name
      if not equal(field, now.fields[name], wanted.fields[name]) then old[name], new[name] = now.fields[name], wanted.fields[name] end
    end
    return changes.diff(old, new)
  end
  for name, value in pairs(wanted.fields) do list[#list + 1] = { path = name, new = value } end
  return list
end

local function record(state) return state and { fields = state.fields } end

local function drive(input)
  local kind = kinds.find(input.kind)
  return verb.drive({
    name = "aws.ensure", class = "reversible", bound_ms = kind.bound_ms, rewants = true, answers = true, partial = true,
    key = key_of, look = look, want = want, same = same, act = act, undo_data = undo_data, fields = fields, record = record, result = result,
  }, input)
end

-- Offline only names and parameters can be wrong.
local function check(input)
  local kind = kinds.find(input.kind)
  if not script.known(input.fields) or not script.known(input.name) then return end
  local filled = context(input)
  filled.region = filled.region or "us-east-1"
  for name, value in pairs(input.fields) do
    if value ~= script.null then filled[name] = native.wire(kind.by_name[name], value) end
  end
  native.check(kind.service, kind.create.op, native.fill(kind.create, filled))
end

local options = { kind = true, name = true, region = true, role = true, adopt = true }

function M.ensure(given)
  if type(given) ~= "table" then play.fail(3, 'aws.ensure takes { kind = "s3.bucket", name = "...", ... }') end
  local kind = kinds.find(given.kind)
  local known = {}
  for name in pairs(options) do known[name] = true end
  for name in pairs(kind.by_name) do known[name] = true end
  play.check_names(given, known, "aws.ensure " .. kind.name, 3)
  if type(given.name) ~= "string" or given.name == "" then play.fail(3, "aws.ensure %s needs a name", kind.name) end
  local input = { kind = kind.name, name = given.name, region = given.region, role = given.role, adopt = given.adopt or nil,
    home = native.region(), id = (kind.name .. "/" .. given.name):gsub("[^%w _.:/=+@-]", "_"), fields = {} }
  for name, value in pairs(given) do
    if kind.by_name[name] then input.fields[name] = kinds.value(kind, name, value) end
  end
  if changes.mode() == "check" then check(input) end
  return drive(input)
end

return M
