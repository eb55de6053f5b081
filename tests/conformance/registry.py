#!/usr/bin/env -S python3 -B
"""A registry stand-in: answers HEAD and GET /v2/NAME/manifests/TAG with a digest, over plain HTTP on loopback.

usage: registry.py ADDRESS:PORT          (or Registry().address from a test)

Every tag exists but those named in `absent`; a tag's digest is the hash of its small manifest, the same each time.
An image of the tag `missing` or `crash` exists here: what its pods do is kwok's (stages.yaml).
"""
import hashlib
import http.server
import json
import re
import sys
import threading

INDEX = "application/vnd.oci.image.index.v1+json"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def answer(self):
        place = re.fullmatch(r"/v2/(.+)/manifests/([^/?]+)", self.path.partition("?")[0])
        self.server.asked.append(f"{self.command} {self.path}")
        status, data, headers = 404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', {}
        if self.path.rstrip("/") == "/v2":
            status, data = 200, b"{}"
        elif place:
            name, reference = place.groups()
            tags = {f"{name}:{tag}" for tag in [reference, *self.server.tags]}
            found = [text for text in map(manifest, sorted(tags)) if reference == digest(text)]
            if ":" not in reference and reference not in self.server.absent:
                self.server.tags.add(reference)
                found = [manifest(f"{name}:{reference}")]
            if found:
                status, data = 200, found[0]
                headers = {"Docker-Content-Digest": digest(data)}
        self.send_response(status)
        self.send_header("Content-Type", INDEX if headers else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = answer

    def log_message(self, format, *args):
        pass


def manifest(name):
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [],
                       "annotations": {"org.opencontainers.image.ref.name": name}}).encode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass        # a client that was killed

    def __init__(self, address=("127.0.0.1", 0), absent=()):
        super().__init__(address, Handler)
        self.absent, self.tags, self.asked = set(absent), set(), []
        self.address = "{}:{}".format(*self.server_address)
        threading.Thread(target=self.serve_forever, daemon=True).start()


if __name__ == "__main__":
    host, _, port = sys.argv[1].partition(":")
    Registry((host, int(port)))
    threading.Event().wait()
