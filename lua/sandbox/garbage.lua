-- Namespaces, garbage collection, custom resource definitions. Source: Kubernetes documentation
-- "Garbage Collection", "Namespaces"; conditions of the apiextensions controllers 1.34.
local common = require "common"
local M = {}
local ESTABLISH, CLEANUP = 200, "customresourcecleanup.apiextensions.k8s.io"

local function make_namespace_objects(name)
  if not api.get("ServiceAccount", name, "default") then
    api.create("ServiceAccount", { apiVersion = "v1", kind = "ServiceAccount", metadata = { name = "default",
      namespace = name } })
  end
  if not api.get("ConfigMap", name, "kube-root-ca.crt") then
    api.create("ConfigMap", { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "kube-root-ca.crt",
      namespace = name,

      annotations = { ["kubernetes.io/description"] = "Contains a CA bundle that can be used to verify the "
        .. "kube-apiserver "
        .. "when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
        .. "guaranteed across distributions of Kubernetes clusters." } },
      data = { ["ca.crt"] = "-----BEGIN CERTIFICATE-----\nc2FuZGJveA==\n-----END CERTIFICATE-----\n" } })
  end
end

function M.namespace(_, name)
  local namespace = api.get("Namespace", nil, name)
  if not namespace then return end
  if not namespace.metadata.deletionTimestamp then return make_namespace_objects(name) end
  local left = api.contents(name)
  for _, entry in ipairs(left) do
    if not entry.object.metadata.deletionTimestamp then
      api.delete(entry.kind, name, entry.name, { propagationPolicy = "Background" })
    end
  end
  if #api.contents(name) == 0 then api.vanish("Namespace", nil, name) end
end

-- Garbage ----------------------------------------------------------------------

local function find(reference, namespace)
  local group = reference.apiVersion:match("^(.*)/") or ""
  local found, object = pcall(api.get, reference.kind .. "." .. group, namespace, reference.name)
  if found and not object then found, object = pcall(api.get, reference.kind .. "." .. group, nil, reference.name) end
  return found and object and object.metadata.uid == reference.uid and object or nil
end

local function drop_reference(entry, gone)
  local copy, kept = doc.copy(entry.object), doc.array {}
  for _, owner in ipairs(entry.object.metadata.ownerReferences) do
    if not gone(owner) then kept[#kept + 1] = owner end
  end
  copy.metadata.ownerReferences = #kept > 0 and kept or nil
  api.update(entry.kind, copy)
end

-- "owned/namespace/Kind.group:name": an object whose owners may all be gone.
function M.owned(namespace, what)
  local kind, name = what:match("^(.-):(.*)$")
  if namespace == "-" then namespace = "" end
  local found, object = pcall(api.get, kind, namespace, name)
  if not found or not object or object.metadata.deletionTimestamp then return end
  local alive, waiting = 0, false
  for _, owner in ipairs(object.metadata.ownerReferences or {}) do
    local parent = find(owner, namespace)
    if parent then alive = alive + 1 end
    waiting = waiting or parent ~= nil and parent.metadata.deletionTimestamp ~= nil
  end
  if alive == 0 and #(object.metadata.ownerReferences or {}) > 0 then
    api.delete(kind, namespace, name, { propagationPolicy = "Background" })
  elseif alive < #(object.metadata.ownerReferences or {}) then
    drop_reference({ kind = kind, object = object }, function(owner) return not find(owner, namespace) end)
  end
end

local function finalizer(object, name)
  for _, f in ipairs(object.metadata.finalizers or {}) do
    if f == name then return true end
  end
end

-- An owner that is deleted in the foreground, or whose dependents shall stay.
function M.collect(namespace, what)
  local kind, name = what:match("^(.-):(.*)$")
  if namespace == "-" then namespace = "" end
  local found, object = pcall(api.get, kind, namespace, name)
  if not found or not object then return end
  local dependents = api.dependents(object.metadata.uid)
  if finalizer(object, "orphan") then
    for _, entry in ipairs(dependents) do
      drop_reference(entry, function(owner) return owner.uid == object.metadata.uid end)
    end
    api.unfinalize(kind, namespace, name, "orphan")
  elseif finalizer(object, "foregroundDeletion") then
    for _, entry in ipairs(dependents) do
      if not entry.object.metadata.deletionTimestamp then
        api.delete(entry.kind, entry.namespace, entry.name, { propagationPolicy = "Foreground" })
      end
    end
    if #api.dependents(object.metadata.uid) == 0 then api.unfinalize(kind, namespace, name, "foregroundDeletion") end
  end
end

-- Definitions ------------------------------------------------------------------

local function establish(crd)
  local copy = doc.copy(crd)
  if not finalizer(crd, CLEANUP) then
    if not copy.metadata.finalizers then copy.metadata.finalizers = doc.array {} end
    copy.metadata.finalizers[#copy.metadata.finalizers + 1] = CLEANUP
    crd = api.update("CustomResourceDefinition", copy, "", "kube-apiserver")
    copy = doc.copy(crd)
  end
  copy.status.acceptedNames = doc.copy(crd.spec.names)
  common.set_condition(copy, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
  common.set_condition(copy, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted")
  api.serve(crd)
  api.update("CustomResourceDefinition", copy, "status", "kube-apiserver")
end

local function remove_instances(crd)
  local kind = crd.spec.names.kind .. "." .. crd.spec.group
  local found, list = pcall(api.list, kind)
  if not found then return 0 end
  for _, object in ipairs(list) do
    if not object.metadata.deletionTimestamp then
      api.delete(kind, object.metadata.namespace, object.metadata.name, { propagationPolicy = "Background" })
    end
  end
  return #api.list(kind)
end

function M.definition(_, name)
  local crd = api.get("CustomResourceDefinition", nil, name)
  if not crd then return end
  if crd.metadata.deletionTimestamp then
    if remove_instances(crd) > 0 then return api.enqueue("definition/-/" .. name, 1000) end
    api.withdraw(crd)
    api.unfinalize("CustomResourceDefinition", nil, name, CLEANUP)
  elseif common.is_true(crd, "Established") then
    api.serve(crd)
  else
    local left = api.ms(crd.metadata.creationTimestamp) + ESTABLISH - api.now()
    if left > 0 then return api.enqueue("definition/-/" .. name, math.tointeger(left)) end
    establish(crd)
  end
end

return M
