-- Deleting: one object, what left a set, a whole set from its inventory.
local native = require "dosrun.native.kube"
local script = require "dosrun.native.script"
local run = require "dosrun.native.run"
local play = require "dosrun.playbook"
local verb = require "dosrun.verb"
local object = require "dosrun.kube.object"

local M = {}

-- Inventories live beside the lock, so that a set may bring its own namespace.
function M.namespace() return run.info().lock_namespace or "kube-system" end

-- Kinds whose deletion loses data that nothing brings back.
local holds_data = { PersistentVolumeClaim = true, PersistentVolume = true, Namespace = true, CustomResourceDefinition = true }

local function read(ref)
  local resource = native.resource(ref.apiVersion, ref.kind)
  if not resource then return nil end -- its kind is gone, and it with it
  local ok, found = pcall(native.request, { path = object.path(ref), subject = "read " .. object.key(ref) })
  if ok then return found end
  if type(found) == "table" and found.kind == "missing" then return nil end
  error(found, 0)
end

local clusters_kinds = { Event = true, Endpoints = true, EndpointSlice = true, Lease = true, ControllerRevision = true, PodMetrics = true }

-- What the cluster itself puts into a namespace.
local function is_clusters_own(one)
  if clusters_kinds[one.kind] then return true end
  if #(one.metadata.ownerReferences or {}) > 0 then return true end
  if one.kind == "ServiceAccount" and one.metadata.name == "default" then return true end
  if one.kind == "ConfigMap" and (one.metadata.name == "kube-root-ca.crt" or one.metadata.name == "istio-ca-root-cert") then return true end
  return false
end

-- Objects in a namespace that neither we nor the cluster made.
local function foreign_inside(namespace)
  local foreign = {}
  for _, resource in ipairs(native.resources()) do
    if resource.namespaced and resource.listable and resource.group ~= "metrics.k8s.io" then
      local path = native.path(resource.api_version, resource.kind, namespace)
      local ok, page = pcall(native.request, { path = path, query = { limit = "500" }, subject = "look into namespace " .. namespace })
      if not ok and not (type(page) == "table" and (page.kind == "missing" or page.status == 405)) then error(page, 0) end
      for _, one in ipairs(ok and page.items or {}) do
        one.kind = resource.kind
        local ours = (one.metadata.labels or {})["app.kubernetes.io/managed-by"] == object.manager
        if not ours and not is_clusters_own(one) then
          foreign[#foreign + 1] = ("%s %s/%s"):format(resource.kind, namespace, one.metadata.name)
        end
      end
    end
  end
  return foreign
end

local function check_container(input)
  if input.ref.kind ~= "Namespace" then return end
  local foreign = foreign_inside(input.ref.name)
  if #foreign > 0 then
    error({
      kind = "conflict", code = "ForeignInside", explain = "R205",
      message = ("namespace %s holds what this playbook did not make: %s; it is left alone"):format(input.ref.name, table.concat(foreign, ", ")),
    }, 0)
  end
end

local function volume_of(now)
  if now.kind == "PersistentVolumeClaim" and now.spec.volumeName and now.spec.volumeName ~= "" then
    return { apiVersion = "v1", kind = "PersistentVolume", name = now.spec.volumeName }
  end
end

-- A released volume with reclaim policy Delete goes by itself, a moment after its claim.
local function wait_for_volume(ref, wait, options)
  local volume = read(ref)
  if volume and volume.spec.persistentVolumeReclaimPolicy == "Delete" then wait.gone(ref, volume.metadata.uid, options) end
end

M.verb = {
  name = "kube.delete",
  key = function(input) return object.key(input.ref) end,
  look = function(input)
    local found = read(input.ref)
    -- Another object of that name is not the one that the inventory means.
    if found and input.ref.uid and found.metadata.uid ~= input.ref.uid then return nil end
    return found
  end,
  want = function() return nil end,
  same = function(now) return now == nil end,
  answers = false,
  act = function(input, now)
    local wait = require "dosrun.kube.wait"
    check_container(input)
    if now and not now.metadata.deletionTimestamp then
      local ok, problem = pcall(native.request, {
        method = "DELETE", path = object.path(input.ref), guarded = true, subject = "delete " .. object.key(input.ref),
        body = { apiVersion = "v1", kind = "DeleteOptions", preconditions = { uid = now.metadata.uid }, propagationPolicy = "Background" },
      })
      if not ok and not (type(problem) == "table" and (problem.kind == "missing" or problem.kind == "conflict")) then error(problem, 0) end
    end
    if now then
      wait.gone(input.ref, now.metadata.uid, input.options)
      local volume = volume_of(now)
      if volume then wait_for_volume(volume, wait, input.options) end
    end
  end,
  fields = function(now) return now and script.array { { path = "", old = now.kind .. " " .. now.metadata.name } } or script.array {} end,
  record = function(value) return value and native.trim(value, true) end,
  undo_data = function(input, before)
    if before == nil then return { op = "kube.delete", ref = input.ref } end -- this run made it: as before is gone
    if holds_data[before.kind] then return { op = "none", why = "what it held cannot be brought back" } end
    return { op = "kube.create", object = native.applied(before, object.manager) or native.trim(before) }
  end,
  result = function() return nil end,
}

local function drive(ref, class, options)
  local spec = setmetatable({ class = holds_data[ref.kind] and "pivot" or class }, { __index = M.verb })
  verb.drive(spec, { ref = ref, options = options })
end

-- Deletes refs in reverse order of their kinds, side by side within one.
function M.objects(refs, options)
  local waves, order = {}, {}
  for _, ref in ipairs(refs) do
    local wave = object.wave(ref.kind)
    if not waves[wave] then waves[wave] = {} order[#order + 1] = wave end
    table.insert(waves[wave], ref)
  end
  table.sort(order, function(a, b) return a > b end)
  local side_by_side = require("dosrun.kube.apply").side_by_side
  for _, wave in ipairs(order) do
    side_by_side(waves[wave], function(ref)
      drive(ref, options.class or "reversible", options)
      return true
    end)
  end
end

-- kube.sets(): { { name, objects = { { apiVersion, kind, namespace, name, uid, hash } } } }, sorted by name.
function M.sets()
  native.discover()
  local page = native.request {
    path = native.path("v1", "ConfigMap", M.namespace()), query = { labelSelector = "dosrun.io/inventory,app.kubernetes.io/managed-by=" .. object.manager },
    subject = "list inventories",
  }
  local sets = {}
  for i, one in ipairs(page.items) do
    sets[i] = {
      name = one.metadata.labels["dosrun.io/inventory"], uid = one.metadata.uid,
      objects = one.data and one.data.objects and script.json_decode(one.data.objects) or {},
    }
  end
  table.sort(sets, function(a, b) return a.name < b.name end)
  return sets
end

-- kube.remove { set = "game", timeout = "5m" }: everything that the set's inventory lists, then the inventory.
function M.remove(spec)
  play.check_names(spec, { set = true, timeout = true }, "kube.remove", 3)
  local options = { class = "pivot", timeout_ms = spec.timeout and play.duration(spec.timeout, "timeout") }
  for _, set in ipairs(M.sets()) do
    if set.name == spec.set then
      M.objects(set.objects, options)
      drive({ apiVersion = "v1", kind = "ConfigMap", namespace = M.namespace(), name = "dosrun-set-" .. set.name, uid = set.uid }, "pivot", options)
    end
  end
end

-- kube.delete(kind, "ns/name")
function M.delete(kind, name)
  drive(object.find(kind, name, 2), "reversible", {})
end

return M
