-- Which changes concern which controllers. A key is "controller/namespace/name"; "-" is no namespace.
local common = require "common"
local M = {}

local main = { Namespace = "namespace", Deployment = "deployment", ReplicaSet = "replicaset",
  StatefulSet = "statefulset",
  DaemonSet = "daemonset", Job = "job", Pod = "pod", PersistentVolumeClaim = "claim", PersistentVolume = "volume",
  Service = "service", HorizontalPodAutoscaler = "autoscaler", PodDisruptionBudget = "budget",
  CustomResourceDefinition = "definition", APIService = "apiservice" }

-- Loaded with their first key: most runs need few of them.
local modules = { namespace = "garbage", owned = "garbage", collect = "garbage", definition = "garbage",
  claim = "storage",
  volume = "storage", service = "services", autoscaler = "services", budget = "services", apiservice = "services",
  replicaset = "workloads", statefulset = "workloads", daemonset = "workloads", job = "workloads" }

-- What sums up other objects looks a moment later, so that a burst of changes is one look.
local later = { deployment = 20, replicaset = 10, statefulset = 10, daemonset = 10, job = 10, budget = 50,
  autoscaler = 50,
  apiservice = 50 }

local function enqueue(key) api.enqueue(key, later[key:match("^[^/]*")]) end

local function enqueue_all(controller, kind, namespace)
  for _, object in ipairs(api.list(kind, namespace)) do enqueue(common.key(controller, object)) end
end

-- What depends on objects of this kind beside their own controller.
local also = {}

function also.Pod(pod)
  local namespace = pod.metadata.namespace
  enqueue_all("budget", "PodDisruptionBudget", namespace)
  for _, volume in ipairs(pod.spec.volumes or {}) do
    local used = volume.persistentVolumeClaim
    if used then api.enqueue(("claim/%s/%s"):format(namespace, used.claimName)) end
  end
end

function also.Deployment(o) enqueue_all("autoscaler", "HorizontalPodAutoscaler", o.metadata.namespace) end

also.StatefulSet = also.Deployment

function also.PersistentVolumeClaim(claim)
  if claim.spec.volumeName then api.enqueue("volume/-/" .. claim.spec.volumeName) end
  for _, pod in ipairs(api.list("Pod", claim.metadata.namespace)) do
    if not pod.spec.nodeName then api.enqueue(common.key("pod", pod)) end
  end
end

function also.Service() enqueue_all("apiservice", "APIService") end

function also.APIService() enqueue_all("autoscaler", "HorizontalPodAutoscaler") end

function also.StorageClass() enqueue_all("claim", "PersistentVolumeClaim") end

local function qualified(kind, group, o)
  return ("%s/%s.%s:%s"):format(o.metadata.namespace or "-", kind, group, o.metadata.name)
end

local function changed_owner(o)
  local owner = common.owner(o)
  local controller = owner and main[owner.kind]
  if controller then enqueue(("%s/%s/%s"):format(controller, o.metadata.namespace, owner.name)) end
end

local function gone(object)
  for _, entry in ipairs(api.dependents(object.metadata.uid)) do
    api.enqueue(("owned/%s/%s:%s"):format(entry.namespace ~= "" and entry.namespace or "-", entry.kind, entry.name))
  end
  for _, owner in ipairs(object.metadata.ownerReferences or {}) do
    local group = owner.apiVersion:match("^(.*)/") or ""
    api.enqueue(("collect/%s/%s.%s:%s"):format(object.metadata.namespace or "-", owner.kind, group, owner.name))
  end
  local namespace = object.metadata.namespace and api.get("Namespace", nil, object.metadata.namespace)
  if namespace and namespace.metadata.deletionTimestamp then api.enqueue(common.key("namespace", namespace)) end
end

-- Called for each change; object nil: it was deleted.
function M.changed(kind, group, object, before)
  local o = object or before
  if kind == "Event" or kind == "Lease" and object then return end
  if main[kind] and object then enqueue(common.key(main[kind], o)) end
  if also[kind] then also[kind](o) end
  changed_owner(o)
  if not object then return gone(o) end
  if not before and o.metadata.ownerReferences then api.enqueue("owned/" .. qualified(kind, group, o)) end
  if o.metadata.deletionTimestamp and o.metadata.finalizers then api.enqueue("collect/" .. qualified(kind, group,
    o)) end
end

function M.reconcile(key)
  local controller, namespace, name = key:match("^([^/]*)/([^/]*)/(.*)$")
  if namespace == "-" and modules[controller] ~= "garbage" then namespace = nil end
  if controller == "pod" then
    require("pods").reconcile(namespace, name)
  elseif controller == "deployment" then
    require "deployments"(namespace, name)
  else
    require(modules[controller])[controller](namespace, name)
  end
end

return M
