-- kube.apply: every object of a set made so, by server-side apply, in order, side by side where they are
-- independent; the set's inventory in the cluster; what left the set pruned.
local native = require "dosrun.native.kube"
local manifest = require "dosrun.native.manifest"
local script = require "dosrun.native.script"
local task = require "dosrun.native.task"
local changes = require "dosrun.native.change"
local run = require "dosrun.native.run"
local play = require "dosrun.playbook"
local verb = require "dosrun.verb"
local object = require "dosrun.kube.object"
local remove = require "dosrun.kube.remove"
local offline = require "dosrun.offline"
local drift = require "dosrun.kube.drift"

local M = {}

local APPLY = "application/apply-patch+yaml"
local LIST_FROM = 4 -- objects of one kind and namespace from which one list is cheaper than single reads

-- ---- one object ----

-- GET, nil when there is no such object, namespace or kind yet.
local function read(ref)
  local ok, path = pcall(object.path, ref)
  if not ok then
    if changes.mode() == "forward" then error(path, 0) end
    return nil -- a plan: its CRD comes with the same set
  end
  local got, found = pcall(native.request, { path = path, subject = "read " .. object.key(ref) })
  if got then return found end
  if type(found) == "table" and found.kind == "missing" then return nil end
  error(found, 0)
end
M.read = read

-- "ann, 2026-11-23T18:36:50Z; bob, ...": when the managers that a conflict names wrote last.
local function writers(message, now)
  local times, list = {}, {}
  for _, entry in ipairs(now and now.metadata.managedFields or {}) do
    if entry.time and (times[entry.manager] or "") < entry.time then times[entry.manager] = entry.time end
  end
  for manager in message:gmatch 'onflicts? with "([^"]+)"' do
    if times[manager] then list[#list + 1] = ("%s, %s"):format(manager, times[manager]) end
    times[manager] = nil
  end
  return #list > 0 and (" (last written by %s)"):format(table.concat(list, "; ")) or ""
end

-- "Apply failed with 1 conflict: conflict with \"x\" using apps/v1: .spec.replicas" told with the ways out.
local function explain_conflict(err, input, now)
  if type(err) == "table" and err.kind == "conflict" and err.message:find("Apply failed with", 1, true) then
    err.code, err.explain = "FieldManagerConflict", "K101"
    err.message = ("%s: another manager owns fields that the manifest sets: %s%s. "
      .. "Leave these fields out of the manifest, or take them over with { force = true } for this object")
      :format(object.key(input.ref), err.message, writers(err.message, now))
  end
  error(err, 0)
end

local function send(input, now, dry)
  local body = input.manifest
  local query = { fieldManager = object.manager, fieldValidation = "Strict" }
  if input.force then query.force = "true" end
  if dry then query.dryRun = "All" end
  if now and now.metadata.resourceVersion and not dry then
    -- With the version that was looked at, a late arrival of this very request is refused by the server.
    body = input.guard(now.metadata)
  end
  local ok, answer = pcall(native.request, {
    method = "PATCH", path = object.path(input.ref), query = query, content_type = APPLY, body = body, reads = dry or nil,
    guarded = now ~= nil and not dry, subject = (dry and "try " or "apply ") .. object.key(input.ref),
  })
  if not ok then explain_conflict(answer, input, now) end
  return answer
end

-- Has dosrun ever written this object? Foreign ones are taken over on purpose only.
local function is_ours(now)
  if (now.metadata.labels or {})["app.kubernetes.io/managed-by"] == object.manager then return true end
  for _, entry in ipairs(now.metadata.managedFields or {}) do if entry.manager == object.manager then return true end end
  return false
end

local function check_ours(input, now)
  if is_ours(now) then return end
  local key = object.key(input.ref)
  for _, adopted in ipairs(run.info().adopt or {}) do if adopted == key then return end end
  error({
    kind = "conflict", code = "FieldManagerConflict", explain = "K110",
    message = ("%s is there already and dosrun did not make it; it is not touched. Take it over with --adopt %q, or choose another name")
      :format(key, key),
  }, 0)
end

local unchecked = "not checked by the server: what it lives in comes with the same plan"

local function want(input, now)
  if now and now.metadata.deletionTimestamp then
    error({ kind = "conflict", message = object.key(input.ref) .. " is being deleted", code = "BeingDeleted" }, 0)
  end
  if now == nil then
    if changes.mode() == "forward" or not script.known(input.manifest) then return input.manifest end
    local ok, answer = pcall(send, input, nil, true)
    if not ok and type(answer) == "table" and (answer.kind == "missing" or answer.kind == "usage" or answer.kind == "denied") then
      input.note = unchecked
      return input.manifest
    elseif not ok then
      error(answer, 0)
    end
    return input.manifest
  end
  check_ours(input, now)
  if native.settled(now, input.manifest, object.manager) then return now end
  if not script.known(input.manifest) then return input.manifest end
  return send(input, now, true)
end

local function same(now, wanted)
  if now == nil or wanted == nil then return now == wanted end
  return rawequal(now, wanted) or #native.diff(now, wanted) == 0
end

-- What a new object will hold, leaf by leaf; what its key says already is left out.
local function leaves(one)
  local fields, said = {}, { apiVersion = true, kind = true, ["metadata.name"] = true, ["metadata.namespace"] = true }
  local function walk(value, path)
    if type(value) ~= "table" or next(value) == nil then
      if not said[path] and not path:find("^metadata%.labels%.") then fields[#fields + 1] = { path = path, new = value } end
    elseif script.is_array(value) or #value > 0 then
      for index, item in ipairs(value) do
        local name = type(item) == "table" and item.name
        walk(item, name and ("%s[name=%s]"):format(path, name) or ("%s[%d]"):format(path, index))
      end
    else
      for key, item in pairs(value) do walk(item, path == "" and key or path .. "." .. key) end
    end
  end
  walk(one, "")
  return fields
end

M.verb = {
  name = "kube.apply", class = "reversible",
  key = function(input) return object.key(input.ref) end,
  look = function(input)
    local first = input.first
    if first ~= nil then
      input.first = nil
      return first or nil
    end
    return read(input.ref)
  end,
  want = want, same = same, rewants = true, answers = true,
  act = function(input, now, change)
    local answer = send(input, now, false)
    if not change:found() then
      change:undo { op = "kube.delete", ref = input.ref, uid = answer.metadata.uid, applied = native.applied(answer, object.manager) }
    end
    return answer
  end,
  undo_data = function(input, before)
    if before == nil then return { op = "kube.delete", ref = input.ref } end
    return { op = "kube.fields", ref = input.ref, uid = before.metadata.uid, applied = native.applied(before, object.manager) }
  end,
  fields = function(now, wanted) return now and native.diff(now, wanted) or leaves(wanted) end,
  -- Undo asks who owned what before, so the managed fields stay; of what is left afterwards the fields are enough.
  record_before = function(value) return value and native.without_status(value) end,
  record = function(value) return value and native.trim(value, true) end,
  result = function(after) return after end,
}

-- ---- a set ----

local function flatten(entries, out)
  for _, entry in ipairs(entries) do
    if type(entry.object) == "table" and entry.object.kind == "List" then
      local items = {}
      for i, item in ipairs(entry.object.items or {}) do items[i] = { object = item, line = entry.line } end
      flatten(items, out)
    else
      out[#out + 1] = entry
    end
  end
  return out
end

local function check_object(entry, where)
  local one = entry.object
  local place = entry.line and ("%s:%d"):format(where, entry.line) or where
  if type(one) ~= "table" or type(one.apiVersion) ~= "string" or type(one.kind) ~= "string" then
    run.raise("usage", "M504", place .. ": an object needs apiVersion and kind", 3)
  end
  if type(one.metadata) ~= "table" or type(one.metadata.name) ~= "string" or one.metadata.name == "" then
    run.raise("usage", "M504", ("%s: %s needs metadata.name"):format(place, one.kind), 3)
  end
  return place
end

-- The kinds that CustomResourceDefinitions of the same set bring.
local function brought_kinds(entries)
  local kinds = {}
  for _, entry in ipairs(entries) do
    if type(entry.object) == "table" and entry.object.kind == "CustomResourceDefinition" and entry.object.spec then
      local spec = entry.object.spec
      for _, version in ipairs(spec.versions or {}) do
        kinds[("%s/%s/%s"):format(spec.group, version.name, spec.names.kind)] = { namespaced = spec.scope == "Namespaced" }
      end
    end
  end
  return kinds
end

local function resolve(entry, place, brought, options)
  local one = entry.object
  local resource, why = native.resource(one.apiVersion, one.kind)
  local late = (not resource or resource.assumed) and brought[one.apiVersion .. "/" .. one.kind]
  if not resource and not late then run.raise("usage", "K103", ("%s: %s"):format(place, why), 4) end
  local namespaced = (late or resource).namespaced
  if namespaced == nil then namespaced = one.metadata.namespace ~= nil end -- a check that knows no such kind
  local namespace
  if namespaced then
    namespace = one.metadata.namespace or options.namespace or native.config().namespace
    one.metadata.namespace = namespace
  elseif one.metadata.namespace ~= nil then
    run.raise("usage", "M504", ("%s: %s %s belongs to no namespace, but the manifest names one"):format(place, one.kind, one.metadata.name), 4)
  end
  return { apiVersion = one.apiVersion, kind = one.kind, namespace = namespace, name = one.metadata.name }, late
end

local function label(one, set)
  local labels = one.metadata.labels or {}
  labels["app.kubernetes.io/managed-by"] = object.manager
  labels["dosrun.io/set"] = set
  one.metadata.labels = labels
end

-- An HPA in the set, or in the cluster, owns the replicas of what it targets.
local function leave_replicas(inputs)
  local targets = {}
  for _, input in ipairs(inputs) do
    local one = input.manifest
    if one.kind == "HorizontalPodAutoscaler" and one.spec and one.spec.scaleTargetRef then
      targets[one.metadata.namespace .. "/" .. one.spec.scaleTargetRef.kind .. "/" .. one.spec.scaleTargetRef.name] = true
    end
  end
  for _, input in ipairs(inputs) do
    local one = input.manifest
    if one.spec and one.metadata.namespace and targets[one.metadata.namespace .. "/" .. one.kind .. "/" .. one.metadata.name] then
      one.spec.replicas = nil
    end
  end
end

local function make_inputs(entries, where, options)
  local inputs, brought, seen = {}, brought_kinds(entries), {}
  for index, entry in ipairs(entries) do
    local place = check_object(entry, where)
    local ref, late = resolve(entry, place, brought, options)
    local key = object.key(ref)
    if seen[key] then run.raise("usage", "M504", ("%s: %s stands twice in this set"):format(place, key), 3) end
    seen[key] = true
    local one = entry.object
    label(one, options.set)
    if changes.mode() ~= "check" then object.hide_values(one) end
    inputs[index] = {
      ref = ref, manifest = one, force = options.force, late = late, place = place,
      guard = function(metadata)
        local copy = {}
        for name, value in pairs(one) do copy[name] = value end
        copy.metadata = {}
        for name, value in pairs(one.metadata) do copy.metadata[name] = value end
        copy.metadata.resourceVersion, copy.metadata.uid = metadata.resourceVersion, metadata.uid
        return copy
      end,
    }
  end
  leave_replicas(inputs)
  return inputs
end

-- Runs f over the list side by side, in the order of the list as far as starting goes; the first error wins.
local function side_by_side(list, f)
  local handles = {}
  local next_one, width = 1, math.min(#list, run.info().max_parallel or 8)
  local results, first_error = {}, nil
  for worker = 1, width do
    handles[worker] = task.spawn(function()
      while next_one <= #list and not first_error do
        local index = next_one
        next_one = next_one + 1
        local ok, result = pcall(f, list[index], index)
        if ok then results[index] = result else first_error = first_error or result end
      end
    end)
  end
  for _, handle in ipairs(handles) do handle:join() end
  if first_error then error(first_error, 0) end
  return results
end
M.side_by_side = side_by_side

-- Many objects of one kind and namespace are read by one list instead of one by one.
local function prefetch(inputs)
  local groups, names = {}, {}
  for _, input in ipairs(inputs) do
    if not input.late then
      local id = input.ref.apiVersion .. "|" .. input.ref.kind .. "|" .. (input.ref.namespace or "")
      if not groups[id] then groups[id] = {} names[#names + 1] = id end
      table.insert(groups[id], input)
    end
  end
  local large = {}
  for _, id in ipairs(names) do if #groups[id] >= LIST_FROM then large[#large + 1] = groups[id] end end
  side_by_side(large, function(group)
    local ref = group[1].ref
    local path = native.path(ref.apiVersion, ref.kind, ref.namespace)
    local found, continue = {}, nil
    repeat
      local page = native.request { path = path, query = { limit = "500", continue = continue }, subject = "list " .. ref.kind }
      for _, one in ipairs(page.items) do
        one.apiVersion, one.kind = ref.apiVersion, ref.kind
        found[one.metadata.name] = one
      end
      continue = page.metadata.continue
      if continue == "" then continue = nil end
    until not continue
    for _, input in ipairs(group) do input.first = found[input.ref.name] or false end
  end)
end

local function place_error(err, input)
  if type(err) == "table" and err.message and not err.placed then
    err.message = ("%s: %s"):format(input.place, err.message)
    err.placed = true
  end
  error(err, 0)
end

local function apply_one(input)
  local ok, result = pcall(verb.drive, M.verb, input)
  if not ok then place_error(result, input) end
  return result
end

local function apply_waves(inputs)
  local waves, order = {}, {}
  for _, input in ipairs(inputs) do
    local wave = object.wave(input.ref.kind)
    if not waves[wave] then waves[wave] = {} order[#order + 1] = wave end
    table.insert(waves[wave], input)
  end
  table.sort(order)
  local live = {}
  for _, wave in ipairs(order) do
    local results = side_by_side(waves[wave], apply_one)
    for i, input in ipairs(waves[wave]) do live[#live + 1] = { ref = input.ref, object = results[i], manifest = input.manifest } end
    local definitions = {}
    for _, input in ipairs(waves[wave]) do
      if input.ref.kind == "CustomResourceDefinition" then definitions[#definitions + 1] = { ref = input.ref } end
    end
    if #definitions > 0 and changes.mode() == "forward" then
      require("dosrun.kube.wait").all(definitions, { timeout_ms = 60000 })
      native.rediscover()
      native.discover()
    end
  end
  return live
end

-- ---- the inventory ----

local function inventory_ref(set)
  return { apiVersion = "v1", kind = "ConfigMap", namespace = remove.namespace(), name = "dosrun-set-" .. set }
end

local function id_of(ref) return table.concat({ ref.apiVersion, ref.kind, ref.namespace or "", ref.name }, "|") end

local function write_inventory(set, refs)
  local lines = {}
  for i, ref in ipairs(refs) do
    lines[i] = { apiVersion = ref.apiVersion, kind = ref.kind, namespace = ref.namespace, name = ref.name, uid = ref.uid, hash = ref.hash }
  end
  local ref = inventory_ref(set)
  local one = {
    apiVersion = "v1", kind = "ConfigMap",
    metadata = { name = ref.name, namespace = ref.namespace, labels = { ["app.kubernetes.io/managed-by"] = object.manager, ["dosrun.io/inventory"] = set } },
    data = { objects = script.json(script.array(lines)) },
  }
  apply_one {
    ref = ref, manifest = one, force = true, place = "inventory of set " .. set,
    guard = function(metadata)
      return {
        apiVersion = "v1", kind = "ConfigMap", data = one.data,
        metadata = { name = ref.name, namespace = ref.namespace, labels = one.metadata.labels, resourceVersion = metadata.resourceVersion, uid = metadata.uid },
      }
    end,
  }
end

local function inventory_before(set)
  local found = read(inventory_ref(set))
  local list = found and found.data and found.data.objects and script.json_decode(found.data.objects) or {}
  local by_id = {}
  for _, ref in ipairs(list) do by_id[id_of(ref)] = ref end
  return list, by_id, found ~= nil
end

local Applied = {}
Applied.__index = Applied

-- applied:wait{ timeout = "5m" }: until every object of the set is ready, or one never will be.
function Applied:wait(options)
  if changes.mode() == "forward" then
    require("dosrun.kube.wait").all(self.objects, { timeout_ms = options and options.timeout and play.duration(options.timeout, "timeout") })
  end
  return self
end

local known = { set = true, namespace = true, force = true, prune = true }

local function read_entries(source, values)
  if changes.mode() == "check" then source, values = offline.plain(source), offline.plain(values) end
  if type(source) == "string" then
    local names = {}
    for name in pairs(values or {}) do names[#names + 1] = name end
    return flatten(manifest.load(source, values or {}, script.array(names)), {}), source
  end
  local entries = {}
  for i, one in ipairs(source) do entries[i] = { object = one } end
  return flatten(entries, {}), "the list of objects"
end

-- `dosrun check`: every object is noted as it would be sent.
local function walk(inputs)
  local live = {}
  for i, input in ipairs(inputs) do
    offline.applied(input.place, input.manifest)
    live[i] = { ref = input.ref, object = apply_one(input), manifest = input.manifest }
  end
  return live
end

-- kube.apply(path or list of objects, values, { set, namespace, force, prune }).
function M.apply(source, values, options)
  options = options or {}
  if type(source) ~= "string" and type(source) ~= "table" then play.fail(3, "kube.apply takes a manifest's path, or a list of objects") end
  play.check_names(options, known, "kube.apply", 3)
  local set = options.set or (type(source) == "string" and source:match("([^/]+)%.ya?ml$"))
  if not set then play.fail(3, "kube.apply: a list of objects needs { set = \"name\" }") end
  if script.known(set) and (not set:match("^[a-z0-9][a-z0-9.-]*$") or #set > 200) then
    play.fail(3, "kube.apply: set %q: lower-case letters, digits, '-' and '.' only", set)
  end
  local entries, where = read_entries(source, values)
  native.discover()
  local inputs = make_inputs(entries, where, { set = set, namespace = options.namespace, force = options.force })
  if changes.mode() == "check" then return setmetatable({ objects = walk(inputs), set = set }, Applied) end
  local old, by_id, there = inventory_before(set)
  -- First everything that may come to be is in the inventory, then it is made: what a crash leaves can be found.
  local all, wanted = {}, {}
  for _, ref in ipairs(old) do all[#all + 1] = ref end
  for _, input in ipairs(inputs) do
    wanted[id_of(input.ref)] = true
    if not by_id[id_of(input.ref)] then all[#all + 1] = input.ref end
  end
  if #all > #old or not there then write_inventory(set, all) end
  prefetch(inputs)
  local live = apply_waves(inputs)
  if options.prune ~= false then
    local left = {}
    for _, ref in ipairs(old) do if not wanted[id_of(ref)] then left[#left + 1] = ref end end
    remove.objects(left, { class = "reversible" })
  end
  local final = {}
  for i, one in ipairs(live) do
    local known_object = script.known(one.object)
    local uid = known_object and one.object.metadata.uid or nil
    final[i] = {
      apiVersion = one.ref.apiVersion, kind = one.ref.kind, namespace = one.ref.namespace, name = one.ref.name, uid = uid,
      hash = known_object and drift.owned_hash(one.object) or nil,
    }
  end
  if changes.mode() == "forward" then write_inventory(set, final) end
  return setmetatable({ objects = live, set = set }, Applied)
end

return M
