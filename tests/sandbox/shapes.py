"""What sequences of differential.py are made of: for each kind a sound object, and mutations (path, value)
of which some are wrong on purpose. `optional` names parts that an apply may leave out."""

LABELS = [("metadata/labels", {"app": "x"}), ("metadata/labels", {"app": "y", "tier": "z"}), ("metadata/labels", None),
          ("metadata/annotations", {"note": "1"}), ("metadata/annotations", {"note": "2"}),
          ("metadata/labels", {"app": "not valid!"}), ("metadata/foo", "bar"), ("metadata/finalizers", ["bad"]),
          ("metadata/name", "other")]


def kind(name, path, spec, mutations, optional=(), api="v1", **more):
    return {"kind": name, "path": path, "mutations": LABELS + list(mutations), "optional": list(optional) + ["metadata/labels"],
            "object": {"apiVersion": api, "kind": name, "metadata": {"name": "x", "labels": {"app": "x"}}, **spec}, **more}


CONTAINER = {"name": "c", "image": "example.com/a:1", "ports": [{"containerPort": 80, "name": "http"}],
             "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
TEMPLATE = {"metadata": {"labels": {"run": "x"}}, "spec": {"containers": [CONTAINER]}}
C = "spec/template/spec/containers/0"
POD = [(C + "/image", "example.com/a:2"), (C + "/image", "example.com/a"), (C + "/env", [{"name": "B", "value": "9"}]),
       (C + "/env", [{"name": "C", "value": "3"}, {"name": "A", "value": "1"}]),
       (C + "/ports", [{"containerPort": 81}]), (C + "/ports", [{"containerPort": 80, "protocol": "UDP"}, {"containerPort": 80}]),
       (C + "/ports", [{"containerPort": 99999}]), (C + "/resources", {"requests": {"cpu": "0.5", "memory": "1024Mi"}}),
       (C + "/resources", {"limits": {"cpu": "1000m"}}), (C + "/foo", 1), ("spec/template/spec/foo", {"a": 1}),
       (C + "/readinessProbe", {"httpGet": {"port": 80}}), (C + "/livenessProbe", {"tcpSocket": {"port": "http"}, "periodSeconds": 5}),
       ("spec/template/spec/volumes", [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "c"}}]),
       ("spec/template/spec/volumes", [{"name": "s", "secret": {"secretName": "s"}}]),
       ("spec/template/spec/tolerations", [{"key": "a", "operator": "Exists"}]),
       ("spec/template/spec/securityContext", {"runAsNonRoot": True}), (C + "/securityContext", {"capabilities": {"drop": ["ALL"]}}),
       ("spec/template/spec/nodeSelector", {"a": "b"}), ("spec/template/spec/serviceAccountName", "sa"),
       ("spec/template/spec/restartPolicy", "Sometimes"), ("spec/template/spec/containers", []),
       ("spec/template/spec/topologySpreadConstraints", [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
                                                          "labelSelector": {"matchLabels": {"run": "x"}}}]),
       ("spec/template/metadata/annotations", {"a": "1"}), ("spec/template/metadata/labels", {"run": "other"})]
SELECTOR = {"matchLabels": {"run": "x"}}
APPS = "/apis/apps/v1/namespaces/%s/"

KINDS = [
    kind("ConfigMap", "/api/v1/namespaces/%s/configmaps", {"data": {"a": "1", "b": "2"}},
         [("data/a", "2"), ("data/c", "3"), ("data", None), ("data/a", 5), ("immutable", True), ("data", {"b": "x"}), ("spec", {}),
          ("data/a", None), ("data/not valid", "x"), ("binaryData", {"x": "YQ=="}), ("binaryData", {"x": "!"})], ["data/a", "data/b"]),
    kind("Secret", "/api/v1/namespaces/%s/secrets", {"data": {"a": "YQ=="}},
         [("data/a", "Yg=="), ("stringData", {"b": "plain"}), ("type", "example.com/x"), ("data/a", "!"), ("immutable", True),
          ("data/c", "Yw=="), ("data/a", None)], ["data/a"]),
    kind("Service", "/api/v1/namespaces/%s/services",
         {"spec": {"selector": {"run": "x"}, "ports": [{"name": "http", "port": 80, "targetPort": 8000}]}},
         [("spec/ports", [{"name": "http", "port": 80}, {"name": "alt", "port": 81}]), ("spec/ports", [{"port": 80}, {"port": 81}]),
          ("spec/type", "NodePort"), ("spec/type", "ExternalName"), ("spec/clusterIP", "None"), ("spec/ports", []),
          ("spec/ports", [{"name": "http", "port": 80, "targetPort": "web"}]), ("spec/ports", [{"port": 0}]),
          ("spec/selector", {"run": "y"}), ("spec/sessionAffinity", "ClientIP"), ("spec/foo", 1), ("spec/ports", 5),
          ("spec/type", "Wrong"), ("spec/selector/more", "1"), ("spec/publishNotReadyAddresses", True)],
         ["spec/selector"], status=True),
    kind("Deployment", APPS + "deployments", {"spec": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE}},
         POD + [("spec/replicas", 1), ("spec/replicas", -1), ("spec/replicas", "two"), ("spec/paused", True), ("spec/foo", 1),
                ("spec/strategy", {"type": "Recreate"}), ("spec/strategy", {"rollingUpdate": {"maxSurge": 1}}),
                ("spec/selector", {"matchLabels": {"run": "other"}}), ("spec/minReadySeconds", 5), ("spec/revisionHistoryLimit", 3),
                ("spec/minReadySeconds", 0)],
         ["spec/replicas"], api="apps/v1", status=True),
    kind("StatefulSet", APPS + "statefulsets",
         {"spec": {"replicas": 0, "serviceName": "x", "selector": SELECTOR, "template": TEMPLATE}},
         POD + [("spec/replicas", 1), ("spec/serviceName", "y"), ("spec/updateStrategy", {"rollingUpdate": {"partition": 1}}),
                ("spec/podManagementPolicy", "Parallel"), ("spec/podManagementPolicy", "Wrong")],
         ["spec/replicas"], api="apps/v1", status=True),
    kind("DaemonSet", APPS + "daemonsets", {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
         POD + [("spec/minReadySeconds", 1), ("spec/updateStrategy", {"type": "OnDelete"})], api="apps/v1", status=True),
    kind("CronJob", "/apis/batch/v1/namespaces/%s/cronjobs",
         {"spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": {
             "restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}}}}},
         [("spec/suspend", True), ("spec/schedule", "*/5 * * * *"), ("spec/concurrencyPolicy", "Forbid"), ("spec/foo", 1),
          ("spec/concurrencyPolicy", "Wrong"), ("spec/successfulJobsHistoryLimit", 1)], api="batch/v1", status=True),
    kind("HorizontalPodAutoscaler", "/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers",
         {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}, "maxReplicas": 3}},
         [("spec/minReplicas", 2), ("spec/minReplicas", 5), ("spec/maxReplicas", 4), ("spec/maxReplicas", 0), ("spec/foo", 1),
          ("spec/metrics", [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization",
                                                                                          "averageUtilization": 70}}}]),
          ("spec/behavior", {"scaleDown": {"stabilizationWindowSeconds": 60}})], api="autoscaling/v2", status=True),
    kind("PodDisruptionBudget", "/apis/policy/v1/namespaces/%s/poddisruptionbudgets",
         {"spec": {"minAvailable": 1, "selector": SELECTOR}},
         [("spec/minAvailable", "50%"), ("spec/maxUnavailable", 1), ("spec/minAvailable", None), ("spec/foo", 1),
          ("spec/selector", {"matchLabels": {"run": "z"}})], api="policy/v1", conditional=True, status=True),
    kind("NetworkPolicy", "/apis/networking.k8s.io/v1/namespaces/%s/networkpolicies",
         {"spec": {"podSelector": SELECTOR, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}]}},
         [("spec/ingress", []), ("spec/ingress", [{}]), ("spec/egress", [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]),
          ("spec/policyTypes", ["Egress"]), ("spec/podSelector", {}), ("spec/foo", 1)], ["spec/ingress"], api="networking.k8s.io/v1"),
    kind("Ingress", "/apis/networking.k8s.io/v1/namespaces/%s/ingresses",
         {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
         [("spec/ingressClassName", "nginx"), ("spec/foo", 1),
          ("spec/rules", [{"host": "a.b", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
              "service": {"name": "s", "port": {"name": "http"}}}}]}}]), ("spec/tls", [{"hosts": ["a.b"], "secretName": "t"}])],
         api="networking.k8s.io/v1", status=True),
    kind("Role", "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/roles",
         {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
         [("rules", []), ("rules", [{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}]), ("rules", [{"verbs": []}]),
          ("foo", 1)], api="rbac.authorization.k8s.io/v1"),
    kind("RoleBinding", "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings",
         {"roleRef": {"kind": "Role", "name": "x", "apiGroup": "rbac.authorization.k8s.io"},
          "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "default"}]},
         [("roleRef/name", "y"), ("subjects", [{"kind": "User", "name": "u"}]), ("subjects", []), ("foo", 1)],
         api="rbac.authorization.k8s.io/v1"),
    kind("ServiceAccount", "/api/v1/namespaces/%s/serviceaccounts", {},
         [("automountServiceAccountToken", False), ("imagePullSecrets", [{"name": "a"}]), ("secrets", [{"name": "b"}]), ("foo", 1)]),
    kind("PersistentVolumeClaim", "/api/v1/namespaces/%s/persistentvolumeclaims",
         {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1024Mi"}}}},
         [("spec/accessModes", ["ReadWriteMany"]), ("spec/resources", {"requests": {"storage": "2Gi"}}), ("spec/accessModes", []),
          ("spec/storageClassName", "other"), ("spec/foo", 1), ("spec/resources", {})],
         status=True, protected=True),
    kind("Lease", "/apis/coordination.k8s.io/v1/namespaces/%s/leases",
         {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}},
         [("spec/holderIdentity", "b"), ("spec/leaseTransitions", 2), ("spec/leaseDurationSeconds", 0), ("spec/foo", 1),
          ("spec/renewTime", "2030-01-01T00:00:00.000000Z")], api="coordination.k8s.io/v1", conditional=True),
    kind("EndpointSlice", "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices",
         {"addressType": "IPv4", "endpoints": [{"addresses": ["10.1.2.3"]}], "ports": [{"port": 80}]},
         [("endpoints", []), ("endpoints", [{"addresses": ["10.1.2.4"], "conditions": {"ready": True}}]),
          ("ports", [{"name": "a", "port": 81}]), ("foo", 1)], api="discovery.k8s.io/v1"),
    kind("Widget", "/apis/diff.test/v1/namespaces/%s/widgets",
         {"spec": {"size": 3, "parts": [{"name": "a", "count": 1}], "tags": ["t"], "free": {"any": [1, {"b": 2}]}}},
         [("spec/size", 11), ("spec/size", "big"), ("spec/size", 5), ("spec/parts", [{"name": "a", "count": 2}, {"name": "b"}]),
          ("spec/parts", [{"name": "b"}, {"name": "b"}]), ("spec/parts", [{"count": 1}]), ("spec/tags", ["t", "u"]),
          ("spec/tags", ["u", "u"]), ("spec/mode", "fast"), ("spec/mode", "wrong"), ("spec/free", {"c": None, "d": {"e": 1}}),
          ("spec/free/any", [2]), ("spec/unknown", {"x": 1}), ("spec/list", [1, 2]), ("spec/size", None), ("spec/code", "Abc"),
          ("spec/map", {"k": {"v": "1"}})],
         ["spec/parts", "spec/tags"], api="diff.test/v1", conditional=True, status=True),
]

PART = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "count": {"type": "integer", "default": 1}}}
SPEC = {"type": "object", "required": ["size"], "properties": {
    "size": {"type": "integer", "minimum": 1, "maximum": 10}, "mode": {"type": "string", "enum": ["fast", "slow"], "default": "slow"},
    "parts": {"type": "array", "items": PART, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "list": {"type": "array", "items": {"type": "integer"}}, "code": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2},
    "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"v": {"type": "string"}}}},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
CRD = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.diff.test"},
       "spec": {"group": "diff.test", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                              "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                                  "spec": SPEC, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}}}]}}
