-- Scheduler and node of the simulated cluster: what becomes of a pod.
--   an image name with "missing"  never pulled: ErrImagePull, then ImagePullBackOff
--   an image name or the annotation sandbox.dosrun/behaves with "crash"  starts and exits 1, again and again
--   the same with "slow"          is ready after SLOW
--   restartPolicy Never, OnFailure  ends after RUN, with success unless it crashes
-- Source: "Pod Lifecycle", Kubernetes documentation; waiting reasons and event texts of the kubelet 1.34.
local common = require "common"
local M = {}

local START, READY, SLOW, RUN, BACK_OFF, END = 1000, 2000, 60000, 3000, 10000, 1000

local function behaves(pod, container)
  local note = (pod.metadata.annotations or {})["sandbox.dosrun/behaves"] or ""
  local image = (container.image or "") .. " " .. note
  return { missing = image:find("missing", 1, true), crash = image:find("crash", 1, true),
    slow = image:find("slow", 1, true) }
end

local function address(pod)
  local n = tonumber(api.hash("pod/" .. pod.metadata.uid, 6), 16)
  return ("10.0.%d.%d"):format(n // 250 % 250, n % 250 + 2)
end

-- Claims that the pod waits for, in words of the scheduler.
local function waits_for(pod)
  for _, volume in ipairs(pod.spec.volumes or {}) do
    local name = volume.persistentVolumeClaim and volume.persistentVolumeClaim.claimName
    local claim = name and api.get("PersistentVolumeClaim", pod.metadata.namespace, name)
    if name and not claim then return ('persistentvolumeclaim "%s" not found'):format(name) end
    if claim and claim.status.phase ~= "Bound" then
      api.enqueue(common.key("claim", claim))
      return "pod has unbound immediate PersistentVolumeClaims"
    end
  end
end

local function missing_reference(pod)
  for _, container in ipairs(pod.spec.containers) do
    for _, from in ipairs(container.envFrom or {}) do
      for field, kind in pairs { configMapRef = "ConfigMap", secretRef = "Secret" } do
        local ref = from[field]
        if ref and not ref.optional and not api.get(kind, pod.metadata.namespace, ref.name) then
          return ('%s "%s" not found'):format(kind:lower(), ref.name)
        end
      end
    end
    for _, variable in ipairs(container.env or {}) do
      for field, kind in pairs { configMapKeyRef = "ConfigMap", secretKeyRef = "Secret" } do
        local ref = variable.valueFrom and variable.valueFrom[field]
        if ref and not ref.optional and not api.get(kind, pod.metadata.namespace, ref.name) then
          return ('%s "%s" not found'):format(kind:lower(), ref.name)
        end
      end
    end
  end
end

local function schedule(pod)
  local copy, waits = common.with_status(pod), waits_for(pod)
  local nodes = api.list("Node")
  if waits or #nodes == 0 then
    local message = "0/" .. #nodes .. " nodes are available: " .. (waits or "no nodes") .. "."
    common.set_condition(copy, "PodScheduled", "False", "Unschedulable", message)
    if common.write_status("Pod", copy, pod) then
      common.event(pod, "Warning", "FailedScheduling", message, "default-scheduler")
    end
    return
  end
  local node = nodes[tonumber(api.hash("node/" .. pod.metadata.uid, 6), 16) % #nodes + 1].metadata.name
  common.set_condition(copy, "PodScheduled", "True")
  copy.status.startTime = api.time()
  local placed = doc.copy(pod)
  placed.spec.nodeName = node
  local bound = api.update("Pod", placed, "", "kube-scheduler")
  if bound then common.write_status("Pod", copy, bound, "kubelet") end
end

local function container_status(pod, container, state, ready, restarts, last)
  return { name = container.name, image = container.image, imageID = "", ready = ready, started = ready,
    restartCount = restarts or 0, state = state, lastState = last or {},
    containerID = state.running and "containerd://" .. api.hash(pod.metadata.uid .. container.name, 64) or nil }
end

local function terminated(pod, code)
  return { exitCode = code, reason = code == 0 and "Completed" or "Error", startedAt = pod.status.startTime,
    finishedAt = api.time() }
end

local function crash_state(pod, container, age)
  local restarts = math.tointeger(math.min((age - START) // BACK_OFF, 5))
  return container_status(pod, container, { waiting = { reason = "CrashLoopBackOff",
    message = ("back-off 10s restarting failed container=%s pod=%s_%s(%s)"):format(container.name, pod.metadata.name,
      pod.metadata.namespace, pod.metadata.uid) } }, false, restarts + 1, { terminated = terminated(pod, 1) })
end

local function pull_state(pod, container, age)
  local image = container.image
  if age < START + BACK_OFF then
    return container_status(pod, container, { waiting = { reason = "ErrImagePull",
      message = ('failed to pull and unpack '
      .. 'image "%s": failed to resolve reference "%s": %s: not found'):format(image, image, image) } }, false)
  end
  return container_status(pod, container, { waiting = { reason = "ImagePullBackOff",
    message = ('Back-off pulling image "%s"'):format(image) } }, false)
end

-- The state of one container after age ms on its node, and when to look again.
local function container_now(pod, container, age)
  local how, once = behaves(pod, container), pod.spec.restartPolicy ~= "Always"
  if how.missing then return pull_state(pod, container, age), age < START + BACK_OFF and START + BACK_OFF - age
    or nil end
  local missing = missing_reference(pod)
  if missing then
    return container_status(pod, container, { waiting = { reason = "CreateContainerConfigError",
      message = missing } }, false),
      BACK_OFF
  end
  if how.crash then
    if once and pod.spec.restartPolicy == "Never" then
      return container_status(pod, container, { terminated = terminated(pod, 1) }, false)
    end
    return crash_state(pod, container, age)
  end
  if once and age >= RUN then return container_status(pod, container, { terminated = terminated(pod, 0) }, false) end
  local ready_at = how.slow and SLOW or READY
  return container_status(pod, container, { running = { startedAt = pod.status.startTime } }, age >= ready_at),
    age < ready_at and ready_at - age or once and RUN - age or nil
end

local function tell(pod, status)
  local waiting = status.state.waiting
  local reason = waiting and waiting.reason
  if reason == "ErrImagePull" then
    common.event(pod, "Warning", "Failed", "Failed to pull image " .. '"' .. status.image .. '": '
      .. waiting.message, "kubelet")
  elseif reason == "ImagePullBackOff" then
    common.event(pod, "Normal", "BackOff", waiting.message, "kubelet")
  elseif reason == "CrashLoopBackOff" then
    common.event(pod, "Warning", "BackOff", "Back-off restarting failed container " .. status.name .. " in pod "
      .. pod.metadata.name, "kubelet")
  elseif reason == "CreateContainerConfigError" then
    common.event(pod, "Warning", "Failed", "Error: " .. waiting.message, "kubelet")
  end
end

local function old_reason(pod, i)
  local old = pod.status.containerStatuses and pod.status.containerStatuses[i]
  local state = old and old.state or {}
  return state.waiting and state.waiting.reason or state.running and "running" or state.terminated and "terminated"
end

local function run(pod)
  local age = api.now() - api.ms(pod.status.startTime)
  if age < START then return api.enqueue(common.key("pod", pod), START - age) end
  local copy, statuses, ready, ended, failed, again = common.with_status(pod), doc.array {}, true, true, false, nil
  for i, container in ipairs(pod.spec.containers) do
    local status, after = container_now(pod, container, age)
    local reason = status.state.waiting and status.state.waiting.reason or status.state.running and "running"
      or "terminated"
    if reason ~= old_reason(pod, i) then tell(pod, status) end
    statuses[i] = status
    ready = ready and status.ready
    ended = ended and status.state.terminated ~= nil
    failed = failed or status.state.terminated ~= nil and status.state.terminated.exitCode ~= 0
    if after and (not again or after < again) then again = after end
  end
  local started = not (statuses[1].state.waiting and statuses[1].state.waiting.reason ~= "CrashLoopBackOff")
  copy.status.phase = ended and (failed and "Failed" or "Succeeded") or started and "Running" or "Pending"
  copy.status.containerStatuses = statuses
  if started then
    copy.status.podIP = address(pod)
    copy.status.podIPs = { { ip = copy.status.podIP } }
    copy.status.hostIP = "10.0.255.10"
  end
  common.set_condition(copy, "Initialized", "True")
  local reason = ended and "PodCompleted" or "ContainersNotReady"
  for _, name in ipairs { "Ready", "ContainersReady" } do
    common.set_condition(copy, name, ready and "True" or "False", not ready and reason or nil)
  end
  common.write_status("Pod", copy, pod, "kubelet")
  if again then api.enqueue(common.key("pod", pod), again) end
end

function M.reconcile(namespace, name)
  local pod = api.get("Pod", namespace, name)
  if not pod then return end
  if pod.metadata.deletionTimestamp then
    local since = api.ms(pod.metadata.deletionTimestamp) - (pod.metadata.deletionGracePeriodSeconds or 0) * 1000
    local age = api.now() - since
    if age < END then
      api.enqueue(common.key("pod", pod), END - age)
    else
      api.delete("Pod", namespace, name, { gracePeriodSeconds = 0 })
    end
  elseif not pod.spec.nodeName then
    schedule(pod)
  elseif pod.status.startTime and pod.status.phase ~= "Succeeded" and pod.status.phase ~= "Failed" then
    run(pod)
  end
end

-- Text of the container's log, or nil and the reason.
function M.log(pod, name, previous)
  local container = pod.spec.containers[1]
  for _, c in ipairs(pod.spec.containers) do
    if c.name == name then container = c end
  end
  if name ~= "" and container.name ~= name then
    return nil, ("container %s is not valid for pod %s"):format(name, pod.metadata.name)
  end
  local status
  for _, s in ipairs(pod.status.containerStatuses or {}) do
    if s.name == container.name then status = s end
  end
  local waiting = status and status.state.waiting
  if not status or waiting and waiting.reason ~= "CrashLoopBackOff" then
    return nil, ('container "%s" in pod "%s" is waiting to start: %s'):format(container.name, pod.metadata.name,
      waiting and waiting.reason or "ContainerCreating")
  end
  if behaves(pod, container).crash then
    return ("%s: starting\n%s: fatal: cannot open its configuration\n%s: exit 1\n"):format(container.name,
      container.name,
      container.name)
  end
  if previous then
    return nil, ('previous terminated container "%s" in pod "%s" not found'):format(container.name, pod.metadata.name)
  end
  return container.name .. ": started\n" .. (status.ready and container.name .. ": ready\n" or "")
end

return M
