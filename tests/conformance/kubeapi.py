"""The Kubernetes API for the scripts of this folder: requests and watches over the standard library.

A kubeconfig is read as JSON, which is what `up` writes; any other is turned into JSON by kubectl.
"""
import base64
import collections
import http.client
import json
import os
import re
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

MERGE = "application/merge-patch+json"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

# A kind of resource; `path` lists all of it.
Resource = collections.namedtuple("Resource", "path name kind namespaced verbs")


class Failure(Exception):
    """An answer that is no success; `code` is its HTTP status."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text[:300]}")
        self.code = code


def _load(path):
    path = path or os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except ValueError:
        command = ["kubectl", "--kubeconfig", path, "config", "view", "--raw", "--flatten", "-o", "json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _named(items, name, kind):
    return next(item[kind] for item in items if item["name"] == name)


class Api:
    """One cluster, seen as one user. Safe for threads: each has a connection of its own."""

    def __init__(self, kubeconfig=None, context=None):
        config = _load(kubeconfig)
        chosen = _named(config["contexts"], context or config["current-context"], "context")
        cluster = _named(config["clusters"], chosen["cluster"], "cluster")
        user = _named(config["users"], chosen["user"], "user")
        self.host = urllib.parse.urlsplit(cluster["server"]).netloc
        self.headers = {"Authorization": "Bearer " + user["token"]} if "token" in user else {}
        data = cluster.get("certificate-authority-data")
        self.tls = ssl.create_default_context(cafile=cluster.get("certificate-authority"),
                                              cadata=base64.b64decode(data).decode() if data else None)
        if "client-certificate" in user:
            self.tls.load_cert_chain(user["client-certificate"], user["client-key"])
        elif "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as pair:
                for part in ("client-certificate-data", "client-key-data"):
                    pair.write(base64.b64decode(user[part]))
                pair.flush()
                self.tls.load_cert_chain(pair.name)
        self.local = threading.local()

    def _connect(self, timeout):
        return http.client.HTTPSConnection(self.host, context=self.tls, timeout=timeout)

    def request(self, method, path, body=None, content_type="application/json", accept="application/json"):
        """The answer's JSON. A server that is busy, as with the storage of a new resource, is asked again."""
        headers = dict(self.headers, Accept=accept)
        data = None
        if body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = content_type
        for patience in range(100, -1, -1):
            status, text = self._exchange(method, path, data, headers)
            if status < 300:
                return json.loads(text)
            if status != 429 or patience == 0:
                raise Failure(status, text.decode(errors="replace"))
            time.sleep(0.1)

    def _exchange(self, method, path, data, headers):
        """(status, body). A connection that the server has closed meanwhile is opened again, once."""
        connection = getattr(self.local, "connection", None)
        for fresh in (connection is None, True):
            if fresh:
                connection = self.local.connection = self._connect(30)
            try:
                connection.request(method, path, data, headers)
                response = connection.getresponse()
                return response.status, response.read()
            except (http.client.HTTPException, OSError):
                self.local.connection = None
                if fresh:
                    raise

    def get(self, path, accept="application/json"):
        return self.request("GET", path, accept=accept)

    def patch(self, path, body):
        return self.request("PATCH", path, body, MERGE)

    def watch(self, path):
        """Yield (type, object) for ever: ("LIST", list) first and after each relist, then what changes.

        A server that is away, or a resource that is not there yet, is asked again.
        """
        while True:
            try:
                listed = self.get(path)
                yield "LIST", listed
                yield from self._changes(path, listed["metadata"]["resourceVersion"])
            except (Failure, http.client.HTTPException, OSError, ValueError):
                time.sleep(0.2)

    def _changes(self, path, version):
        connection = self._connect(330)
        try:
            connection.request("GET", f"{path}?watch=1&timeoutSeconds=300&resourceVersion={version}",
                               headers=self.headers)
            response = connection.getresponse()
            if response.status != 200:
                raise Failure(response.status, "watch")
            for line in iter(response.readline, b""):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]
        finally:
            connection.close()


def resources(api):
    """Every listable Resource that is stored, at its group's preferred version."""
    for root in ("/api", "/apis"):
        for group in api.get(root, DISCOVERY)["items"]:
            name = group["metadata"].get("name", "")
            seen = {"componentstatuses"}
            for version in group["versions"] if name != "metrics.k8s.io" else ():
                prefix = "/".join(filter(None, (root, name, version["version"])))
                for one in version.get("resources", []):
                    if "list" in one["verbs"] and one["resource"] not in seen:
                        seen.add(one["resource"])
                        yield Resource(f"{prefix}/{one['resource']}", one["resource"], one["responseKind"]["kind"],
                                       one["scope"] == "Namespaced", one["verbs"])


def uids_in(file):
    """The uids of the objects that canon printed into a file."""
    with open(file, encoding="utf-8") as text:
        return set(re.findall(r'^  uid: "?([0-9a-f-]{36})"?$', text.read(), re.MULTILINE))


class Cache:
    """Every object of one resource, from start() on kept fresh by a thread, which calls `changed(object)`
    for each that comes."""

    def __init__(self, api, path, changed=None):
        self.api, self.path, self.changed = api, path, changed
        self.objects = {}

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()
        return self

    @staticmethod
    def _key(item):
        return item["metadata"].get("namespace", ""), item["metadata"]["name"]

    def _run(self):
        for kind, item in self.api.watch(self.path):
            if kind == "LIST":
                items = item.get("items") or []
                self.objects = {self._key(one): one for one in items}
            elif kind == "DELETED":
                self.objects = {key: one for key, one in self.objects.items() if key != self._key(item)}
                continue
            else:
                items = [item]
                self.put(item)
            for one in items if self.changed else ():
                self.changed(one)

    def put(self, item):
        """Only for `changed`, which knows an answer before its event arrives."""
        self.objects = {**self.objects, self._key(item): item}

    def get(self, namespace, name):
        return self.objects.get((namespace, name))

    def list(self, namespace=None):
        return [one for (space, _), one in sorted(self.objects.items()) if namespace in (None, space)]
