-- What single kinds add to the tables: defaults that depend on other fields, what the server itself
-- sets, validation, admission. Source: API reference and "Defaulting" notes of each kind, v1.34.
local workloads = require "rules_pods"
local R = { default = {}, prepare = {}, validate = {}, warn = {}, admit = {} }

local function meta(o, field)
  if not o.metadata[field] then o.metadata[field] = {} end
  return o.metadata[field]
end

local function has(list, value)
  for _, v in ipairs(list or {}) do
    if v == value then return true end
  end
  return false
end

local function add_finalizer(o, name)
  if not o.metadata.finalizers then o.metadata.finalizers = doc.array {} end
  if not has(o.metadata.finalizers, name) then o.metadata.finalizers[#o.metadata.finalizers + 1] = name end
end

local function immutable(fail, field, value)
  fail("FieldValueInvalid", field, "Invalid value: " .. doc.json(value) .. ": field is immutable")
end

-- Namespace ------------------------------------------------------------------

function R.default.Namespace(o)
  if o.metadata.name then meta(o, "labels")["kubernetes.io/metadata.name"] = o.metadata.name end
end

function R.prepare.Namespace(o, old)
  if old then
    o.spec = old.spec
    return
  end
  o.spec = { finalizers = { "kubernetes" } }
  o.status = { phase = "Active" }
end

-- ConfigMap, Secret ----------------------------------------------------------

local function to_base64(text)
  local set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    for k = 1, 4 do
      local at = (n >> (24 - 6 * k)) & 63
      out[#out + 1] = (k == 3 and not b or k == 4 and not c) and "=" or set:sub(at + 1, at + 1)
    end
  end
  return table.concat(out)
end

function R.default.Secret(o)
  if not o.stringData then return end
  if not o.data then o.data = {} end
  for key, text in pairs(o.stringData) do o.data[key] = to_base64(text) end
  o.stringData = nil
end

local function data_keys(fail, map, field)
  for key in pairs(map or {}) do
    if not key:match("^[-._a-zA-Z0-9]+$") then
      fail("FieldValueInvalid", field .. "[" .. key .. "]", 'Invalid value: "' .. key .. "\": a valid config key must "
        .. "consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
        .. "regex used for validation is '[-._a-zA-Z0-9]+')")
    end
  end
end

local function frozen(fail, o, old, fields)
  if not (old and old.immutable) then return end
  if not o.immutable then
    fail("FieldValueForbidden", "immutable", "Forbidden: field is immutable when `immutable` is set")
  end
  for _, field in ipairs(fields) do
    if not doc.equal(o[field], old[field]) then
      fail("FieldValueForbidden", field, "Forbidden: field is immutable when `immutable` is set")
    end
  end
end

function R.validate.ConfigMap(fail, o, old)
  data_keys(fail, o.data, "data")
  data_keys(fail, o.binaryData, "binaryData")
  frozen(fail, o, old, { "data", "binaryData" })
end

function R.validate.Secret(fail, o, old)
  data_keys(fail, o.data, "data")
  if old and o.type ~= old.type then immutable(fail, "type", o.type) end
  frozen(fail, o, old, { "data" })
  if o.type == "kubernetes.io/tls" then
    for _, key in ipairs { "tls.crt", "tls.key" } do
      if not (o.data and o.data[key]) then fail("FieldValueRequired", "data[" .. key .. "]", "Required value") end
    end
  end
end

-- Service --------------------------------------------------------------------

function R.default.Service(o)
  local s = o.spec
  for _, port in ipairs(s.ports or {}) do
    if not port.targetPort or port.targetPort == 0 or port.targetPort == "" then port.targetPort = port.port end
  end
  if s.type == "ExternalName" then return end
  if not s.internalTrafficPolicy then s.internalTrafficPolicy = "Cluster" end
  if s.type == "NodePort" or s.type == "LoadBalancer" then
    if not s.externalTrafficPolicy then s.externalTrafficPolicy = "Cluster" end
  end
  if s.type == "LoadBalancer" and s.allocateLoadBalancerNodePorts == nil then s.allocateLoadBalancerNodePorts = true end
  if s.sessionAffinity == "None" then s.sessionAffinityConfig = nil end
  if s.sessionAffinity == "ClientIP" and not s.sessionAffinityConfig then
    s.sessionAffinityConfig = { clientIP = { timeoutSeconds = 10800 } }
  end
end

-- The first free address or port behind a hash of the service's name.
local function allocate(what, first, count, o, taken)
  local at = tonumber(api.hash(what .. "/" .. o.metadata.namespace .. "/" .. o.metadata.name, 8), 16) % count
  while taken[first + at] do at = (at + 1) % count end
  taken[first + at] = true
  return first + at
end

local function services_use(o)
  local addresses, ports = {}, {}
  for _, other in ipairs(api.list("Service")) do
    if other.metadata.uid ~= o.metadata.uid then
      local c, d = (other.spec.clusterIP or ""):match("^10%.100%.(%d+)%.(%d+)$")
      if c then addresses[c * 256 + d] = true end
      for _, port in ipairs(other.spec.ports or {}) do
        if port.nodePort then ports[port.nodePort] = true end
      end
    end
  end
  return addresses, ports
end

function R.prepare.Service(o, old, subresource)
  local s = o.spec
  if subresource == "status" then return end
  local internal, policy = s.type == "ClusterIP" or s.type == "ExternalName", s.externalTrafficPolicy
  if old and internal and policy == old.spec.externalTrafficPolicy then s.externalTrafficPolicy = nil end
  if s.type == "ExternalName" then
    if old and s.internalTrafficPolicy == old.spec.internalTrafficPolicy then s.internalTrafficPolicy = nil end
    if old and s.clusterIP == old.spec.clusterIP then
      s.clusterIP, s.clusterIPs, s.ipFamilies, s.ipFamilyPolicy = nil, nil, nil, nil
      for _, port in ipairs(s.ports or {}) do port.nodePort = nil end
    end
    return
  end
  if old and old.spec.type ~= "ExternalName" then
    for _, field in ipairs { "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy" } do
      if s[field] == nil then s[field] = old.spec[field] end
    end
    for _, port in ipairs(s.ports or {}) do
      for _, before in ipairs(old.spec.ports or {}) do
        local same = before.port == port.port and before.protocol == port.protocol
        if same and not port.nodePort and s.type ~= "ClusterIP" then port.nodePort = before.nodePort end
      end
      if s.type == "ClusterIP" then port.nodePort = nil end
    end
  end
  local addresses, ports
  if not s.clusterIP then
    addresses, ports = services_use(o)
    local n = math.tointeger(allocate("ip", 256, 65000, o, addresses))
    s.clusterIP = ("10.100.%d.%d"):format(n // 256, n % 256)
  end
  if not s.clusterIPs then s.clusterIPs = { s.clusterIP } end
  local plain = s.clusterIP == "None" and not s.selector -- headless without selector: both families
  if plain and not s.ipFamilies then s.ipFamilies, s.ipFamilyPolicy = { "IPv4", "IPv6" }, "RequireDualStack" end
  if not s.ipFamilies then s.ipFamilies = { "IPv4" } end
  if not s.ipFamilyPolicy then s.ipFamilyPolicy = "SingleStack" end
  if s.type == "NodePort" or s.type == "LoadBalancer" and s.allocateLoadBalancerNodePorts then
    for _, port in ipairs(s.ports or {}) do
      if not port.nodePort then
        ports = ports or select(2, services_use(o))
        port.nodePort = math.tointeger(allocate("port" .. port.port, 30000, 2768, o, ports))
      end
    end
  end
end

local function port_range(fail, field, value)
  if math.type(value) == "integer" and (value < 1 or value > 65535) then
    fail("FieldValueInvalid", field, "Invalid value: " .. value .. ": must be between 1 and 65535, inclusive")
  end
end

-- How Go prints a port of the internal type.
local function port_words(port)
  local target = type(port.targetPort) == "string" and '"' .. port.targetPort .. '"' or port.targetPort
  return ('{"Name":"","Protocol":"%s","AppProtocol":%s,"Port":%d,"TargetPort":%s,"NodePort":%d}'):format(port.protocol,
    port.appProtocol and '"' .. port.appProtocol .. '"' or "null", port.port, target, port.nodePort or 0)
end

function R.validate.Service(fail, o, old)
  local s, names, seen = o.spec, {}, {}
  if #(s.ports or {}) == 0 and s.clusterIP ~= "None" and s.type ~= "ExternalName" then
    fail("FieldValueRequired", "spec.ports", "Required value")
  end
  if s.clusterIP == "None" and (s.type == "NodePort" or s.type == "LoadBalancer") then
    fail("FieldValueInvalid", "spec.clusterIPs[0]",
      "Invalid value: \"None\": may not be set to 'None' for " .. s.type .. " services")
  end
  for i, port in ipairs(s.ports or {}) do
    local at = ("spec.ports[%d]"):format(i - 1)
    if #s.ports > 1 and not port.name then fail("FieldValueRequired", at .. ".name", "Required value") end
    if port.name and names[port.name] then
      fail("FieldValueDuplicate", at .. ".name", 'Duplicate value: "' .. port.name .. '"')
    end
    names[port.name or ""] = true
    port_range(fail, at .. ".port", port.port)
    port_range(fail, at .. ".targetPort", port.targetPort)
    local key = port.protocol .. "/" .. tostring(port.port)
    if seen[key] then fail("FieldValueDuplicate", at, "Duplicate value: " .. port_words(port)) end
    seen[key] = true
  end
  if s.type == "ExternalName" and s.clusterIP then
    fail("FieldValueForbidden", "spec.clusterIPs", "Forbidden: may not be set for ExternalName services")
  end
  if s.type == "ExternalName" and not s.externalName then
    fail("FieldValueRequired", "spec.externalName", "Required value")
  end
  local kept = old and old.spec.type ~= "ExternalName" and s.type ~= "ExternalName"
  if kept and old.spec.clusterIP and s.clusterIP ~= old.spec.clusterIP then
    fail("FieldValueInvalid", "spec.clusterIPs[0]", 'Invalid value: ["' .. s.clusterIP .. '"]: may not change once set')
  end
end

function R.warn.Service(warn, o)
  if o.spec.clusterIP == "None" and o.spec.sessionAffinity == "ClientIP" then
    warn("spec.SessionAffinity is ignored for headless services")
  end
end

-- Storage --------------------------------------------------------------------

function R.default.PersistentVolumeClaim(o)
  if not o.status.phase then o.status.phase = "Pending" end
end

function R.prepare.PersistentVolumeClaim(o, old)
  if old then return end
  add_finalizer(o, "kubernetes.io/pvc-protection")
  o.status = { phase = "Pending" }
  if o.spec.storageClassName ~= nil then return end
  for _, class in ipairs(api.list("StorageClass")) do
    local notes = class.metadata.annotations
    if notes and notes["storageclass.kubernetes.io/is-default-class"] == "true" then
      o.spec.storageClassName = class.metadata.name
    end
  end
end

function R.validate.PersistentVolumeClaim(fail, o, old)
  if #(o.spec.accessModes or {}) == 0 then
    fail("FieldValueRequired", "spec.accessModes", "Required value: at least 1 access mode is required")
  end
  if not (o.spec.resources.requests and o.spec.resources.requests.storage) then
    fail("FieldValueRequired", "spec.resources[storage]", "Required value")
  end
  if not old then return end
  local fields = { "accessModes", "selector", "storageClassName", "volumeMode", "dataSource" }
  if old.status.phase ~= "Bound" then fields[#fields + 1] = "resources" end
  for _, field in ipairs(fields) do
    if not doc.equal(o.spec[field], old.spec[field]) then
      fail("FieldValueForbidden", "spec", "Forbidden: spec is immutable after creation except "
        .. "resources.requests and volumeAttributesClassName for bound claims")
      break
    end
  end
  local before, now = old.spec.resources.requests, o.spec.resources.requests
  local size, capacity = api.milli(now and now.storage or "0"), api.milli((old.status.capacity or {}).storage or "0")
  if before and before.storage and size < api.milli(before.storage) and size <= capacity then
    fail("FieldValueForbidden", "spec.resources.requests.storage",
      "Forbidden: field can not be less than status.capacity")
  end
end

function R.prepare.PersistentVolume(o, old)
  if old then return end
  add_finalizer(o, "kubernetes.io/pv-protection")
  o.status = { phase = "Pending" }
end

function R.validate.StorageClass(fail, o, old)
  if not old then return end
  for field, words in pairs { parameters = "parameters", provisioner = "provisioner",
    reclaimPolicy = "reclaimPolicy" } do
    if not doc.equal(o[field], old[field]) then
      if field == "reclaimPolicy" then
        immutable(fail, field, o[field])
      else
        fail("FieldValueForbidden", field, "Forbidden: updates to " .. words .. " are forbidden.")
      end
    end
  end
end

-- Access, network, scaling ---------------------------------------------------

local function subjects_default(o)
  for _, subject in ipairs(o.subjects or {}) do
    if subject.kind ~= "ServiceAccount" and not subject.apiGroup then
      subject.apiGroup = "rbac.authorization.k8s.io"
    end
  end
end

local function binding_validate(fail, o, old)
  if old and not doc.equal(o.roleRef, old.roleRef) then
    local ref = o.roleRef
    fail("FieldValueInvalid", "roleRef",
      ('Invalid value: {"APIGroup":"%s","Kind":"%s","Name":"%s"}: cannot change roleRef')
      :format(ref.apiGroup, ref.kind, ref.name))
  end
end

for _, kind in ipairs { "RoleBinding", "ClusterRoleBinding" } do
  R.default[kind], R.validate[kind] = subjects_default, binding_validate
end

local function role_validate(fail, o)
  for i, rule in ipairs(o.rules or {}) do
    local at = ("rules[%d]"):format(i - 1)
    if #(rule.verbs or {}) == 0 then
      fail("FieldValueRequired", at .. ".verbs", "Required value: verbs must contain at least one value")
    end
    if #(rule.nonResourceURLs or {}) == 0 then
      if #(rule.apiGroups or {}) == 0 then
        fail("FieldValueRequired", at .. ".apiGroups",
          "Required value: resource rules must supply at least one api group")
      end
      if #(rule.resources or {}) == 0 then
        fail("FieldValueRequired", at .. ".resources",
          "Required value: resource rules must supply at least one resource")
      end
    end
  end
end

R.validate.Role, R.validate.ClusterRole = role_validate, role_validate

function R.default.NetworkPolicy(o)
  if #(o.spec.policyTypes or {}) > 0 then return end
  o.spec.policyTypes = #(o.spec.egress or {}) > 0 and { "Ingress", "Egress" } or { "Ingress" }
end

function R.default.HorizontalPodAutoscaler(o)
  if #(o.spec.metrics or {}) == 0 then
    o.spec.metrics = { { type = "Resource",
      resource = { name = "cpu", target = { type = "Utilization", averageUtilization = 80 } } } }
  end
  local behavior = o.spec.behavior
  if not behavior then return end
  if not behavior.scaleUp then behavior.scaleUp = {} end
  if not behavior.scaleDown then behavior.scaleDown = {} end
  local up, down = behavior.scaleUp, behavior.scaleDown
  if not up.stabilizationWindowSeconds then up.stabilizationWindowSeconds = 0 end
  if not up.selectPolicy then up.selectPolicy = "Max" end
  if not down.selectPolicy then down.selectPolicy = "Max" end
  if not up.policies then
    up.policies = { { type = "Pods", value = 4, periodSeconds = 15 }, { type = "Percent", value = 100,
      periodSeconds = 15 } }
  end
  if not down.policies then down.policies = { { type = "Percent", value = 100, periodSeconds = 15 } } end
end

function R.validate.HorizontalPodAutoscaler(fail, o)
  local s = o.spec
  if s.minReplicas < 1 then
    fail("FieldValueInvalid", "spec.minReplicas", "Invalid value: " .. s.minReplicas
      .. ": must be greater than or equal to 1")
  end
  if s.maxReplicas < 1 then
    fail("FieldValueInvalid", "spec.maxReplicas", "Invalid value: " .. s.maxReplicas .. ": must be greater than 0")
  end
  if s.maxReplicas < s.minReplicas then
    fail("FieldValueInvalid", "spec.maxReplicas", "Invalid value: " .. s.maxReplicas
      .. ": must be greater than or equal to `minReplicas`")
  end
end

function R.validate.PodDisruptionBudget(fail, o)
  if o.spec.minAvailable ~= nil and o.spec.maxUnavailable ~= nil then
    local s = o.spec
    fail("FieldValueInvalid", "spec", ('Invalid value: {"MinAvailable":%s,"Selector":%s,"MaxUnavailable":%s,'
      .. '"UnhealthyPodEvictionPolicy":%s}: minAvailable and maxUnavailable cannot be both set'):format(
      doc.json(s.minAvailable), doc.json(s.selector or doc.null), doc.json(s.maxUnavailable),
      doc.json(s.unhealthyPodEvictionPolicy or doc.null)))
  end
end

-- Definitions ----------------------------------------------------------------

function R.default.CustomResourceDefinition(o)
  local names = o.spec.names
  if not names then return end
  if not names.singular and names.kind then names.singular = names.kind:lower() end
  if not names.listKind and names.kind then names.listKind = names.kind .. "List" end
  if not o.spec.conversion then o.spec.conversion = { strategy = "None" } end
end

function R.prepare.CustomResourceDefinition(o, old)
  if old then
    local stored = old.status.storedVersions or {}
    for _, version in ipairs(o.spec.versions or {}) do
      if version.storage and not has(stored, version.name) then
        local all = doc.copy(stored)
        all[#all + 1] = version.name
        o.status.storedVersions = all
      end
    end
    return
  end
  if o.status.conditions then return end
  local stored = doc.array {}
  for _, version in ipairs(o.spec.versions or {}) do
    if version.storage then stored[#stored + 1] = version.name end
  end
  o.status = { conditions = doc.null, acceptedNames = { plural = "", kind = "" }, storedVersions = stored }
end

function R.validate.Lease(fail, o)
  for field, least in pairs { leaseDurationSeconds = 1, leaseTransitions = 0 } do
    local value = o.spec[field]
    if value and value < least then
      fail("FieldValueInvalid", "spec." .. field, "Invalid value: " .. value
        .. (least == 1 and ": must be greater than 0" or ": must be greater than or equal to 0"))
    end
  end
end

function R.validate.PriorityClass(fail, o, old)
  if old and o.value ~= old.value then
    fail("FieldValueForbidden", "value", "Forbidden: may not be changed in an update.")
  end
end

workloads(R)
return R
