#!/usr/bin/env python3
"""The simulated API server against a real one: the same generated sequences of requests to both.

usage: differential.py --serve BUILD/sandbox_serve --kubeconfig FILE [--seed N] [--count 500] [--only N] [-v] [--trace]

A sequence works in a namespace of its own on one kind: create, apply by two managers, patches, updates,
deletes, conflicts, dry runs, lists, watches. Status, reason, message and content are compared; generated
values, and what controllers of the real cluster add, are masked; a resourceVersion is compared by whether it is a
new one. Stop its kube-controller-manager (kill -STOP) for the time of the comparison, as the simulated controllers
stand still too: what they write in between makes conflicts of its own. Each difference is printed; the exit is
0 only when there is none, or each stands in differences.json with its reason.
"""
import argparse
import base64
import collections
import copy
import http.client
import itertools
import json
import os
import random
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

from shapes import KINDS, CRD  # the objects and mutations that sequences are made of

HERE = os.path.dirname(os.path.abspath(__file__))
CONTROLLERS = {"kube-controller-manager", "kwok", "kube-scheduler", "kubelet", "kube-apiserver"}
MASKED_FIELDS = {"uid", "creationTimestamp", "deletionTimestamp", "time", "lastTransitionTime", "clusterIP", "clusterIPs",
                 "nodePort", "resourceVersion", "continue"}
MASKED_NOTES = {"deployment.kubernetes.io/revision"}
RUN = "%x" % (time.time_ns() // 1000 % 0xffffffff)  # namespaces of an earlier run may still be terminating
MADE_BY_CLUSTER = {"default", "kube-root-ca.crt"}
CONTAINER = "spec/template/spec/containers/0/"
ADDED_FINALIZERS = {"service.kubernetes.io/load-balancer-cleanup"}


class Real:
    """A cluster behind a kubeconfig's current context."""

    def __init__(self, kubeconfig):
        text = subprocess.check_output(["kubectl", "--kubeconfig", kubeconfig, "config", "view", "--raw", "--minify",
                                        "--flatten", "-o", "json"])
        config = json.loads(text)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = urllib.parse.urlparse(cluster["server"])
        self.token = user["token"]
        with tempfile.NamedTemporaryFile(suffix=".crt", delete=False) as file:
            file.write(base64.b64decode(cluster["certificate-authority-data"]))
        self.context = ssl.create_default_context(cafile=file.name)
        os.unlink(file.name)
        self.connection = None

    def send(self, method, path, headers, body):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self.context)
        self.connection.request(method, path, body, {**headers, "Authorization": "Bearer " + self.token})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        warnings = [value for name, value in answer.getheaders() if name.lower() == "warning"]
        return answer.status, warnings, text


class Simulated:
    """tests/sandbox/serve.c on a pipe."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("the simulated server ended at " + json.dumps(line))
        return json.loads(answer)

    def send(self, method, path, headers, body):
        answer = self.ask({"method": method, "path": path, "headers": headers, "body": body or ""})
        warnings = [value for name, value in answer["headers"] if name.lower() == "warning"]
        return answer["status"], warnings, answer["body"]


def mask_text(text):
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"Invalid value: \"(map\[|\{).*\": (strict|json|cannot|no kind|unrecog|illegal)", r'Invalid value: OBJECT: \2', text)
    text = re.sub(r"\n@@.*", "", text, flags=re.S)  # a PVC's refusal ends in a diff of Go structures
    text = re.sub(r"errors:\n(.*)", lambda m: "errors: " + " ".join(sorted(m.group(1).split("\n"))), text, flags=re.S)
    text = re.sub(r"diff-[0-9a-z]+-(\d+)", r"diff-\1", text)
    text = re.sub(r"Key: \S+, ResourceVersion", "Key: KEY, ResourceVersion", text)
    text = re.sub(r'"map\[.*\]": error decoding from json: ', "OBJECT: ", text)
    text = re.sub(r"in record \(\d+\)", "in record (VERSION)", text)
    text = re.sub(r"(in the precondition|too old resource version:?) \(?\d+\)?( \(\d+\))?", r"\1 VERSION", text)
    return re.sub(r"10\.100\.\d+\.\d+", "ADDRESS", text)


def mask(value, key=""):
    """Generated values as words; what controllers add is left out."""
    if isinstance(value, dict):
        out = {}
        for name, child in value.items():
            if name == "status" and isinstance(child, dict) and value.get("kind") != "Status" and key != "fieldsV1":
                continue
            if name in MASKED_FIELDS and not isinstance(child, dict):
                out[name] = name.upper()
            elif name == "managedFields":
                out[name] = sorted((mask(e, "managedFields") for e in child if e.get("manager") not in CONTROLLERS),
                                   key=lambda e: json.dumps(e, sort_keys=True))
            elif name == "annotations" and isinstance(child, dict):
                out[name] = {k: v for k, v in child.items() if k not in MASKED_NOTES}
                if not out[name] and child:
                    del out[name]
            elif name == "finalizers" and key == "metadata":
                out[name] = [f for f in child if f not in ADDED_FINALIZERS]
                if not out[name]:
                    del out[name]
            else:
                out[name] = mask(child, name)
        if "generateName" in out and "name" in out:
            out["name"] = "GENERATED"
        return out
    if isinstance(value, list):
        if key == "items":
            value = [v for v in value if v["metadata"].get("name") not in MADE_BY_CLUSTER]
        masked = [mask(child, key) for child in value]
        if key == "causes":  # some kinds validate their metadata twice: twins count once
            masked = [json.loads(text) for text in sorted({json.dumps(e, sort_keys=True) for e in masked})]
        return masked
    return mask_text(value) if isinstance(value, str) else value


def parse(text):
    """A JSON document, a list of watch events, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line]
    except ValueError:
        return text


def canonical(status, warnings, text, watch):
    value = parse(text)
    if watch:
        events = value if isinstance(value, list) else [value]
        names = []  # statuses come and go with the real cluster's pace: the order of kinds of events is compared
        for event in events:
            if event.get("type") in ("ADDED", "DELETED", "ERROR"):
                if event["object"].get("metadata", {}).get("name") in MADE_BY_CLUSTER:
                    continue
                names.append((event["type"], event["object"].get("metadata", {}).get("name"), event["object"].get("reason")))
        return {"status": status, "events": names}
    body = mask(value)
    if isinstance(body, dict) and len(body.get("details", {}).get("causes", [])) > 1:
        body["message"] = "SEVERAL"
    return {"status": status, "warnings": sorted(mask_text(w) for w in warnings), "body": body}


def differences(a, b, path=""):
    if type(a) is not type(b):
        return [(path, a, b)]
    if isinstance(a, dict):
        out = []
        for key in sorted(set(a) | set(b)):
            if key not in a or key not in b:
                out.append((path + "." + key, a.get(key, "ABSENT"), b.get(key, "ABSENT")))
            else:
                out += differences(a[key], b[key], path + "." + key)
        return out
    if isinstance(a, list):
        if len(a) != len(b):
            return [(path, a, b)]
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, "%s[%d]" % (path, i))]
    return [] if a == b else [(path, a, b)]


class Sequence:
    """The requests of one sequence, made up as it goes by one random stream."""

    def __init__(self, sides, seed, number, trace=False):
        self.random = random.Random("%s/%d" % (seed, number))
        self.kind = self.random.choice(KINDS)
        self.sides, self.number = sides, number
        self.namespace = "diff-%s-%d" % (RUN, number)
        self.last = [None, None]   # the object as each side showed it last
        self.first = [None, None]  # a version from the beginning, for conflicts and watches
        self.version = [None, None]  # the last one seen
        self.found, self.trace = [], trace

    def run(self):
        base = "/api/v1/namespaces"
        self.both("POST", base, body=json.dumps({"metadata": {"name": self.namespace}}))
        self.sides[1].ask({"stuck": self.path()})
        for _ in range(self.random.randint(5, 12)):
            self.step()
        self.both("GET", self.path())
        self.both("DELETE", base + "/" + self.namespace, compare=False)
        return self.found

    def path(self, name=True, **query):
        path = self.kind["path"] % self.namespace + ("/" + self.kind["object"]["metadata"]["name"] if name else "")
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def both(self, method, path, headers=None, body=None, compare=True, watch=False, keep=False):
        headers = {"Content-Type": "application/json", "User-Agent": "differential/1", **(headers or {})}
        results = []
        for side, server in enumerate(self.sides):
            own_path = path(side) if callable(path) else path
            own_body = body(side) if callable(body) else body
            status, warnings, text = server.send(method, own_path, headers, own_body)
            results.append(canonical(status, warnings, text, watch))
            if self.trace:
                print("%s %d %s %s\n    body %s\n    %s %s" % ("real" if side == 0 else "ours", status, method, own_path, own_body,
                                                            text.strip(), " ".join(warnings)))
            value = parse(text)
            if status < 300 and isinstance(value, dict) and value.get("kind") == self.kind["kind"]:
                version = value["metadata"].get("resourceVersion")
                results[side]["body"]["metadata"]["resourceVersion"] = "SAME" if version == self.version[side] else "NEW"
                self.version[side] = version
            if keep and status < 300 and isinstance(value, dict) and value.get("kind") == self.kind["kind"]:
                self.last[side] = value
                self.first[side] = self.first[side] or value["metadata"].get("resourceVersion")
        if compare:
            request = (self.kind["kind"], method, str(path(0) if callable(path) else path), str(body(0) if callable(body) else body))
            if results[0]["status"] != results[1]["status"]:  # all else differs then too: the words say why
                results = [{"status": "%d %s" % (r["status"], r.get("body", {}).get("message", ""))} for r in results]
            self.found += [request + difference for difference in differences(*results)]

    def mutated(self, count=None):
        value = copy.deepcopy(self.kind["object"])
        for _ in range(self.random.randint(0, 2) if count is None else count):
            self.mutate(value)
        return value

    def mutate(self, value):
        path, new = self.random.choice(self.kind["mutations"])
        parts = path.split("/")
        for part in parts[:-1]:
            if isinstance(value, list):
                if int(part) >= len(value):
                    return
                value = value[int(part)]
            else:
                value = value.setdefault(part, {})
        if new is None:
            value.pop(parts[-1], None)
        elif isinstance(value, dict):
            value[parts[-1]] = copy.deepcopy(new)

    def query(self, **more):
        if self.random.random() < 0.15:
            more["dryRun"] = "All"
        if self.random.random() < 0.4:
            more["fieldValidation"] = self.random.choice(["Strict", "Warn", "Ignore"])
        return more

    def step(self):
        name = self.random.choice(["create", "apply", "apply", "apply", "apply", "merge", "json", "strategic", "update", "update",
                                   "delete", "get", "list", "watch" if self.random.random() < 0.3 else "get", "status"])
        getattr(self, "do_" + name)()

    def do_create(self):
        query = self.query(fieldManager=self.random.choice(["alice", "bob"]))
        self.both("POST", self.path(False, **query), body=json.dumps(self.mutated()), keep="dryRun" not in query)

    def do_apply(self):
        query = self.query(fieldManager=self.random.choice(["alice", "bob"]))
        if self.random.random() < 0.3:
            query["force"] = "true"
        value = self.mutated()
        for key in self.random.sample(sorted(self.kind["optional"]), k=min(1, len(self.kind["optional"]))):
            if self.random.random() < 0.3:
                Sequence.drop(value, key)
        self.both("PATCH", self.path(**query), {"Content-Type": "application/apply-patch+yaml"}, json.dumps(value),
                  keep="dryRun" not in query)

    @staticmethod
    def drop(value, path):
        parts = path.split("/")
        for part in parts[:-1]:
            value = value.get(part, {}) if isinstance(value, dict) else value[int(part)]
        if isinstance(value, dict):
            value.pop(parts[-1], None)

    def do_merge(self):
        patch = {}
        self.mutate(patch)
        self.patch("application/merge-patch+json", patch)

    def do_strategic(self):
        patch = {}
        container = [m for m in self.kind["mutations"] if m[0].startswith(CONTAINER) and isinstance(m[1], (str, list))]
        if container and self.random.random() < 0.5:  # lists by key, below a list by key
            path, new = self.random.choice(container)
            inner = {"name": "c", path[len(CONTAINER):]: new}
            patch = {"spec": {"template": {"spec": {"containers": [inner]}}}}
        else:
            self.mutate(patch)
        self.patch("application/strategic-merge-patch+json", patch)

    def do_json(self):
        path, new = self.random.choice(self.kind["mutations"])
        op = self.random.choice(["add", "replace", "remove"])
        self.patch("application/json-patch+json", [{"op": op, "path": "/" + path, **({} if op == "remove" else {"value": new})}])

    def patch(self, kind, patch):
        query = self.query()
        self.both("PATCH", self.path(**query), {"Content-Type": kind}, json.dumps(patch), keep="dryRun" not in query)

    def do_update(self):
        if not all(self.last):
            return self.do_create()
        query = self.query(fieldManager=self.random.choice(["alice", "bob"]))
        state, stale = self.random.getstate(), self.random.random() < 0.2
        # only a version that is old on both sides
        stale = stale and all(first != last["metadata"].get("resourceVersion") for first, last in zip(self.first, self.last))

        def body(side):
            self.random.setstate(state)
            value = copy.deepcopy(self.last[side])
            self.random.random()
            self.mutate(value)
            if stale:
                value["metadata"]["resourceVersion"] = self.first[side]
            else:
                value["metadata"].pop("resourceVersion", None)
                if self.kind.get("conditional"):
                    value["metadata"]["resourceVersion"] = self.last[side]["metadata"]["resourceVersion"]
            value.pop("status", None)
            return json.dumps(value)
        self.both("PUT", self.path(**query), body=body, keep="dryRun" not in query)
        return None

    def do_delete(self):
        choice = self.random.random()
        if self.kind.get("protected"):  # its finalizer waits for a controller
            return
        options = {}
        if choice < 0.2:
            options = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
        elif choice < 0.3:
            options = {"preconditions": {"resourceVersion": "1"}}
        elif choice < 0.5:
            options = {"propagationPolicy": "Background"}
        self.both("DELETE", self.path(**({"dryRun": "All"} if self.random.random() < 0.2 else {})), body=json.dumps(options))

    def do_get(self):
        self.both("GET", self.path(), keep=True)

    def do_list(self):
        selector = self.random.choice(["", "app=x", "app!=x", "app in (x,y)", "!app", "app", "app notin (x)", "a=b=c"])
        self.both("GET", self.path(False, labelSelector=selector), compare=True)

    def do_status(self):
        if self.kind.get("status"):
            self.both("PATCH", self.path().rstrip("?") + "/status", {"Content-Type": "application/merge-patch+json"},
                      json.dumps({"metadata": {"annotations": {"n": "s"}}, "spec": {"x": 1}}))

    def do_watch(self):
        if not all(self.first):
            return
        self.both("GET", lambda side: self.path(False, watch="1", resourceVersion=self.first[side], timeoutSeconds=1), watch=True)


def known(found, allowed):
    text = "%s %s %s %s %s | %s" % (found[0], found[1], found[2], found[4], found[5], found[6])
    return next((entry for entry in allowed if re.search(entry["pattern"], text)), None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", required=True)
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--only", type=int)
    parser.add_argument("-v", action="store_true", help="whole bodies, and the known differences too")
    parser.add_argument("--trace", action="store_true", help="every request and both answers")
    args = parser.parse_args()
    with open(os.path.join(HERE, "differences.json"), encoding="utf-8") as file:
        allowed = json.load(file)
    real, simulated = Real(args.kubeconfig), Simulated(args.serve)
    print("seed", args.seed)
    for side in (real, simulated):
        side.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {"Content-Type": "application/json"},
                  json.dumps(CRD))
    simulated.ask({"advance": 2000})
    subprocess.run(["kubectl", "--kubeconfig", args.kubeconfig, "wait", "--for=condition=Established", "crd/widgets.diff.test"],
                   check=True, stdout=subprocess.DEVNULL)
    new, failed, excused = 0, 0, collections.Counter()
    for number in [args.only] if args.only is not None else range(args.count):
        found = Sequence((real, simulated), args.seed, number, args.trace).run()
        for i, f in enumerate(found):
            if f[4] == ".status" and known(f, allowed):  # from here on the two have different objects
                del found[i + 1:]
                break
        fresh = [f for f in found if not known(f, allowed)]
        excused.update(known(f, allowed)["pattern"] for f in found if known(f, allowed))
        new += len(fresh)
        failed += bool(fresh)
        for request, group in itertools.groupby(found if args.v else fresh, key=lambda f: f[:4]):
            print("#%d %s %s %s\n    body %s" % (number, *request[:3], request[3] if args.v else request[3][:200]))
            for difference in group:
                where, a, b = difference[4:]
                print("    %s %s: %s | %s" % ("new  " if difference in fresh else "known", where, json.dumps(a), json.dumps(b)))
    for pattern, count in sorted(excused.items()):
        print("%d known: %s" % (count, pattern))
    print("%d differences in %d sequences, %d known ones" % (new, failed, excused.total()))
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
