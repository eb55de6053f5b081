-- What bootstrap leaves behind: system namespaces, nodes, Istio's definitions and its ingress gateway,
-- the storage class, the metrics API. Istio's lists are all atomic and everything below spec is kept
-- (x-kubernetes-preserve-unknown-fields): its own webhook, not the schema, judges the details.
local rows = doc.array {}

local function add(object) rows[#rows + 1] = object end

for _, name in ipairs { "default", "kube-node-lease", "kube-public", "kube-system", "istio-system" } do
  add { apiVersion = "v1", kind = "Namespace", metadata = { name = name } }
  add { apiVersion = "v1", kind = "ServiceAccount", metadata = { name = "default", namespace = name } }
  add { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "kube-root-ca.crt", namespace = name },
    data = { ["ca.crt"] = "-----BEGIN CERTIFICATE-----\nc2FuZGJveA==\n-----END CERTIFICATE-----\n" } }
end

for i = 1, 2 do
  local quantity = { cpu = "2", memory = "3943372Ki", pods = "17", ["ephemeral-storage"] = "20959212Ki" }
  add { apiVersion = "v1", kind = "Node", metadata = { name = ("ip-10-0-%d-10.eu-west-1.compute.internal"):format(i),
      labels = { ["kubernetes.io/hostname"] = ("ip-10-0-%d-10"):format(i), ["kubernetes.io/arch"] = "amd64",
        ["kubernetes.io/os"] = "linux", ["topology.kubernetes.io/zone"] = i == 1 and "eu-west-1a" or "eu-west-1b" } },
    spec = { providerID = ("aws:///eu-west-1/i-%017d"):format(i) },
    status = { capacity = quantity, allocatable = quantity, conditions = { { type = "Ready", status = "True",
      reason = "KubeletReady", message = "kubelet is posting ready status", lastHeartbeatTime = "2030-01-01T00:00:00Z",
      lastTransitionTime = "2030-01-01T00:00:00Z" } } } }
end

add { apiVersion = "storage.k8s.io/v1", kind = "StorageClass", metadata = { name = "ebs-gp3" },
  provisioner = "ebs.csi.aws.com", parameters = { type = "gp3", encrypted = "true" }, reclaimPolicy = "Delete",
  volumeBindingMode = "WaitForFirstConsumer", allowVolumeExpansion = true }

-- Istio ------------------------------------------------------------------------

local function definition(group, kind, plural, versions, short)
  local list, open = {}, { type = "object", ["x-kubernetes-preserve-unknown-fields"] = true }
  for i, version in ipairs(versions) do
    list[i] = { name = version, served = true, storage = i == 1, subresources = { status = {} },
      schema = { openAPIV3Schema = { type = "object", properties = { spec = open, status = open } } } }
  end
  local names = { kind = kind, plural = plural, singular = kind:lower(), listKind = kind .. "List", shortNames = short,
    categories = { "istio-io", group:match("^%a+") .. "-istio-io" } }
  local accepted = { type = "NamesAccepted", status = "True", reason = "NoConflicts", message = "no conflicts found",
    lastTransitionTime = "2030-01-01T00:00:00Z" }
  local established = { type = "Established", status = "True", reason = "InitialNamesAccepted",
    message = "the initial names have been accepted", lastTransitionTime = "2030-01-01T00:00:00Z" }
  add { apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition",
    metadata = { name = plural .. "." .. group, labels = { ["app.kubernetes.io/part-of"] = "istio" } },
    spec = { group = group, scope = "Namespaced", names = names, versions = list },
    status = { acceptedNames = names, storedVersions = { versions[1] }, conditions = { accepted, established } } }
end

local network, security = "networking.istio.io", "security.istio.io"
local three = { "v1", "v1beta1", "v1alpha3" }
definition(network, "Gateway", "gateways", three, { "gw" })
definition(network, "VirtualService", "virtualservices", three, { "vs" })
definition(network, "DestinationRule", "destinationrules", three, { "dr" })
definition(network, "ServiceEntry", "serviceentries", three, { "se" })
definition(network, "Sidecar", "sidecars", three)
definition(network, "EnvoyFilter", "envoyfilters", { "v1alpha3" })
definition(network, "WorkloadEntry", "workloadentries", three, { "we" })
definition(network, "WorkloadGroup", "workloadgroups", three, { "wg" })
definition(network, "ProxyConfig", "proxyconfigs", { "v1beta1" })
definition(security, "PeerAuthentication", "peerauthentications", { "v1", "v1beta1" }, { "pa" })
definition(security, "AuthorizationPolicy", "authorizationpolicies", { "v1", "v1beta1" }, { "ap" })
definition(security, "RequestAuthentication", "requestauthentications", { "v1", "v1beta1" }, { "ra" })
definition("telemetry.istio.io", "Telemetry", "telemetries", { "v1", "v1alpha1" }, { "telemetry" })
definition("extensions.istio.io", "WasmPlugin", "wasmplugins", { "v1alpha1" })

local labels = { app = "istio-ingressgateway", istio = "ingressgateway" }
local ports = {}
for i, port in ipairs { { "status-port", 15021, 15021 }, { "http2", 80, 8080 }, { "https", 443, 8443 } } do
  ports[i] = { name = port[1], port = port[2], targetPort = port[3], protocol = "TCP" }
end
add { apiVersion = "v1", kind = "Service", metadata = { name = "istio-ingressgateway", namespace = "istio-system",
    labels = labels, finalizers = { "service.kubernetes.io/load-balancer-cleanup" } },
  spec = { type = "LoadBalancer", selector = labels, ports = ports },
  status = { loadBalancer = { ingress = { { ip = "198.51.100.1", ipMode = "VIP" } } } } }
add { apiVersion = "v1", kind = "ServiceAccount", metadata = { name = "istio-ingressgateway",
  namespace = "istio-system" } }
add { apiVersion = "v1", kind = "ServiceAccount", metadata = { name = "istiod", namespace = "istio-system" } }

local function deployment(name, image, own)
  local now = "2030-01-01T00:00:00Z"
  add { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = name, namespace = "istio-system",
    labels = own },
    spec = { replicas = 1, selector = { matchLabels = own }, template = { metadata = { labels = own },
      spec = { serviceAccountName = name, containers = { { name = name == "istiod" and "discovery" or "istio-proxy",
        image = image } } } } },
    status = { observedGeneration = 1, replicas = 1, updatedReplicas = 1, readyReplicas = 1, availableReplicas = 1,
      conditions = { { type = "Available", status = "True", reason = "MinimumReplicasAvailable",
        message = "Deployment has minimum availability.", lastUpdateTime = now, lastTransitionTime = now } } } }
end
deployment("istiod", "docker.io/istio/pilot:1.26.0", { app = "istiod", istio = "pilot" })
deployment("istio-ingressgateway", "docker.io/istio/proxyv2:1.26.0", labels)

-- Metrics ----------------------------------------------------------------------

add { apiVersion = "v1", kind = "Service", metadata = { name = "metrics-server", namespace = "kube-system" },
  spec = { selector = { ["k8s-app"] = "metrics-server" }, ports = { { name = "https", port = 443,
    targetPort = "https" } } } }
add { apiVersion = "apiregistration.k8s.io/v1", kind = "APIService", metadata = { name = "v1beta1.metrics.k8s.io" },
  spec = { group = "metrics.k8s.io", version = "v1beta1", groupPriorityMinimum = 100, versionPriority = 100,
    insecureSkipTLSVerify = true, service = { name = "metrics-server", namespace = "kube-system" } },
  status = { conditions = { { type = "Available", status = "True", reason = "Passed", message = "all checks passed",
    lastTransitionTime = "2030-01-01T00:00:00Z" } } } }

return rows
