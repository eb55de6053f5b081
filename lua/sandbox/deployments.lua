-- The Deployment controller: one ReplicaSet for each template, replicas moved from the old ones to the
-- newest within maxSurge and maxUnavailable. Source: Kubernetes documentation "Deployments"; reasons and
-- messages of kube-controller-manager 1.34.
local common = require "common"
local HASH, REVISION = "pod-template-hash", "deployment.kubernetes.io/revision"

local function same_template(set, deployment)
  local template = doc.copy(set.spec.template)
  template.metadata.labels[HASH] = nil
  return doc.equal(template, deployment.spec.template)
end

local function revision_of(object) return tonumber((object.metadata.annotations or {})[REVISION] or "0") end

local function sets_of(deployment)
  local newest, old = nil, {}
  for _, set in ipairs(common.children("ReplicaSet", deployment)) do
    if not newest and same_template(set, deployment) then newest = set else old[#old + 1] = set end
  end
  return newest, old
end

local function total(sets, field)
  local n = 0
  for _, set in ipairs(sets) do
    n = n + (field == "spec" and set.spec.replicas or (set.status[field] or 0))
  end
  return n
end

local function scale(deployment, set, replicas)
  if set.spec.replicas == replicas then return set end
  local copy = doc.copy(set)
  copy.spec.replicas = replicas
  local word = replicas > set.spec.replicas and "up" or "down"
  common.event(deployment, "Normal", "ScalingReplicaSet", ("Scaled %s replica set %s from %d to %d"):format(word,
    set.metadata.name, set.spec.replicas, replicas), "deployment-controller")
  return api.update("ReplicaSet", copy) or set
end

local function make_set(deployment, replicas, revision)
  local hash = api.hash(doc.json(deployment.spec.template), 10)
  local template, labels = doc.copy(deployment.spec.template), doc.copy(deployment.spec.selector)
  template.metadata.labels[HASH] = hash
  if not labels.matchLabels then labels.matchLabels = {} end
  labels.matchLabels[HASH] = hash
  local set = api.create("ReplicaSet", { apiVersion = "apps/v1", kind = "ReplicaSet",
    metadata = { name = deployment.metadata.name .. "-" .. hash, namespace = deployment.metadata.namespace,
      labels = template.metadata.labels, annotations = { [REVISION] = tostring(revision) },
      ownerReferences = common.reference(deployment) },
    spec = { replicas = replicas, selector = labels, template = template,
      minReadySeconds = deployment.spec.minReadySeconds } })
  if set then
    common.event(deployment, "Normal", "ScalingReplicaSet", ("Scaled up replica set %s from 0 to %d"):format(
      set.metadata.name, replicas), "deployment-controller")
  end
  return set
end

local function set_revision(kind, object, revision)
  if revision_of(object) == revision then return object end
  local copy = doc.copy(object)
  if not copy.metadata.annotations then copy.metadata.annotations = {} end
  copy.metadata.annotations[REVISION] = tostring(revision)
  return api.update(kind, copy, kind == "Deployment" and "status" or "") or object
end

local function bounds(deployment)
  local s = deployment.spec
  local rolling = s.strategy.rollingUpdate or { maxSurge = 0, maxUnavailable = 0 }
  local surge, unavailable = common.share(rolling.maxSurge, s.replicas, true), common.share(rolling.maxUnavailable,
    s.replicas)
  if surge == 0 and unavailable == 0 then unavailable = 1 end
  return surge, unavailable
end

local function roll(deployment, newest, old)
  local replicas = deployment.spec.replicas
  local surge, unavailable = bounds(deployment)
  local all = total(old, "spec") + newest.spec.replicas
  if newest.spec.replicas > replicas then
    newest = scale(deployment, newest, replicas)
  elseif newest.spec.replicas < replicas and all < replicas + surge then
    newest = scale(deployment, newest, math.min(replicas, newest.spec.replicas + replicas + surge - all))
  end
  all = total(old, "spec") + newest.spec.replicas
  local unready_new = newest.spec.replicas - (newest.status.availableReplicas or 0)
  local may_go = all - (replicas - unavailable) - unready_new
  table.sort(old, function(a, b) return revision_of(a) < revision_of(b) end)
  for pass = 1, 2 do -- first replicas that are not there anyway, then ready ones
    for i, set in ipairs(old) do
      local idle = pass == 1 and set.spec.replicas - (set.status.availableReplicas or 0) or set.spec.replicas
      local n = math.max(0, math.min(may_go, idle))
      if n > 0 then
        old[i] = scale(deployment, set, set.spec.replicas - n)
        may_go = may_go - n
      end
    end
  end
  return newest
end

local function recreate(deployment, newest, old, revision)
  for i, set in ipairs(old) do old[i] = scale(deployment, set, 0) end
  for _, set in ipairs(old) do
    if #common.children("Pod", set) > 0 then return newest end
  end
  if not newest then return make_set(deployment, deployment.spec.replicas, revision) end
  return scale(deployment, newest, deployment.spec.replicas)
end

local function cleanup(deployment, old)
  local idle = {}
  for _, set in ipairs(old) do
    if set.spec.replicas == 0 and (set.status.replicas or 0) == 0 then idle[#idle + 1] = set end
  end
  table.sort(idle, function(a, b) return revision_of(a) < revision_of(b) end)
  for i = 1, #idle - (deployment.spec.revisionHistoryLimit or 10) do
    api.delete("ReplicaSet", deployment.metadata.namespace, idle[i].metadata.name)
  end
end

local function available_condition(deployment, copy, available)
  local _, unavailable = bounds(deployment)
  if available >= deployment.spec.replicas - unavailable then
    common.set_condition(copy, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
  else
    common.set_condition(copy, "Available", "False", "MinimumReplicasUnavailable",
      "Deployment does not have minimum availability.")
  end
end

local function progressing(deployment, copy, status, reason, message)
  local c = common.condition(deployment, "Progressing")
  local same = c and c.reason == reason and c.status == status and c.message == message
  common.set_condition(copy, "Progressing", status, reason, message,
    { lastUpdateTime = same and c.lastUpdateTime or api.time() })
end

local counts = { "replicas", "updatedReplicas", "readyReplicas", "availableReplicas" }

local function moved(deployment, copy)
  for _, field in ipairs(counts) do
    if (deployment.status[field] or 0) ~= (copy.status[field] or 0) then return true end
  end
  return false
end

local function progress_condition(deployment, copy, newest, created)
  local s, now = deployment.spec, copy.status
  local c = common.condition(deployment, "Progressing")
  local done = (now.updatedReplicas or 0) == s.replicas and (now.replicas or 0) == s.replicas
    and (now.availableReplicas or 0) == s.replicas
  local name = newest and newest.metadata.name or ""
  if done then
    return progressing(deployment, copy, "True", "NewReplicaSetAvailable",
      ('ReplicaSet "%s" has successfully progressed.'):format(name))
  end
  if created then
    return progressing(deployment, copy, "True", "NewReplicaSetCreated", ('Created new replica set "%s"'):format(name))
  end
  if not c or moved(deployment, copy) or c.reason == "NewReplicaSetAvailable" and deployment.status.observedGeneration
    ~= deployment.metadata.generation then
    common.set_condition(copy, "Progressing", "True", "ReplicaSetUpdated",
      ('ReplicaSet "%s" is progressing.'):format(name),
      { lastUpdateTime = api.time() })
    c = common.condition(copy, "Progressing")
  end
  if c.reason == "NewReplicaSetAvailable" or c.reason == "ProgressDeadlineExceeded" then return end
  local left = api.ms(c.lastUpdateTime) + s.progressDeadlineSeconds * 1000 - api.now()
  if left > 0 then
    api.enqueue(common.key("deployment", deployment), left)
  else
    progressing(deployment, copy, "False", "ProgressDeadlineExceeded",
      ('ReplicaSet "%s" has timed out progressing.'):format(name))
  end
end

local function number(n) return n ~= 0 and n or nil end

local function write_status(deployment, newest, old, created)
  local copy, all = common.with_status(deployment), { newest, table.unpack(old) }
  if not newest then all = old end
  local available = total(all, "availableReplicas")
  local replicas = total(all, "replicas")
  copy.status = { observedGeneration = deployment.metadata.generation, replicas = number(replicas),
    updatedReplicas = newest and number(newest.status.replicas or 0), readyReplicas = number(total(all,
      "readyReplicas")),
    availableReplicas = number(available), unavailableReplicas = number(math.max(0, total(all, "spec") - available)),
    conditions = deployment.status.conditions and doc.copy(deployment.status.conditions) }
  available_condition(deployment, copy, available)
  local failure = newest and common.condition(newest, "ReplicaFailure")
  if failure then
    common.set_condition(copy, "ReplicaFailure", failure.status, failure.reason, failure.message)
  else
    common.remove_condition(copy, "ReplicaFailure")
  end
  progress_condition(deployment, copy, newest, created)
  for _, c in ipairs(copy.status.conditions) do
    if not c.lastUpdateTime then c.lastUpdateTime = c.lastTransitionTime end
  end
  common.write_status("Deployment", copy, deployment)
end

return function(namespace, name)
  local deployment = api.get("Deployment", namespace, name)
  if not deployment or deployment.metadata.deletionTimestamp then return end
  local newest, old = sets_of(deployment)
  local revision, created = 0, false
  for _, set in ipairs(old) do revision = math.max(revision, revision_of(set)) end
  revision = math.tointeger(revision + 1)
  if not deployment.spec.paused or newest then
    if deployment.spec.strategy.type == "Recreate" then
      local had = newest
      newest = recreate(deployment, newest, old, revision)
      created = newest ~= nil and not had
    elseif not newest then
      local surge = bounds(deployment)
      local room = deployment.spec.replicas + surge - total(old, "spec")
      newest = make_set(deployment, math.max(0, math.min(deployment.spec.replicas, room)), revision)
      created = newest ~= nil
    elseif not deployment.spec.paused or #old == 0 then
      newest = roll(deployment, newest, old)
    end
  end
  if newest then
    newest = set_revision("ReplicaSet", newest, math.max(revision, revision_of(newest)))
    deployment = set_revision("Deployment", deployment, revision_of(newest))
  end
  write_status(deployment, newest, old, created)
  cleanup(deployment, old)
end
