-- Controllers of what makes pods: ReplicaSet, StatefulSet, DaemonSet, Job (Deployment: deployments.lua).
-- Source: Kubernetes documentation "Workloads"; status fields and reasons of kube-controller-manager 1.34.
local common = require "common"
local M = {}

local function is_ready(pod) return common.is_true(pod, "Ready") end

local function is_over(pod) return pod.status.phase == "Succeeded" or pod.status.phase == "Failed" end

local function is_leaving(pod) return pod.metadata.deletionTimestamp ~= nil end

-- A pod of a template; name nil: generated. Returns nil and the refusal's message.
local function make_pod(owner, name, more)
  local template = owner.spec.template
  local pod = doc.copy { apiVersion = "v1", kind = "Pod", metadata = doc.copy(template.metadata),
    spec = doc.copy(template.spec) }
  pod.metadata.namespace = owner.metadata.namespace
  pod.metadata.name, pod.metadata.generateName = name, not name and owner.metadata.name .. "-" or nil
  pod.metadata.ownerReferences = common.reference(owner)
  if more then more(pod) end
  local made, message = api.create("Pod", pod)
  if not made then
    common.event(owner, "Warning", "FailedCreate", "Error creating: " .. message, owner.kind:lower() .. "-controller")
  end
  return made, message
end

local function drop_pod(pod)
  api.delete("Pod", pod.metadata.namespace, pod.metadata.name)
end

local function active_pods(owner)
  local out = {}
  for _, pod in ipairs(common.children("Pod", owner)) do
    if not is_leaving(pod) and not is_over(pod) then out[#out + 1] = pod end
  end
  return out
end

local function count(list, test)
  local n = 0
  for _, item in ipairs(list) do
    if test(item) then n = n + 1 end
  end
  return n
end

local function number(n) return n ~= 0 and n or nil end

-- ReplicaSet -------------------------------------------------------------------

function M.replicaset(namespace, name)
  local set = api.get("ReplicaSet", namespace, name)
  if not set or set.metadata.deletionTimestamp then return end
  local pods, refused = active_pods(set), nil
  table.sort(pods, function(a, b)
    if is_ready(a) ~= is_ready(b) then return is_ready(b) end
    return a.metadata.name < b.metadata.name
  end)
  local missing = (set.spec.replicas or 1) - #pods
  for _ = 1, missing do
    local _, message = make_pod(set)
    refused = refused or message
    if message then break end
  end
  for i = 1, -missing do drop_pod(pods[i]) end
  set = api.get("ReplicaSet", namespace, name)
  pods = active_pods(set)
  local copy = common.with_status(set)
  local ready = count(pods, is_ready)
  local conditions = set.status.conditions
  copy.status = { replicas = #pods, fullyLabeledReplicas = number(#pods), readyReplicas = number(ready),
    availableReplicas = number(ready), observedGeneration = set.metadata.generation, conditions = conditions }
  if refused then
    common.set_condition(copy, "ReplicaFailure", "True", "FailedCreate", refused)
    api.enqueue(common.key("replicaset", set), 30000)
  elseif missing <= 0 or #pods >= set.spec.replicas then
    common.remove_condition(copy, "ReplicaFailure")
    if #(copy.status.conditions or {}) == 0 then copy.status.conditions = nil end
  end
  common.write_status("ReplicaSet", copy, set)
end

-- StatefulSet ------------------------------------------------------------------

local function revision_of(set) return set.metadata.name .. "-" .. api.hash(doc.json(set.spec.template), 10) end

local function claims_for(set, pod)
  for _, template in ipairs(set.spec.volumeClaimTemplates or {}) do
    local name = template.metadata.name .. "-" .. pod.metadata.name
    if not api.get("PersistentVolumeClaim", set.metadata.namespace, name) then
      api.create("PersistentVolumeClaim", { apiVersion = "v1", kind = "PersistentVolumeClaim", spec = template.spec,
        metadata = { name = name, namespace = set.metadata.namespace, labels = set.spec.selector.matchLabels } })
    end
    if not pod.spec.volumes then pod.spec.volumes = doc.array {} end
    pod.spec.volumes[#pod.spec.volumes + 1] = { name = template.metadata.name,
      persistentVolumeClaim = { claimName = name } }
  end
end

local function make_ordinal(set, ordinal, revision)
  make_pod(set, set.metadata.name .. "-" .. ordinal, function(pod)
    if not pod.metadata.labels then pod.metadata.labels = {} end
    pod.metadata.labels["controller-revision-hash"] = revision
    pod.metadata.labels["statefulset.kubernetes.io/pod-name"] = pod.metadata.name
    pod.metadata.labels["apps.kubernetes.io/pod-index"] = tostring(ordinal)
    pod.spec.hostname, pod.spec.subdomain = pod.metadata.name, set.spec.serviceName
    claims_for(set, pod)
  end)
end

-- One step: make the first missing pod, drop the last surplus one, or replace one of an old revision.
local function statefulset_step(set, pods, revision)
  local replicas, parallel = set.spec.replicas, set.spec.podManagementPolicy == "Parallel"
  for ordinal = 0, replicas - 1 do
    local pod = pods[ordinal]
    if not pod then
      make_ordinal(set, ordinal, revision)
      if not parallel then return end
    elseif not parallel and (is_leaving(pod) or not is_ready(pod)) then
      return
    end
  end
  local last = -1
  for ordinal in pairs(pods) do last = math.max(last, ordinal) end
  if last >= replicas then
    if not is_leaving(pods[last]) then drop_pod(pods[last]) end
    return
  end
  if set.spec.updateStrategy.type ~= "RollingUpdate" then return end
  for ordinal = replicas - 1, set.spec.updateStrategy.rollingUpdate.partition, -1 do
    local pod = pods[ordinal]
    if not pod or is_leaving(pod) then return end
    if pod.metadata.labels["controller-revision-hash"] ~= revision then return drop_pod(pod) end
    if not is_ready(pod) then return end
  end
end

function M.statefulset(namespace, name)
  local set = api.get("StatefulSet", namespace, name)
  if not set or set.metadata.deletionTimestamp then return end
  local pods, revision, list = {}, revision_of(set), common.children("Pod", set)
  for _, pod in ipairs(list) do pods[math.tointeger(tonumber(pod.metadata.name:match("(%d+)$")))] = pod end
  statefulset_step(set, pods, revision)
  list = common.children("Pod", set)
  local copy, before = common.with_status(set), set.status
  local function updated(pod) return pod.metadata.labels["controller-revision-hash"] == revision end
  local fresh, ready = count(list, updated), count(list, is_ready)
  local done = fresh == set.spec.replicas and ready == fresh
  local current = (done or not before.currentRevision) and revision or before.currentRevision
  copy.status = { replicas = #list, readyReplicas = number(ready), availableReplicas = ready,
    updatedReplicas = number(fresh),
    currentReplicas = number(current == revision and fresh or #list - fresh), currentRevision = current,
    updateRevision = revision, collisionCount = 0, observedGeneration = set.metadata.generation }
  common.write_status("StatefulSet", copy, set)
end

-- DaemonSet --------------------------------------------------------------------

function M.daemonset(namespace, name)
  local set = api.get("DaemonSet", namespace, name)
  if not set or set.metadata.deletionTimestamp then return end
  local revision, nodes, pods = revision_of(set), api.list("Node"), active_pods(set)
  local on = {}
  for _, pod in ipairs(pods) do on[pod.metadata.annotations and pod.metadata.annotations["sandbox.dosrun/node"]
    or ""] = pod end
  local waiting = count(pods, function(pod) return not is_ready(pod) end)
  for _, node in ipairs(nodes) do
    local pod = on[node.metadata.name]
    if not pod then
      make_pod(set, nil, function(new)
        if not new.metadata.annotations then new.metadata.annotations = {} end
        if not new.metadata.labels then new.metadata.labels = {} end
        new.metadata.annotations["sandbox.dosrun/node"] = node.metadata.name
        new.metadata.labels["controller-revision-hash"] = revision
      end)
    elseif pod.metadata.labels["controller-revision-hash"] ~= revision and waiting == 0 then
      drop_pod(pod)
      waiting = 1
    end
  end
  pods = active_pods(set)
  local ready = count(pods, is_ready)
  local fresh = count(pods, function(pod) return pod.metadata.labels["controller-revision-hash"] == revision end)
  local copy = common.with_status(set)
  copy.status = { currentNumberScheduled = #pods, numberMisscheduled = 0, desiredNumberScheduled = #nodes,
    numberReady = ready,
    observedGeneration = set.metadata.generation, updatedNumberScheduled = number(fresh),
      numberAvailable = number(ready),
    numberUnavailable = number(#nodes - ready) }
  common.write_status("DaemonSet", copy, set)
end

-- Job --------------------------------------------------------------------------

local function job_end(job, copy, kind, reason, message)
  local now = api.time()
  common.set_condition(copy, kind == "Complete" and "SuccessCriteriaMet" or "FailureTarget", "True", reason, message,
    { lastProbeTime = now })
  common.set_condition(copy, kind, "True", reason, message, { lastProbeTime = now })
  if kind == "Complete" then copy.status.completionTime = now end
  common.event(job, kind == "Complete" and "Normal" or "Warning", kind == "Complete" and "Completed" or reason,
    kind == "Complete" and "Job completed" or message, "job-controller")
end

local function job_expire(job)
  local ttl = job.spec.ttlSecondsAfterFinished
  local over = common.condition(job, "Complete") or common.condition(job, "Failed")
  if not ttl or not over then return end
  local left = api.ms(over.lastTransitionTime) + ttl * 1000 - api.now()
  if left > 0 then
    api.enqueue(common.key("job", job), left)
  else
    api.delete("Job", job.metadata.namespace, job.metadata.name, { propagationPolicy = "Background" })
  end
end

function M.job(namespace, name)
  local job = api.get("Job", namespace, name)
  if not job or job.metadata.deletionTimestamp then return end
  if common.is_true(job, "Complete") or common.is_true(job, "Failed") then return job_expire(job) end
  if job.spec.suspend then return end
  local pods = common.children("Pod", job)
  local succeeded = count(pods, function(pod) return pod.status.phase == "Succeeded" end)
  local failed = count(pods, function(pod) return pod.status.phase == "Failed" end)
  local wanted = job.spec.completions or 1
  local active = active_pods(job)
  if failed <= job.spec.backoffLimit then
    for _ = #active + 1, math.min(job.spec.parallelism, wanted - succeeded) do make_pod(job) end
  end
  active = active_pods(job)
  job = api.get("Job", namespace, name)
  local copy = common.with_status(job)
  if not copy.status.startTime then copy.status.startTime = api.time() end
  copy.status.active, copy.status.succeeded, copy.status.failed = number(#active), number(succeeded), number(failed)
  copy.status.ready, copy.status.terminating = count(active, is_ready), 0
  copy.status.uncountedTerminatedPods = {}
  if succeeded >= wanted then
    job_end(job, copy, "Complete", "CompletionsReached", "Reached expected number of succeeded pods")
  elseif failed > job.spec.backoffLimit then
    job_end(job, copy, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
  end
  common.write_status("Job", copy, job)
end

return M
