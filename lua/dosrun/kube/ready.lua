-- When is an object ready, when will it never be? Rules by kind, evaluated on what watches hold.
-- A rule gives "ready"; or "wait" and why; or "failed", why and a code for `dosrun explain`.
local M = {}

local function condition(object, kind)
  for _, one in ipairs(object.status and object.status.conditions or {}) do if one.type == kind then return one end end
end

local function observed(object)
  local generation = object.metadata.generation
  local seen = object.status and math.tointeger(object.status.observedGeneration)
  return generation == nil or (seen ~= nil and seen >= generation)
end

-- Pods that will not start by themselves: the reason in the container's waiting state.
local hopeless = {
  CrashLoopBackOff = "K106", ImagePullBackOff = "K105", ErrImagePull = "K105", InvalidImageName = "K105",
  CreateContainerConfigError = "K106", CreateContainerError = "K106", ErrImageNeverPull = "K105",
}
local UNSCHEDULABLE_GRACE_MS = 60000

-- Why this pod is hopeless, or nil. now_ms: for graces.
function M.pod_trouble(pod, now_ms, time_ms)
  local status = pod.status or {}
  for _, list in ipairs { status.initContainerStatuses or {}, status.containerStatuses or {} } do
    for _, container in ipairs(list) do
      local waiting = container.state and container.state.waiting
      if waiting and hopeless[waiting.reason] then
        local restarts = (container.restartCount or 0) > 0 and (", %d restarts"):format(container.restartCount) or ""
        local message = waiting.message and waiting.message ~= "" and ": " .. waiting.message or ""
        return ("pod %s: container %s: %s%s%s"):format(pod.metadata.name, container.name, waiting.reason, restarts, message),
          hopeless[waiting.reason], container.name
      end
    end
  end
  local scheduled = condition(pod, "PodScheduled")
  if scheduled and scheduled.status == "False" and scheduled.reason == "Unschedulable" then
    local since = time_ms(scheduled.lastTransitionTime or pod.metadata.creationTimestamp)
    if since and now_ms - since > UNSCHEDULABLE_GRACE_MS then
      return ("pod %s cannot be scheduled: %s"):format(pod.metadata.name, scheduled.message or ""), "K107"
    end
  end
end

local function workload_trouble(context, pods)
  for _, pod in ipairs(pods) do
    local why, code, container = M.pod_trouble(pod, context.now_ms, context.time_ms)
    if why then return why, code, pod, container end
  end
end

local function owned_by(object, owner)
  for _, ref in ipairs(object.metadata.ownerReferences or {}) do if ref.uid == owner.metadata.uid then return true end end
  return false
end

-- Pods of the newest ReplicaSet only: those of an older one may be broken, that is why there is a newer.
local function deployment_pods(object, context)
  local newest, revision = nil, -1
  for _, set in ipairs(context.list("apps/v1", "ReplicaSet")) do
    if owned_by(set, object) then
      local number = tonumber((set.metadata.annotations or {})["deployment.kubernetes.io/revision"]) or 0
      if number > revision then newest, revision = set, number end
    end
  end
  local pods = {}
  if newest then
    for _, pod in ipairs(context.list("v1", "Pod")) do if owned_by(pod, newest) then pods[#pods + 1] = pod end end
  end
  return pods
end

local function own_pods(object, context)
  local pods = {}
  for _, pod in ipairs(context.list("v1", "Pod")) do if owned_by(pod, object) then pods[#pods + 1] = pod end end
  return pods
end

local function failed(...) return "failed", ... end

local rules = {}

function rules.Deployment(object, context)
  local spec, status = object.spec, object.status or {}
  if not observed(object) then return "wait", "the controller has not seen it yet" end
  local progressing = condition(object, "Progressing")
  if progressing and progressing.reason == "ProgressDeadlineExceeded" then
    return failed(progressing.message or "its progress deadline is exceeded", "K104")
  end
  local why, code, pod, container = workload_trouble(context, deployment_pods(object, context))
  if why then return failed(why, code, pod, container) end
  local wanted = spec.replicas or 1
  local updated, total, available = status.updatedReplicas or 0, status.replicas or 0, status.availableReplicas or 0
  if updated < wanted then return "wait", ("%d of %d updated"):format(updated, wanted) end
  if total > updated then return "wait", ("%d old ones still there"):format(total - updated) end
  if available < updated then return "wait", ("%d of %d available"):format(available, wanted) end
  if not progressing or progressing.reason ~= "NewReplicaSetAvailable" then return "wait", "its newest ReplicaSet is not complete" end
  return "ready"
end

function rules.StatefulSet(object, context)
  local spec, status = object.spec, object.status or {}
  if not observed(object) then return "wait", "the controller has not seen it yet" end
  local why, code, pod, container = workload_trouble(context, own_pods(object, context))
  if why then return failed(why, code, pod, container) end
  local wanted, ready = spec.replicas or 1, status.readyReplicas or 0
  local partition = spec.updateStrategy and spec.updateStrategy.rollingUpdate and spec.updateStrategy.rollingUpdate.partition or 0
  if ready < wanted then return "wait", ("%d of %d ready"):format(ready, wanted) end
  if (status.updatedReplicas or 0) < wanted - partition then
    return "wait", ("%d of %d updated"):format(status.updatedReplicas or 0, wanted - partition)
  end
  if partition == 0 and status.updateRevision ~= status.currentRevision then return "wait", "its revision is not current" end
  return "ready"
end

function rules.DaemonSet(object, context)
  local status = object.status or {}
  if not observed(object) then return "wait", "the controller has not seen it yet" end
  local why, code, pod, container = workload_trouble(context, own_pods(object, context))
  if why then return failed(why, code, pod, container) end
  local wanted = status.desiredNumberScheduled or 0
  if (status.updatedNumberScheduled or 0) < wanted then return "wait", ("%d of %d updated"):format(status.updatedNumberScheduled or 0, wanted) end
  if (status.numberAvailable or 0) < wanted then return "wait", ("%d of %d available"):format(status.numberAvailable or 0, wanted) end
  return "ready"
end

function rules.ReplicaSet(object, context)
  if not observed(object) then return "wait", "the controller has not seen it yet" end
  local why, code, pod, container = workload_trouble(context, own_pods(object, context))
  if why then return failed(why, code, pod, container) end
  local wanted, available = object.spec.replicas or 1, (object.status or {}).availableReplicas or 0
  if available < wanted then return "wait", ("%d of %d available"):format(available, wanted) end
  return "ready"
end

-- A started Job is not a finished one.
function rules.Job(object, context)
  local complete, gone_wrong = condition(object, "Complete"), condition(object, "Failed")
  if complete and complete.status == "True" then return "ready" end
  if gone_wrong and gone_wrong.status == "True" then
    return failed(("%s: %s"):format(gone_wrong.reason or "Failed", gone_wrong.message or ""), "K104")
  end
  local why, code, pod, container = workload_trouble(context, own_pods(object, context))
  if why and code ~= "K106" then return failed(why, code, pod, container) end
  local status = object.status or {}
  return "wait", ("%d of %d succeeded"):format(status.succeeded or 0, object.spec.completions or 1)
end

function rules.Pod(object, context)
  local phase = (object.status or {}).phase
  if phase == "Failed" then return failed("the pod failed: " .. ((object.status or {}).message or (object.status or {}).reason or ""), "K106") end
  if phase == "Succeeded" then return "ready" end
  local why, code, container = M.pod_trouble(object, context.now_ms, context.time_ms)
  if why then return failed(why, code, object, container) end
  local ready = condition(object, "Ready")
  if ready and ready.status == "True" then return "ready" end
  return "wait", phase or "not scheduled yet"
end

function rules.PersistentVolumeClaim(object, context)
  local phase = (object.status or {}).phase
  if phase == "Bound" then return "ready" end
  if phase == "Lost" then return failed("its volume is lost", "K104") end
  local class = object.spec.storageClassName and context.get("storage.k8s.io/v1", "StorageClass", nil, object.spec.storageClassName)
  if class and class.volumeBindingMode == "WaitForFirstConsumer" then
    for _, pod in ipairs(context.list("v1", "Pod")) do
      for _, volume in ipairs(pod.spec.volumes or {}) do
        if volume.persistentVolumeClaim and volume.persistentVolumeClaim.claimName == object.metadata.name then
          return "wait", "a pod uses it and it is not bound yet"
        end
      end
    end
    return "ready", "is bound when a pod first uses it"
  end
  return "wait", phase or "not seen yet"
end

function rules.Service(object)
  if object.spec.type ~= "LoadBalancer" then return "ready" end
  local ingress = object.status and object.status.loadBalancer and object.status.loadBalancer.ingress
  if ingress and ingress[1] and (ingress[1].ip or ingress[1].hostname) then return "ready" end
  return "wait", "no load balancer address yet"
end

function rules.CustomResourceDefinition(object)
  local names, established = condition(object, "NamesAccepted"), condition(object, "Established")
  if names and names.status == "False" then return failed("its names are not accepted: " .. (names.message or ""), "K104") end
  if established and established.status == "True" then return "ready" end
  return "wait", "not established yet"
end

function rules.APIService(object)
  local available = condition(object, "Available")
  if available and available.status == "True" then return "ready" end
  return "wait", available and available.message or "not available yet"
end

local METRIC_GRACE_MS = 120000
function rules.HorizontalPodAutoscaler(object, context)
  local active = condition(object, "ScalingActive")
  if active and active.status == "True" then return "ready" end
  if active and active.status == "False" and active.reason == "ScalingDisabled" then return "ready" end
  if active and active.reason == "FailedGetResourceMetric" then
    local since = context.time_ms(active.lastTransitionTime)
    if since and context.now_ms - since > METRIC_GRACE_MS then return failed(active.message or active.reason, "K104") end
  end
  return "wait", active and (active.message or active.reason) or "not seen by the autoscaler yet"
end

function rules.Namespace(object)
  local phase = (object.status or {}).phase
  if phase == "Terminating" then return failed("the namespace is being deleted", "K104") end
  return "ready"
end

-- Kinds without a rule: the usual conditions, if they have any.
local function any(object)
  if not observed(object) and object.status and object.status.observedGeneration then return "wait", "the controller has not seen it yet" end
  for _, kind in ipairs { "Stalled", "Failed" } do
    local one = condition(object, kind)
    if one and one.status == "True" then return failed(("%s: %s"):format(one.reason or kind, one.message or ""), "K104") end
  end
  for _, kind in ipairs { "Ready", "Available" } do
    local one = condition(object, kind)
    if one and one.status ~= "True" then return "wait", one.message or one.reason or ("not " .. kind) end
  end
  local reconciling = condition(object, "Reconciling")
  if reconciling and reconciling.status == "True" then return "wait", reconciling.message or "reconciling" end
  return "ready"
end

-- Which other kinds a rule looks at.
M.looks_at = {
  Deployment = { { "apps/v1", "ReplicaSet" }, { "v1", "Pod" } }, StatefulSet = { { "v1", "Pod" } }, DaemonSet = { { "v1", "Pod" } },
  ReplicaSet = { { "v1", "Pod" } }, Job = { { "v1", "Pod" } }, PersistentVolumeClaim = { { "v1", "Pod" } },
}

-- Kinds that are ready as soon as they are there need no watch.
local at_once = {
  ConfigMap = true, Secret = true, ServiceAccount = true, Role = true, RoleBinding = true, ClusterRole = true, ClusterRoleBinding = true,
  NetworkPolicy = true, PodDisruptionBudget = true, StorageClass = true, ResourceQuota = true, LimitRange = true, PriorityClass = true,
  Lease = true,
}
function M.needs_wait(object)
  if object.kind == "Service" then return object.spec.type == "LoadBalancer" end
  return not at_once[object.kind]
end

function M.judge(object, context)
  if object.metadata.deletionTimestamp then return "wait", "it is being deleted" end
  return (rules[object.kind] or any)(object, context)
end

return M
