-- Load balancers, autoscalers, disruption budgets, aggregated APIs. Source: Kubernetes documentation of
-- each kind; conditions and messages of kube-controller-manager 1.34.
local common = require "common"
local M = {}
local BALANCER, CLEANUP = 2000, "service.kubernetes.io/load-balancer-cleanup"

local function has_cleanup(service)
  for _, f in ipairs(service.metadata.finalizers or {}) do
    if f == CLEANUP then return true end
  end
end

-- 198.51.100.0/24 is for documentation (RFC 5737): nothing real answers there.
local function address_of(service)
  local taken = {}
  for _, other in ipairs(api.list("Service")) do
    for _, ingress in ipairs(other.status.loadBalancer.ingress or {}) do taken[ingress.ip or ""] = true end
  end
  local n = tonumber(api.hash("balancer/" .. service.metadata.namespace .. "/" .. service.metadata.name, 6), 16)
  for i = 0, 252 do
    local ip = ("198.51.100.%d"):format((n + i) % 253 + 1)
    if not taken[ip] then return ip end
  end
end

function M.service(namespace, name)
  local service = api.get("Service", namespace, name)
  if not service then return end
  if service.metadata.deletionTimestamp then
    api.unfinalize("Service", namespace, name, CLEANUP)
    return
  end
  if service.spec.type ~= "LoadBalancer" then
    if has_cleanup(service) then api.unfinalize("Service", namespace, name, CLEANUP) end
    return
  end
  if not has_cleanup(service) then
    local copy = doc.copy(service)
    if not copy.metadata.finalizers then copy.metadata.finalizers = doc.array {} end
    copy.metadata.finalizers[#copy.metadata.finalizers + 1] = CLEANUP
    service = api.update("Service", copy) or service
    common.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer", "service-controller")
  end
  if #(service.status.loadBalancer.ingress or {}) > 0 then return end
  local left = api.ms(service.metadata.creationTimestamp) + BALANCER - api.now()
  if left > 0 then return api.enqueue(common.key("service", service), math.tointeger(left)) end
  api.status("Service", service, { loadBalancer = { ingress = { { ip = address_of(service), ipMode = "VIP" } } } })
  common.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer", "service-controller")
end

-- HorizontalPodAutoscaler --------------------------------------------------------

local function metrics_served()
  local service = api.get("APIService", nil, "v1beta1.metrics.k8s.io")
  return service and common.is_true(service, "Available")
end

local function scale_to(target, replicas)
  local copy = doc.copy(target)
  copy.spec.replicas = replicas
  return api.update(target.kind, copy, "scale")
end

local function condition(copy, name, status, reason, message)
  common.set_condition(copy, name, status, reason, message)
end

function M.autoscaler(namespace, name)
  local hpa = api.get("HorizontalPodAutoscaler", namespace, name)
  if not hpa or hpa.metadata.deletionTimestamp then return end
  local copy, ref = common.with_status(hpa), hpa.spec.scaleTargetRef
  local scalable = ref.kind == "Deployment" or ref.kind == "StatefulSet" or ref.kind == "ReplicaSet"
  local target = scalable and api.get(ref.kind, namespace, ref.name)
  if not target then
    condition(copy, "AbleToScale", "False", "FailedGetScale",
      ("the HPA controller was unable to get the target's current "
      .. 'scale: %ss.apps "%s" not found'):format(ref.kind:lower(), ref.name))
    common.write_status("HorizontalPodAutoscaler", copy, hpa)
    return api.enqueue(common.key("autoscaler", hpa), 15000)
  end
  local now = target.spec.replicas or 1
  local wanted = now == 0 and 0 or math.max(hpa.spec.minReplicas, math.min(hpa.spec.maxReplicas, now))
  condition(copy, "AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
  if now == 0 then
    condition(copy, "ScalingActive", "False", "ScalingDisabled",
      "scaling is disabled since the replica count of the target is zero")
  elseif metrics_served() then
    condition(copy, "ScalingActive", "True", "ValidMetricFound",
      "the HPA was able to successfully calculate a replica count from cpu resource utilization "
        .. "(percentage of request)")
  else
    condition(copy, "ScalingActive", "False", "FailedGetResourceMetric",
      "the HPA was unable to compute the replica count: "
      .. "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource "
      .. "metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)")
  end
  condition(copy, "ScalingLimited", wanted ~= now and "True" or "False",
    wanted > now and "TooFewReplicas" or wanted < now and "TooManyReplicas" or "DesiredWithinRange",
    wanted ~= now and "the desired replica count is outside of the acceptable range"
      or "the desired count is within the acceptable range")
  copy.status.currentReplicas, copy.status.desiredReplicas = target.status.replicas or 0, wanted
  copy.status.currentMetrics = doc.null
  if wanted ~= now then
    scale_to(target, wanted)
    copy.status.lastScaleTime = api.time()
    common.event(hpa, "Normal", "SuccessfulRescale",
      ("New size: %d; reason: Current number of replicas %s"):format(wanted,
      wanted > now and "below Spec.MinReplicas" or "above Spec.MaxReplicas"), "horizontal-pod-autoscaler")
  end
  common.write_status("HorizontalPodAutoscaler", copy, hpa)
end

-- PodDisruptionBudget ------------------------------------------------------------

function M.budget(namespace, name)
  local budget = api.get("PodDisruptionBudget", namespace, name)
  if not budget or budget.metadata.deletionTimestamp then return end
  local expected, healthy = 0, 0
  for _, pod in ipairs(api.list("Pod", namespace)) do
    local over = pod.status.phase == "Succeeded" or pod.status.phase == "Failed"
    if not over and common.selects(budget.spec.selector, pod.metadata.labels) then
      expected = expected + 1
      if common.is_true(pod, "Ready") and not pod.metadata.deletionTimestamp then healthy = healthy + 1 end
    end
  end
  local desired
  if budget.spec.maxUnavailable ~= nil then
    desired = math.max(0, expected - common.share(budget.spec.maxUnavailable, expected, true))
  else
    desired = common.share(budget.spec.minAvailable or 1, expected, true)
  end
  local allowed = expected > 0 and math.max(0, healthy - desired) or 0
  local copy = common.with_status(budget)
  copy.status.observedGeneration = budget.metadata.generation
  copy.status.expectedPods, copy.status.currentHealthy = expected, healthy
  copy.status.desiredHealthy, copy.status.disruptionsAllowed = desired, allowed
  common.set_condition(copy, "DisruptionAllowed", allowed > 0 and "True" or "False",
    allowed > 0 and "SufficientPods" or "InsufficientPods", "", { observedGeneration = budget.metadata.generation })
  common.write_status("PodDisruptionBudget", copy, budget)
end

-- APIService ---------------------------------------------------------------------

function M.apiservice(_, name)
  local service = api.get("APIService", nil, name)
  if not service or service.metadata.deletionTimestamp then return end
  local copy, ref = common.with_status(service), service.spec.service
  if not ref then
    condition(copy, "Available", "True", "Local", "Local APIServices are always available")
  elseif api.get("Service", ref.namespace, ref.name) then
    condition(copy, "Available", "True", "Passed", "all checks passed")
  else
    condition(copy, "Available", "False", "ServiceNotFound", ('service/%s in "%s" is not present'):format(ref.name,
      ref.namespace))
  end
  common.write_status("APIService", copy, service)
end

return M
