-- The built-in resources that the simulated cluster serves, in the order of discovery.
-- Source: the published API reference and discovery documents, v1.34. `schema` names the file with the
-- types; `generation`: the server counts changes of the spec; `grace`: deletion waits for the node;
-- `returns`: a deletion answers with the object; `conditional`: an update must name a resourceVersion;
-- `metadata_last`: a new one's metadata is judged after all else; `put_creates`: PUT makes what is missing;
-- `verbs` where they are not the usual eight; `subresources` beside status.
local USUAL = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" }

local function group(name, version, schema, list)
  local out = {}
  for _, r in ipairs(list) do
    r.group, r.version, r.schema, r.verbs = name, version, schema, r.verbs or USUAL
    r.singular = r.kind:lower()
    r.namespaced = r.namespaced ~= false
    out[#out + 1] = r
  end
  return out
end

local all = {
  group("", "v1", "core", {
    { kind = "ConfigMap", plural = "configmaps", short = { "cm" } },
    { kind = "Endpoints", put_creates = true, plural = "endpoints", short = { "ep" } },
    { kind = "Event", put_creates = true, plural = "events", short = { "ev" } },
    { kind = "LimitRange", put_creates = true, plural = "limitranges", short = { "limits" } },
    { kind = "Namespace", returns = true, plural = "namespaces", short = { "ns" }, namespaced = false, status = true,
      verbs = { "create", "delete", "get", "list", "patch", "update", "watch" } },
    { kind = "Node", plural = "nodes", short = { "no" }, namespaced = false, status = true },
    { kind = "PersistentVolumeClaim", returns = true, plural = "persistentvolumeclaims", short = { "pvc" },
      status = true },
    { kind = "PersistentVolume", returns = true, plural = "persistentvolumes", short = { "pv" },
      namespaced = false, status = true },
    { kind = "Pod", returns = true, plural = "pods", short = { "po" }, categories = { "all" }, status = true,
      generation = true,
      subresources = { "log" }, grace = true },
    { kind = "ResourceQuota", returns = true, plural = "resourcequotas", short = { "quota" }, status = true },
    { kind = "Secret", plural = "secrets" },
    { kind = "ServiceAccount", returns = true, plural = "serviceaccounts", short = { "sa" } },
    { kind = "Service", put_creates = true, returns = true, plural = "services", short = { "svc" },
      categories = { "all" }, status = true },
  }),
  group("admissionregistration.k8s.io", "v1", "extend", {
    { kind = "MutatingWebhookConfiguration", conditional = true, plural = "mutatingwebhookconfigurations",
      namespaced = false,
      categories = { "api-extensions" }, generation = true },
    { kind = "ValidatingWebhookConfiguration", conditional = true, plural = "validatingwebhookconfigurations",
      namespaced = false,
      categories = { "api-extensions" }, generation = true },
  }),
  group("apiextensions.k8s.io", "v1", "extend", {
    { kind = "CustomResourceDefinition", conditional = true, plural = "customresourcedefinitions",
      short = { "crd", "crds" },
      namespaced = false, categories = { "api-extensions" }, status = true, generation = true },
  }),
  group("apiregistration.k8s.io", "v1", "extend", {
    { kind = "APIService", conditional = true, plural = "apiservices", namespaced = false,
      categories = { "api-extensions" }, status = true },
  }),
  group("apps", "v1", "apps", {
    { kind = "DaemonSet", plural = "daemonsets", short = { "ds" }, categories = { "all" }, status = true,
      generation = true },
    { kind = "Deployment", plural = "deployments", short = { "deploy" }, categories = { "all" }, status = true,
      generation = true, subresources = { "scale" } },
    { kind = "ReplicaSet", plural = "replicasets", short = { "rs" }, categories = { "all" }, status = true,
      generation = true, subresources = { "scale" } },
    { kind = "StatefulSet", plural = "statefulsets", short = { "sts" }, categories = { "all" }, status = true,
      generation = true, subresources = { "scale" } },
  }),
  group("autoscaling", "v2", "apps", {
    { kind = "HorizontalPodAutoscaler", plural = "horizontalpodautoscalers", short = { "hpa" },
      categories = { "all" },
      status = true },
  }),
  group("batch", "v1", "apps", {
    { kind = "CronJob", plural = "cronjobs", short = { "cj" }, categories = { "all" }, status = true,
      generation = true },
    { kind = "Job", plural = "jobs", categories = { "all" }, status = true, generation = true },
  }),
  group("coordination.k8s.io", "v1", "network", { { kind = "Lease", put_creates = true, conditional = true,
      plural = "leases" } }),
  group("discovery.k8s.io", "v1", "network", { { kind = "EndpointSlice", plural = "endpointslices",
      generation = true } }),
  group("networking.k8s.io", "v1", "network", {
    { kind = "IngressClass", plural = "ingressclasses", namespaced = false, generation = true },
    { kind = "Ingress", plural = "ingresses", short = { "ing" }, status = true, generation = true },
    { kind = "NetworkPolicy", plural = "networkpolicies", short = { "netpol" }, generation = true },
  }),
  group("policy", "v1", "apps", {
    { kind = "PodDisruptionBudget", conditional = true, metadata_last = true, plural = "poddisruptionbudgets",
      short = { "pdb" }, status = true, generation = true },
  }),
  group("rbac.authorization.k8s.io", "v1", "network", {
    { kind = "ClusterRoleBinding", put_creates = true, plural = "clusterrolebindings", namespaced = false },
    { kind = "ClusterRole", put_creates = true, plural = "clusterroles", namespaced = false },
    { kind = "RoleBinding", put_creates = true, plural = "rolebindings" },
    { kind = "Role", put_creates = true, plural = "roles" },
  }),
  group("scheduling.k8s.io", "v1", "apps", {
    { kind = "PriorityClass", plural = "priorityclasses", short = { "pc" }, namespaced = false, generation = true },
  }),
  group("metrics.k8s.io", "v1beta1", "core", { -- computed by kube_metrics.c, nothing is stored
    { kind = "NodeMetrics", plural = "nodes", singular = "", namespaced = false, verbs = { "get", "list" } },
    { kind = "PodMetrics", plural = "pods", singular = "", verbs = { "get", "list" } },
  }),
  group("storage.k8s.io", "v1", "network", {
    { kind = "StorageClass", returns = true, plural = "storageclasses", short = { "sc" }, namespaced = false },
  }),
}

local flat = {}
for _, list in ipairs(all) do table.move(list, 1, #list, #flat + 1, flat) end
return flat
