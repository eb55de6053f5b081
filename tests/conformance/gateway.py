#!/usr/bin/env -S python3 -B
"""A gateway stub: Istio's ingress gateway and the pods behind it, in one small HTTP server.

usage: gateway.py KUBECONFIG --games FOLDER ADDRESS:PORT...

Routes as the VirtualServices bound to a Gateway say (hosts, uri and header matches, weights), by watch. Among weighted
destinations the choice is a smooth round: of any 100 requests in a row each gets its weight. The chosen
Service (and the DestinationRule's subset) must have a ready pod, else 503; no route is 404. What the pods
would answer is answered here:
    /                the page of the chosen pods' version: <title> is the title in FOLDER/VERSION.yaml
    /api/stats       play counts         POST /api/play/NAME   counts one play, 404 for an unknown game
    /health          {"status": "healthy"}
    :15021/healthz/ready   the gateway's own readiness, on any of the ports
The header x-version names the version that answered.
"""
import argparse
import http.server
import json
import pathlib
import re
import threading
import urllib.parse

from kubeapi import Api, Cache


class Mesh:
    """What the API server says of routes, services and pods."""

    def __init__(self, api):
        istio = "/apis/networking.istio.io/v1/"
        self.gateways = Cache(api, istio + "gateways").start()
        self.routes = Cache(api, istio + "virtualservices").start()
        self.rules = Cache(api, istio + "destinationrules").start()
        self.slices = Cache(api, "/apis/discovery.k8s.io/v1/endpointslices").start()
        self.pods = Cache(api, "/api/v1/pods").start()
        self.lock = threading.Lock()
        self.credit = {}    # per route, as its destinations stand: the running balance of each

    def find(self, host, path, headers):
        """(namespace, destinations) of the first HTTP route that takes this request."""
        for service in self.routes.list():
            space, hosts = service["metadata"]["namespace"], service["spec"].get("hosts", [])
            if not any(self.gateways.get(*(name.split("/") if "/" in name else (space, name)))
                       for name in service["spec"].get("gateways", [])):
                continue
            if not any(one == "*" or one == host or (one[:2] == "*." and host.endswith(one[1:])) for one in hosts):
                continue
            for route in service["spec"].get("http", []):
                if any(self.takes(match, path, headers) for match in route.get("match") or [{}]):
                    return space, route.get("route", [])
        return None, []

    @staticmethod
    def takes(match, path, headers):
        def fits(rule, text):
            if text is None:
                return False
            if "exact" in rule:
                return text == rule["exact"]
            if "prefix" in rule:
                return text.startswith(rule["prefix"])
            return "regex" not in rule or re.fullmatch(rule["regex"], text) is not None
        return (fits(match.get("uri", {}), path)
                and all(fits(rule, headers.get(name)) for name, rule in match.get("headers", {}).items()))

    def choose(self, destinations):
        """The next destination: each earns its weight, the richest is taken and pays the sum."""
        weights = [one.get("weight", 0) for one in destinations] if len(destinations) > 1 else [1]
        key = json.dumps(destinations, sort_keys=True)
        with self.lock:
            credit = self.credit.setdefault(key, [0] * len(weights))
            for at, weight in enumerate(weights):
                credit[at] += weight
            best = max((at for at, weight in enumerate(weights) if weight), key=lambda at: credit[at], default=None)
            if best is not None:
                credit[best] -= sum(weights)
        return None if best is None else destinations[best]["destination"]

    def version(self, namespace, destination):
        """The label `version` of a ready pod behind it ("" when it has none), or None without such a pod."""
        name, *rest = destination["host"].split(".")
        namespace = rest[0] if rest else namespace
        wanted = self.subset(namespace, name, destination.get("subset"))
        for part in self.slices.list(namespace):
            if part["metadata"].get("labels", {}).get("kubernetes.io/service-name") != name or wanted is None:
                continue
            for end in part.get("endpoints") or []:
                pod = self.pods.get(namespace, (end.get("targetRef") or {}).get("name"))
                labels = pod["metadata"].get("labels", {}) if pod else {}
                if end.get("conditions", {}).get("ready") and wanted.items() <= labels.items():
                    return labels.get("version", "")
        return None

    def subset(self, namespace, name, subset):
        """The labels of a DestinationRule's subset; None when no rule names it."""
        if subset is None:
            return {}
        for rule in self.rules.list(namespace):
            if rule["spec"]["host"].split(".")[0] == name:
                for one in rule["spec"].get("subsets", []):
                    if one["name"] == subset:
                        return one.get("labels", {})
        return None


class Pages:
    """What the platform's pods answer."""

    def __init__(self, games):
        self.games = pathlib.Path(games)
        self.lock = threading.Lock()
        self.plays = {"DOOM": 0, "CIVILIZATION": 0}

    def title(self, version):
        try:
            text = (self.games / (version + ".yaml")).read_text(encoding="utf-8")
        except OSError:
            text = ""
        line = re.search(r"^\s*title:\s*(.*?)\s*$", text, re.MULTILINE)
        return line.group(1).strip("\"'") if line else version.upper()

    def answer(self, method, path, version):
        """(status, content type, body)"""
        if path == "/health":
            return self.json(200, {"status": "healthy"})
        if path == "/api/stats":
            return self.json(200, [{"game_name": name, "play_count": count} for name, count in self.plays.items()])
        if method == "POST" and path.startswith("/api/play/"):
            name = urllib.parse.unquote(path[len("/api/play/"):]).upper()
            with self.lock:
                if name not in self.plays:
                    return self.json(404, {"error": "no such game"})
                self.plays[name] += 1
                return self.json(200, {"game_name": name, "play_count": self.plays[name]})
        if path != "/":
            return self.json(404, {"error": "not found"})
        title = self.title(version)
        rows = "".join(f"<tr><td>{name}<td>{count}" for name, count in self.plays.items())
        return 200, "text/html; charset=utf-8", (f"<!doctype html><html><head><title>{title}</title></head>"
                                                 f"<body><h1>{title}</h1><table>{rows}</table></body></html>\n")

    @staticmethod
    def json(status, document):
        return status, "application/json", json.dumps(document) + "\n"


def handler(mesh, pages):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16      # head and body leave together, else Nagle's algorithm adds 40 ms

        def respond(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            version = ""
            path = urllib.parse.urlsplit(self.path).path
            if path == "/healthz/ready":
                answer = 200, "text/plain", ""
            else:
                host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
                namespace, destinations = mesh.find(host, path, self.headers)
                chosen = mesh.choose(destinations) if destinations else None
                version = mesh.version(namespace, chosen) if chosen else None
                if not destinations:
                    answer = 404, "text/plain", ""
                elif version is None:
                    answer = 503, "text/plain", "no healthy upstream"
                else:
                    answer = pages.answer(self.command, path, version)
            status, kind, text = answer
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            if version:
                self.send_header("x-version", version)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_POST = do_HEAD = respond

        def log_message(self, format, *args):
            pass

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kubeconfig")
    parser.add_argument("--games", required=True)
    parser.add_argument("addresses", nargs="+", metavar="ADDRESS:PORT")
    options = parser.parse_args()
    handle = handler(Mesh(Api(options.kubeconfig)), Pages(options.games))
    for address in options.addresses:
        host, _, port = address.partition(":")
        threading.Thread(target=Server((host, int(port)), handle).serve_forever).start()


main()
