-- Rules of pods and of what makes pods: defaults, validation, Pod Security admission.
-- Source: API reference v1.34; "Pod Security Standards" and its admission controller.
local function each_container(spec, fn)
  for _, list in ipairs { "initContainers", "containers" } do
    for i, container in ipairs(spec[list] or {}) do fn(container, ("%s[%d]"):format(list, i - 1), list) end
  end
end

local function pull_policy(image)
  local name = (image or ""):match("[^/]*$")
  if name:find("@", 1, true) then return "IfNotPresent" end
  local tag = name:match(":(.+)$")
  return (not tag or tag == "latest") and "Always" or "IfNotPresent"
end

local volume_sources_known = { name = true }

local function default_pod_spec(spec)
  if spec.serviceAccountName then spec.serviceAccount = spec.serviceAccountName end
  if spec.serviceAccount and not spec.serviceAccountName then spec.serviceAccountName = spec.serviceAccount end
  each_container(spec, function(c)
    if not c.imagePullPolicy then c.imagePullPolicy = pull_policy(c.image) end
  end)
  for _, volume in ipairs(spec.volumes or {}) do
    local sourced = false
    for key in pairs(volume) do sourced = sourced or not volume_sources_known[key] end
    if not sourced then volume.emptyDir = {} end
  end
  if spec.hostNetwork then
    each_container(spec, function(c)
      for _, port in ipairs(c.ports or {}) do
        if not port.hostPort then port.hostPort = port.containerPort end
      end
    end)
  end
end

-- Validation -------------------------------------------------------------------

local function validate_container(fail, c, at, names)
  if c.name and names[c.name] then
    fail("FieldValueDuplicate", at .. ".name", 'Duplicate value: "' .. c.name .. '"')
  end
  names[c.name or ""] = true
  local ports = {}
  for i, port in ipairs(c.ports or {}) do
    if port.name and ports[port.name] then
      fail("FieldValueDuplicate", ("%s.ports[%d].name"):format(at, i - 1), 'Duplicate value: "' .. port.name .. '"')
    end
    ports[port.name or ""] = true
    local value = port.containerPort
    if value and value ~= 0 and (value < 1 or value > 65535) then
      fail("FieldValueInvalid", ("%s.ports[%d].containerPort"):format(at, i - 1),
        "Invalid value: " .. value .. ": must be between 1 and 65535, inclusive")
    end
  end
end

local function validate_pod_spec(fail, spec, at)
  local names, volumes = {}, {}
  for _, volume in ipairs(spec.volumes or {}) do volumes[volume.name or ""] = true end
  each_container(spec, function(c, where)
    validate_container(fail, c, at .. "." .. where, names)
    for i, mount in ipairs(c.volumeMounts or {}) do
      if mount.name and not volumes[mount.name] then
        fail("FieldValueNotFound", ("%s.%s.volumeMounts[%d].name"):format(at, where, i - 1),
          'Not found: "' .. mount.name .. '"')
      end
    end
  end)
end

local function selects(selector, labels)
  labels = labels or {}
  for key, value in pairs(selector.matchLabels or {}) do
    if labels[key] ~= value then return false end
  end
  for _, e in ipairs(selector.matchExpressions or {}) do
    local found = false
    for _, v in ipairs(e.values or {}) do found = found or v == labels[e.key] end
    if e.operator == "In" and not found or e.operator == "NotIn" and found then return false end
    if e.operator == "Exists" and labels[e.key] == nil then return false end
    if e.operator == "DoesNotExist" and labels[e.key] ~= nil then return false end
  end
  return true
end

local function validate_workload(fail, o, old, word)
  local s = o.spec
  if s.replicas and s.replicas < 0 then
    fail("FieldValueInvalid", "spec.replicas", "Invalid value: " .. s.replicas
      .. ": must be greater than or equal to 0")
  end
  local labels = s.template.metadata.labels
  local empty = s.selector and not s.selector.matchLabels and not s.selector.matchExpressions
  if empty then
    fail("FieldValueInvalid", "spec.selector", "Invalid value: {}: empty selector is invalid for " .. word)
  end
  if not s.selector or empty or not selects(s.selector, labels) then
    fail("FieldValueInvalid", "spec.template.metadata.labels",
      "Invalid value: " .. (labels and doc.json(labels) or "null") .. ": `selector` does not match template `labels`")
  end
  validate_pod_spec(fail, s.template.spec, "spec.template.spec")
  if s.template.spec.restartPolicy ~= "Always" then
    fail("FieldValueNotSupported", "spec.template.spec.restartPolicy",
      'Unsupported value: "' .. tostring(s.template.spec.restartPolicy) .. '": supported values: "Always"')
  end
  if old and not doc.equal(s.selector, old.spec.selector) then
    fail("FieldValueInvalid", "spec.selector", "Invalid value: " .. doc.json(s.selector) .. ": field is immutable")
  end
end

-- Pod Security -----------------------------------------------------------------

local function quoted(names)
  for i, name in ipairs(names) do names[i] = '"' .. name .. '"' end
  return (#names == 1 and "container " or "containers ") .. table.concat(names, ", ")
end

local function failing(spec, test)
  local names = {}
  each_container(spec, function(c)
    if test(c, c.securityContext or {}) then names[#names + 1] = c.name end
  end)
  return #names > 0 and quoted(names)
end

local function baseline(spec, add)
  local host = {}
  for _, field in ipairs { "hostNetwork", "hostPID", "hostIPC" } do
    if spec[field] then host[#host + 1] = field .. "=true" end
  end
  if #host > 0 then add("host namespaces", "(" .. table.concat(host, ", ") .. ")") end
  local volumes = {}
  for _, v in ipairs(spec.volumes or {}) do
    if v.hostPath then volumes[#volumes + 1] = '"' .. v.name .. '"' end
  end
  if #volumes > 0 then
    add("hostPath volumes", ("(%s %s)"):format(#volumes == 1 and "volume" or "volumes", table.concat(volumes, ", ")))
  end
  local privileged = failing(spec, function(_, s) return s.privileged end)
  if privileged then add("privileged", ("(%s must not set securityContext.privileged=true)"):format(privileged)) end
end

local function drops_all(security)
  for _, name in ipairs(security.capabilities and security.capabilities.drop or {}) do
    if name == "ALL" then return true end
  end
  return false
end

local function restricted(spec, add)
  local pod = spec.securityContext or {}
  local found = failing(spec, function(_, s) return s.allowPrivilegeEscalation ~= false end)
  if found then
    add("allowPrivilegeEscalation != false",
      ("(%s must set securityContext.allowPrivilegeEscalation=false)"):format(found))
  end
  found = failing(spec, function(_, s) return not drops_all(s) end)
  if found then
    add("unrestricted capabilities", ('(%s must set securityContext.capabilities.drop=["ALL"])'):format(found))
  end
  found = failing(spec, function(_, s) return not (s.runAsNonRoot or s.runAsNonRoot == nil and pod.runAsNonRoot) end)
  if found then add("runAsNonRoot != true",
    ("(pod or %s must set securityContext.runAsNonRoot=true)"):format(found)) end
  if pod.runAsUser == 0 then add("runAsUser=0", "(pod must not set runAsUser=0)") end
  found = failing(spec, function(_, s)
    local profile = s.seccompProfile or pod.seccompProfile
    return not profile or profile.type ~= "RuntimeDefault" and profile.type ~= "Localhost"
  end)
  if found then
    add("seccompProfile",
      ('(pod or %s must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")')
      :format(found))
  end
end

local function violations(spec, level)
  local out = {}
  local function add(reason, detail) out[#out + 1] = reason .. " " .. detail end
  if level == "privileged" then return nil end
  baseline(spec, add)
  if level == "restricted" then restricted(spec, add) end
  return #out > 0 and table.concat(out, ", ")
end

local function policy(namespace, mode)
  local labels = namespace and namespace.metadata.labels or {}
  local level = labels["pod-security.kubernetes.io/" .. mode]
  return level, labels["pod-security.kubernetes.io/" .. mode .. "-version"] or "latest"
end

local function warn_of(spec, namespace, warn)
  local level, version = policy(namespace, "warn")
  if not level then level, version = policy(namespace, "enforce") end
  local found = level and violations(spec, level)
  if found then warn(('would violate PodSecurity "%s:%s": %s'):format(level, version, found)) end
end

local function admit_pod(o, old, namespace, warn, refuse)
  if old then return end
  local level, version = policy(namespace, "enforce")
  local found = level and violations(o.spec, level)
  if found then
    refuse(o.metadata.name, ('violates PodSecurity "%s:%s": %s'):format(level, version, found))
  elseif policy(namespace, "warn") then
    warn_of(o.spec, namespace, warn)
  end
end

local function admit_template(template)
  return function(o, old, namespace, warn)
    local spec = template(o)
    if spec and not (old and doc.equal(template(old), spec)) then warn_of(spec, namespace, warn) end
  end
end

-- Pods -------------------------------------------------------------------------

local function quality_of(spec)
  local some, guaranteed = false, true
  each_container(spec, function(c)
    local requests, limits = c.resources.requests or {}, c.resources.limits or {}
    for _, name in ipairs { "cpu", "memory" } do
      some = some or requests[name] ~= nil or limits[name] ~= nil
      guaranteed = guaranteed and limits[name] ~= nil and requests[name] == limits[name]
    end
  end)
  return some and (guaranteed and "Guaranteed" or "Burstable") or "BestEffort"
end

local function mount_token(o)
  local name = "kube-api-access-" .. api.hash("token/" .. o.metadata.namespace .. "/" .. o.metadata.name, 5)
  if not o.spec.volumes then o.spec.volumes = doc.array {} end
  o.spec.volumes[#o.spec.volumes + 1] = { name = name, projected = { defaultMode = 420, sources = {
    { serviceAccountToken = { expirationSeconds = 3607, path = "token" } },
    { configMap = { name = "kube-root-ca.crt", items = { { key = "ca.crt", path = "ca.crt" } } } },
    { downwardAPI = { items = { { path = "namespace",
      fieldRef = { apiVersion = "v1", fieldPath = "metadata.namespace" } } } } } } } }
  each_container(o.spec, function(c)
    if not c.volumeMounts then c.volumeMounts = doc.array {} end
    c.volumeMounts[#c.volumeMounts + 1] =
      { name = name, readOnly = true, mountPath = "/var/run/secrets/kubernetes.io/serviceaccount" }
  end)
end

local function prepare_pod(o, old)
  if old then return end
  local s = o.spec
  if not s.serviceAccountName then s.serviceAccountName = "default" end
  s.serviceAccount = s.serviceAccountName
  local account = api.get("ServiceAccount", o.metadata.namespace, s.serviceAccountName)
  local mounts = s.automountServiceAccountToken
  if mounts == nil and account then mounts = account.automountServiceAccountToken end
  if mounts ~= false then mount_token(o) end
  if not s.tolerations then s.tolerations = doc.array {} end
  for _, key in ipairs { "not-ready", "unreachable" } do
    s.tolerations[#s.tolerations + 1] = { key = "node.kubernetes.io/" .. key, operator = "Exists", effect = "NoExecute",
      tolerationSeconds = 300 }
  end
  if not s.priority then s.priority = 0 end
  if not s.preemptionPolicy then s.preemptionPolicy = "PreemptLowerPriority" end
  o.status = { phase = "Pending", qosClass = quality_of(s) }
end

local function validate_pod(fail, o, old)
  validate_pod_spec(fail, o.spec, "spec")
  if not old then return end
  for i, c in ipairs(o.spec.containers or {}) do
    local before = old.spec.containers[i]
    if not before or c.name ~= before.name or not doc.equal(c.ports, before.ports) or not doc.equal(c.env,
      before.env) then
      fail("FieldValueForbidden", "spec", "Forbidden: pod updates may not change fields other than "
        .. "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        .. "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
        .. "(allow it to be set to 1 if it was previously negative)")
      return
    end
  end
end

-- Jobs -------------------------------------------------------------------------

local function default_job_spec(s)
  if s.completions == nil and s.parallelism == nil then s.completions = 1 end
  if s.parallelism == nil then s.parallelism = 1 end
  if s.backoffLimit == nil then s.backoffLimit = 6 end
  if not s.completionMode then s.completionMode = "NonIndexed" end
  if s.suspend == nil then s.suspend = false end
  if not s.podReplacementPolicy then
    s.podReplacementPolicy = s.podFailurePolicy and "Failed" or "TerminatingOrFailed"
  end
  default_pod_spec(s.template.spec)
end

local function default_job(o)
  default_job_spec(o.spec)
  if o.spec.manualSelector == nil then o.spec.manualSelector = false end
end

local function prepare_job(o, old)
  if old or o.spec.manualSelector then return end
  local labels = { ["batch.kubernetes.io/controller-uid"] = o.metadata.uid,
    ["batch.kubernetes.io/job-name"] = o.metadata.name,
    ["controller-uid"] = o.metadata.uid, ["job-name"] = o.metadata.name }
  o.spec.selector = { matchLabels = { ["batch.kubernetes.io/controller-uid"] = o.metadata.uid } }
  local template = o.spec.template.metadata
  if not template.labels then template.labels = {} end
  for key, value in pairs(labels) do template.labels[key] = value end
  local own = doc.copy(template.labels)
  for key, value in pairs(o.metadata.labels or {}) do own[key] = value end
  o.metadata.labels = own
end

local function validate_job(fail, o, old)
  local policy_now = o.spec.template.spec.restartPolicy
  validate_pod_spec(fail, o.spec.template.spec, "spec.template.spec")
  if policy_now ~= "Never" and policy_now ~= "OnFailure" then
    fail("FieldValueNotSupported", "spec.template.spec.restartPolicy",
      'Unsupported value: "' .. tostring(policy_now) .. '": supported values: "OnFailure", "Never"')
  end
  if old and not doc.equal(o.spec.template, old.spec.template) then
    fail("FieldValueInvalid", "spec.template", "Invalid value: " .. doc.json(o.spec.template) .. ": field is immutable")
  end
end

-- Workloads --------------------------------------------------------------------

local function default_deployment(o)
  default_pod_spec(o.spec.template.spec)
  local strategy = o.spec.strategy
  if strategy.type == "RollingUpdate" then
    if not strategy.rollingUpdate then strategy.rollingUpdate = {} end
    local rolling = strategy.rollingUpdate
    if rolling.maxUnavailable == nil then rolling.maxUnavailable = "25%" end
    if rolling.maxSurge == nil then rolling.maxSurge = "25%" end
  end
end

local function default_statefulset(o)
  default_pod_spec(o.spec.template.spec)
  local update = o.spec.updateStrategy
  if update.type == "RollingUpdate" then
    if not update.rollingUpdate then update.rollingUpdate = {} end
    if update.rollingUpdate.partition == nil then update.rollingUpdate.partition = 0 end
  end
  for _, claim in ipairs(o.spec.volumeClaimTemplates or {}) do
    claim.apiVersion, claim.kind = "v1", "PersistentVolumeClaim"
    if not claim.spec.volumeMode then claim.spec.volumeMode = "Filesystem" end
    if not claim.status.phase then claim.status.phase = "Pending" end
  end
end

-- A number of the server's own form that shows as an annotation: "0" to field managers where a body leaves it out.
local GENERATION = "deprecated.daemonset.template.generation"

local function default_daemonset(o)
  default_pod_spec(o.spec.template.spec)
  if not o.metadata.annotations then o.metadata.annotations = {} end
  if not o.metadata.annotations[GENERATION] then o.metadata.annotations[GENERATION] = "0" end
  local update = o.spec.updateStrategy
  if update.type == "RollingUpdate" then
    if not update.rollingUpdate then update.rollingUpdate = {} end
    if update.rollingUpdate.maxUnavailable == nil then update.rollingUpdate.maxUnavailable = 1 end
    if update.rollingUpdate.maxSurge == nil then update.rollingUpdate.maxSurge = 0 end
  end
end

local function prepare_daemonset(o, old)
  local before = (old or o).metadata.annotations[GENERATION]
  if not old then
    if math.tointeger(before) < 1 then before = "1" end
  elseif not doc.equal(o.spec.template, old.spec.template) then
    before = tostring(math.tointeger(before) + 1)
  end
  o.metadata.annotations[GENERATION] = before
end

local statefulset_free = { replicas = true, ordinals = true, template = true, updateStrategy = true,
  revisionHistoryLimit = true, persistentVolumeClaimRetentionPolicy = true, minReadySeconds = true }

local function validate_statefulset(fail, o, old)
  local policy_name = o.spec.podManagementPolicy
  if policy_name ~= "OrderedReady" and policy_name ~= "Parallel" then
    fail("FieldValueInvalid", "spec.podManagementPolicy",
      'Invalid value: "' .. policy_name .. "\": must be 'OrderedReady' or 'Parallel'")
  end
  validate_workload(fail, o, nil, "statefulset")
  if not old then return end
  for _, pair in ipairs { { o, old }, { old, o } } do
    for field, value in pairs(pair[1].spec) do
      if not statefulset_free[field] and not doc.equal(value, pair[2].spec[field]) then
        fail("FieldValueForbidden", "spec", "Forbidden: updates to statefulset spec for fields other than 'replicas', "
          .. "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' "
          .. "and 'minReadySeconds' are forbidden")
        return
      end
    end
  end
end

return function(R)
  local function template(o) return o.spec.template.spec end

  function R.default.Pod(o)
    default_pod_spec(o.spec)
    if o.spec.enableServiceLinks == nil then o.spec.enableServiceLinks = true end
    each_container(o.spec, function(c)
      for name, value in pairs(c.resources.limits or {}) do
        if not c.resources.requests then c.resources.requests = {} end
        if c.resources.requests[name] == nil then c.resources.requests[name] = value end
      end
    end)
  end
  R.prepare.Pod, R.validate.Pod, R.admit.Pod = prepare_pod, validate_pod, admit_pod
  R.default.Deployment, R.default.StatefulSet, R.default.DaemonSet = default_deployment, default_statefulset,
    default_daemonset
  R.prepare.DaemonSet = prepare_daemonset
  function R.default.ReplicaSet(o) default_pod_spec(o.spec.template.spec) end
  R.default.Job, R.prepare.Job, R.validate.Job = default_job, prepare_job, validate_job
  function R.default.CronJob(o) default_pod_spec(o.spec.jobTemplate.spec.template.spec) end
  for kind, word in pairs { Deployment = "deployment", ReplicaSet = "replicaset", DaemonSet = "daemonset" } do
    R.validate[kind] = function(fail, o, old) validate_workload(fail, o, old, word) end
  end
  local validate_deployment = R.validate.Deployment
  function R.validate.Deployment(fail, o, old)
    if o.spec.strategy.type == "Recreate" and o.spec.strategy.rollingUpdate then
      fail("FieldValueForbidden", "spec.strategy.rollingUpdate",
        "Forbidden: may not be specified when strategy `type` is 'Recreate'")
    end
    validate_deployment(fail, o, old)
  end
  R.validate.StatefulSet = validate_statefulset
  for _, kind in ipairs { "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job" } do
    R.admit[kind] = admit_template(template)
  end
  R.admit.CronJob = admit_template(function(o) return o.spec.jobTemplate.spec.template.spec end)
end
