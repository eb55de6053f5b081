#!/usr/bin/env -S python3 -B
"""Stand-ins for what no cloud is there to give, one process beside the control plane.

usage: standins.py KUBECONFIG --gateway ADDRESS --metrics ADDRESS:PORT --cert FILE --key FILE --load FILE

load balancer   a Service of type LoadBalancer gets an ingress ip: the ingress gateway's the configured
                address, every other the next free one of the same loopback /16
volumes         a claim of StorageClass provisioner ebs.csi.aws.com gets a PersistentVolume as soon as the
                scheduler chose a node; a released volume of reclaim policy Delete goes
metrics         the API metrics.k8s.io/v1beta1 over TLS, reached through the API server's aggregation.
                A running pod uses 30 % of its cpu and 40 % of its memory request, unless a line of the load
                file says otherwise: NAMESPACE/POD-NAME-PREFIX CPU% MEMORY%
Pods whose image cannot be pulled, or that crash, are kwok's: see stages.yaml.
"""
import argparse
import http.client
import http.server
import json
import re
import ssl
import sys
import time
import urllib.parse

from kubeapi import Api, Cache, Failure

PROVISIONER = "ebs.csi.aws.com"
SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
            "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def tolerant(act):
    """Another writer may win or the object be gone: then its next event says what to do. A server that is away
    or in trouble is tried again, for its watch may outlive the trouble."""
    def run(*args):
        while True:
            try:
                return act(*args)
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
            except Failure as failure:
                if failure.code < 500:
                    if failure.code not in (404, 409):
                        print(f"{act.__name__}: {failure}", file=sys.stderr, flush=True)
                    return None
                time.sleep(0.2)
    return run


class LoadBalancer:
    def __init__(self, api, gateway):
        self.api, self.gateway = api, gateway
        self.services = Cache(api, "/api/v1/services", tolerant(self.changed))
        self.services.start()

    @staticmethod
    def addresses(service):
        return [one.get("ip") for one in service.get("status", {}).get("loadBalancer", {}).get("ingress", [])]

    def changed(self, service):
        meta = service["metadata"]
        if service["spec"].get("type") != "LoadBalancer" or self.addresses(service) or "deletionTimestamp" in meta:
            return
        address = self.gateway
        if (meta["namespace"], meta["name"]) != ("istio-system", "istio-ingressgateway"):
            used = {ip for one in self.services.list() for ip in self.addresses(one)}
            net = self.gateway.split(".")[:2]
            address = next(ip for ip in (".".join([*net, "1", str(n)]) for n in range(1, 255)) if ip not in used)
        path = f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}/status"
        self.services.put(self.api.patch(path, {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}))


class Volumes:
    def __init__(self, api):
        self.api = api
        Cache(api, "/api/v1/persistentvolumeclaims", tolerant(self.claim_changed)).start()
        Cache(api, "/api/v1/persistentvolumes", tolerant(self.volume_changed)).start()

    def claim_changed(self, claim):
        meta, spec = claim["metadata"], claim["spec"]
        notes = meta.get("annotations", {})
        if (notes.get("volume.kubernetes.io/storage-provisioner") != PROVISIONER
                or spec.get("volumeName") or "deletionTimestamp" in meta):
            return
        kind = self.api.get("/apis/storage.k8s.io/v1/storageclasses/" + spec["storageClassName"])
        late = kind.get("volumeBindingMode") == "WaitForFirstConsumer"
        if late and "volume.kubernetes.io/selected-node" not in notes:
            return
        self.api.request("POST", "/api/v1/persistentvolumes", {
            "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": "pvc-" + meta["uid"],
                         "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
            "spec": {"accessModes": spec["accessModes"],
                     "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                     "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": meta["uid"],
                                  "namespace": meta["namespace"], "name": meta["name"]},
                     "csi": {"driver": PROVISIONER, "volumeHandle": "vol-" + meta["uid"], "fsType": "ext4"},
                     "persistentVolumeReclaimPolicy": kind.get("reclaimPolicy", "Delete"),
                     "storageClassName": kind["metadata"]["name"],
                     "volumeMode": spec.get("volumeMode", "Filesystem")}})

    def volume_changed(self, volume):
        meta, spec = volume["metadata"], volume["spec"]
        if (volume.get("status", {}).get("phase") == "Released" and spec["persistentVolumeReclaimPolicy"] == "Delete"
                and spec.get("csi", {}).get("driver") == PROVISIONER and "deletionTimestamp" not in meta):
            self.api.request("DELETE", f"/api/v1/persistentvolumes/{meta['name']}")


def quantity(text):
    number, suffix = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text).groups()
    return float(number) / 1000 if suffix == "m" else float(number) * SUFFIXES[suffix]


def matches(labels, selector):
    """The equality and set forms of a label selector, as it stands in a query."""
    for term in re.findall(r"[^,(]+(?:\([^)]*\))?", selector):
        member = re.fullmatch(r"\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*", term)
        equal = re.fullmatch(r"\s*([^!=\s]+)\s*(==|=|!=)\s*(\S*)\s*", term)
        if member:
            key, verb, values = member.groups()
            fits = (labels.get(key) in re.split(r"\s*,\s*", values.strip())) == (verb == "in")
        elif equal:
            key, verb, value = equal.groups()
            fits = (labels.get(key) == value) == (verb != "!=")
        else:
            key = term.strip()
            fits = key[1:] not in labels if key.startswith("!") else key in labels
        if not fits:
            return False
    return True


class Metrics:
    GROUP = "metrics.k8s.io/v1beta1"
    ROOT = "/apis/" + GROUP

    def __init__(self, api, load):
        self.load = load
        self.pods = Cache(api, "/api/v1/pods").start()
        self.nodes = Cache(api, "/api/v1/nodes").start()

    def shares(self, meta):
        """Which part of its requests this pod uses: (cpu, memory)."""
        try:
            with open(self.load, encoding="utf-8") as file:
                lines = [line.split() for line in file if line.strip()]
        except FileNotFoundError:
            lines = []
        for prefix, cpu, memory in lines:
            if f"{meta['namespace']}/{meta['name']}".startswith(prefix):
                return float(cpu) / 100, float(memory) / 100
        return 0.3, 0.4

    @staticmethod
    def usage(requests, shares):
        cpu, memory = (quantity(requests.get(name, none)) * share
                       for name, none, share in zip(("cpu", "memory"), ("10m", "16Mi"), shares))
        return {"cpu": f"{int(cpu * 10**9)}n", "memory": f"{int(memory / 1024)}Ki"}

    def item(self, kind, meta, content):
        keep = {key: meta[key] for key in ("name", "namespace", "labels") if key in meta}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return {"apiVersion": self.GROUP, "kind": kind, "metadata": keep, "timestamp": now, "window": "1s", **content}

    def pod(self, pod):
        shares = self.shares(pod["metadata"])
        containers = [{"name": one["name"], "usage": self.usage(one.get("resources", {}).get("requests", {}), shares)}
                      for one in pod["spec"]["containers"]]
        return self.item("PodMetrics", pod["metadata"], {"containers": containers})

    def node(self, node):
        usage = self.usage(node["status"]["allocatable"], (0.1, 0.2))
        return self.item("NodeMetrics", node["metadata"], {"usage": usage})

    def answer(self, path, query):
        """The document for a path below ROOT, or None."""
        if not path:
            resources = [{"name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics"},
                         {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics"}]
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": self.GROUP,
                    "resources": [dict(one, verbs=["get", "list"]) for one in resources]}
        place = re.fullmatch(r"/(?:namespaces/([^/]+)/)?(pods|nodes)(?:/([^/]+))?", path)
        if not place:
            return None
        namespace, resource, name = place.groups()
        cache, form = (self.pods, self.pod) if resource == "pods" else (self.nodes, self.node)
        found = [form(one) for one in cache.list(namespace)
                 if (resource == "nodes" or one.get("status", {}).get("phase") == "Running")
                 and name in (None, one["metadata"]["name"])
                 and matches(one["metadata"].get("labels", {}), query.get("labelSelector", [""])[0])]
        if name:
            return found[0] if found else None
        kind = "PodMetricsList" if resource == "pods" else "NodeMetricsList"
        return {"kind": kind, "apiVersion": self.GROUP, "metadata": {}, "items": found}

    def serve(self, address, cert, key):
        metrics = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16      # head and body leave together

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                document = None
                if url.path.startswith(metrics.ROOT):
                    document = metrics.answer(url.path[len(metrics.ROOT):], urllib.parse.parse_qs(url.query))
                status = 200 if document else 404
                data = json.dumps(document or {"kind": "Status", "apiVersion": "v1", "status": "Failure",
                                               "reason": "NotFound", "code": 404, "message": "not found"}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format, *args):
                pass

        host, _, port = address.partition(":")
        server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, key)
        # The handshake belongs to the connection's thread, not to the one that accepts.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.serve_forever()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kubeconfig")
    for name in ("gateway", "metrics", "cert", "key", "load"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    api = Api(options.kubeconfig)
    LoadBalancer(api, options.gateway)
    Volumes(api)
    Metrics(api, options.load).serve(options.metrics, options.cert, options.key)


main()
