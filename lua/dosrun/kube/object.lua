-- Names, identities and the order of Kubernetes objects.
local native = require "dosrun.native.kube"
local play = require "dosrun.playbook"
local script = require "dosrun.native.script"

local M = { manager = "dosrun" }

-- "Deployment dos-game/game-doom"; kinds outside of Kubernetes' own groups carry their group.
function M.key(ref)
  local group = ref.apiVersion:match("^(.-)/") or ""
  local kind = ref.kind
  if group:find(".", 1, true) and not group:find("%.k8s%.io$") then kind = kind .. "." .. group end
  return kind .. " " .. (ref.namespace and ref.namespace .. "/" or "") .. ref.name
end

function M.ref(object)
  return { apiVersion = object.apiVersion, kind = object.kind, namespace = object.metadata.namespace, name = object.metadata.name }
end

function M.path(ref, sub) return native.path(ref.apiVersion, ref.kind, ref.namespace, ref.name, sub) end

-- "ns/name" or "name" (then the context's namespace) of a kind, as a ref. kind: "Deployment", "deploy", "vs", "deployments.apps".
function M.find(kind, name, level)
  native.discover()
  if type(kind) ~= "string" or type(name) ~= "string" then play.fail(level + 1, "write kube.get(\"Deployment\", \"namespace/name\")") end
  local resource, why = native.resource(nil, kind)
  if not resource then play.fail(level + 1, "%s", why) end
  local namespace, short = name:match("^([^/]+)/(.+)$")
  if resource.namespaced and not namespace then namespace, short = native.config().namespace, name end
  return {
    apiVersion = resource.api_version, kind = resource.kind, namespace = resource.namespaced and namespace or nil,
    name = short or name,
  }
end

-- A text as a secret: no output and no journal shows it. What carries marks already is one.
function M.hidden(text)
  if type(text) ~= "string" or text:find("\u{FDD0}", 1, true) then return text end
  return script.secret(text)
end

-- The values of a Secret that a manifest brings, as the values of one that is read are.
function M.hide_values(one)
  if one.apiVersion ~= "v1" or one.kind ~= "Secret" then return end
  for _, member in ipairs { "data", "stringData" } do
    local hidden = {}
    for key, value in pairs(type(one[member]) == "table" and one[member] or {}) do hidden[key] = M.hidden(value) end
    if one[member] then one[member] = hidden end
  end
end

-- Lower goes first; deletion runs in reverse.
local order = {
  Namespace = 0, CustomResourceDefinition = 1,
  ServiceAccount = 2, Secret = 2, ConfigMap = 2, ResourceQuota = 2, LimitRange = 2, StorageClass = 2, PriorityClass = 2,
  ClusterRole = 2, Role = 2, NetworkPolicy = 2,
  ClusterRoleBinding = 3, RoleBinding = 3, PodDisruptionBudget = 3, PersistentVolume = 3, PersistentVolumeClaim = 3, Service = 3,
  Deployment = 5, StatefulSet = 5, DaemonSet = 5, ReplicaSet = 5, Job = 5, CronJob = 5, Pod = 5,
  HorizontalPodAutoscaler = 6,
  ValidatingWebhookConfiguration = 7, MutatingWebhookConfiguration = 7, APIService = 7,
}

-- Kinds of others (Istio's policies and routes) before the workloads that they guard.
function M.wave(kind) return order[kind] or 4 end

return M
