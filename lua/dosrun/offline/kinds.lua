-- The kinds that a cluster of today serves, and those of Istio: what a check knows without asking one.
-- Source: the published API reference, Kubernetes 1.32 to 1.34, and Istio's CRDs. "*": belongs to no
-- namespace. The first version of a group is the one that a kind alone means.
local function group(name, versions, kinds)
  return { name = name, versions = versions, kinds = kinds }
end

return {
  group("", { "v1" }, {
    ConfigMap = "cm", Endpoints = "ep", Event = "ev", LimitRange = "limits", Namespace = "ns*", Node = "no*", PersistentVolume = "pv*",
    PersistentVolumeClaim = "pvc", Pod = "po", PodTemplate = "", ReplicationController = "rc", ResourceQuota = "quota", Secret = "", Service = "svc",
    ServiceAccount = "sa",
  }),
  group("apps", { "v1" }, { ControllerRevision = "", DaemonSet = "ds", Deployment = "deploy", ReplicaSet = "rs", StatefulSet = "sts" }),
  group("batch", { "v1" }, { CronJob = "cj", Job = "" }),
  group("autoscaling", { "v2", "v1" }, { HorizontalPodAutoscaler = "hpa" }),
  group("policy", { "v1" }, { PodDisruptionBudget = "pdb" }),
  group("networking.k8s.io", { "v1" }, { Ingress = "ing", IngressClass = "*", NetworkPolicy = "netpol", IPAddress = "ip*", ServiceCIDR = "*" }),
  group("rbac.authorization.k8s.io", { "v1" }, { ClusterRole = "*", ClusterRoleBinding = "*", Role = "", RoleBinding = "" }),
  group("storage.k8s.io", { "v1" }, { CSIDriver = "*", CSINode = "*", CSIStorageCapacity = "", StorageClass = "sc*", VolumeAttachment = "*" }),
  group("scheduling.k8s.io", { "v1" }, { PriorityClass = "pc*" }),
  group("coordination.k8s.io", { "v1" }, { Lease = "" }),
  group("discovery.k8s.io", { "v1" }, { EndpointSlice = "" }),
  group("node.k8s.io", { "v1" }, { RuntimeClass = "*" }),
  group("certificates.k8s.io", { "v1" }, { CertificateSigningRequest = "csr*" }),
  group("events.k8s.io", { "v1" }, { Event = "" }),
  group("admissionregistration.k8s.io", { "v1" }, {
    MutatingWebhookConfiguration = "*", ValidatingWebhookConfiguration = "*", ValidatingAdmissionPolicy = "*", ValidatingAdmissionPolicyBinding = "*",
  }),
  group("apiextensions.k8s.io", { "v1" }, { CustomResourceDefinition = "crd*" }),
  group("apiregistration.k8s.io", { "v1" }, { APIService = "*" }),
  group("flowcontrol.apiserver.k8s.io", { "v1" }, { FlowSchema = "*", PriorityLevelConfiguration = "*" }),
  group("authentication.k8s.io", { "v1" }, { SelfSubjectReview = "*", TokenReview = "*" }),
  group("authorization.k8s.io", { "v1" }, {
    LocalSubjectAccessReview = "", SelfSubjectAccessReview = "*", SelfSubjectRulesReview = "*", SubjectAccessReview = "*",
  }),
  group("metrics.k8s.io", { "v1beta1" }, { NodeMetrics = "*", PodMetrics = "" }),
  group("networking.istio.io", { "v1", "v1beta1", "v1alpha3" }, {
    DestinationRule = "dr", EnvoyFilter = "", Gateway = "gw", ProxyConfig = "", ServiceEntry = "se", Sidecar = "", VirtualService = "vs",
    WorkloadEntry = "we", WorkloadGroup = "wg",
  }),
  group("security.istio.io", { "v1", "v1beta1" }, { AuthorizationPolicy = "ap", PeerAuthentication = "pa", RequestAuthentication = "ra" }),
  group("telemetry.istio.io", { "v1", "v1alpha1" }, { Telemetry = "telemetry" }),
  group("extensions.istio.io", { "v1alpha1" }, { WasmPlugin = "" }),
}
