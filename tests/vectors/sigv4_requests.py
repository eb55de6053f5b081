"""Random requests as botocore signs them: by headers and by query, for S3 and for others.

usage: sigv4_requests.py FILE [SEED]     writes {"seed": ..., "requests": [...]}
"""
import datetime
import json
import random
import string
import sys
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

COUNT = 300
SIGNERS = {
    "headers": botocore.auth.SigV4Auth,
    "s3-headers": botocore.auth.S3SigV4Auth,
    "query": botocore.auth.SigV4QueryAuth,
    "s3-query": botocore.auth.S3SigV4QueryAuth,
}
HEADERS = ["Content-Type", "X-Amz-Target", "x-amz-meta-Name", "Range", "User-Agent", "Expect", "X-Amzn-Trace-Id", "x-k8s-aws-id",
           "If-Match", "Accept", "Content-Length", "TE", "traceparent", "x-amz-acl", "Content-MD5", "amz-sdk-request"]


def text(rng, letters, most):
    return "".join(rng.choice(letters) for _ in range(rng.randrange(most + 1)))


def path_of(rng):
    letters = string.ascii_letters + string.digits + "-._~"
    parts = []
    for _ in range(rng.randrange(5)):
        part = rng.choice(["", ".", "..", text(rng, letters, 8), text(rng, letters + " :/+%&=$@,;!*'()ü漢", 8)])
        parts.append(urllib.parse.quote(part, safe="-._~"))
    return "/" + "/".join(parts)


def query_of(rng):
    names = rng.sample(["acl", "list-type", "prefix", "Action", "a", "B", "A.member.1", "x y", "ü", "marker"], rng.randrange(5))
    quote = lambda value: urllib.parse.quote(value, safe="-._~")
    return "&".join(quote(name) + "=" + quote(text(rng, string.printable[:95] + "é漢", 6)) for name in names)


def request_of(rng):
    kind = rng.choice(list(SIGNERS))
    s3, query = kind.startswith("s3"), kind.endswith("query")
    headers = []
    for name in rng.sample(HEADERS, rng.randrange(5)):
        headers.append([name, " " * rng.randrange(2) + text(rng, string.ascii_letters + "  =/;", 12) + "z" + " " * rng.randrange(2)])
    return {
        "kind": kind,
        "method": rng.choice(["GET", "PUT", "POST", "HEAD", "DELETE"]),
        "host": rng.choice(["eks.eu-central-1.amazonaws.com", "bucket.s3.amazonaws.com", "127.0.0.1:4566", "x.example:8443"]),
        "path": path_of(rng),
        "query": query_of(rng),
        "headers": headers,
        "body": "" if query else text(rng, string.printable[:95] + "ü漢", 40),
        "unsigned": not query and rng.random() < 0.3,
        "access_key": "AKIA" + text(rng, string.ascii_uppercase, 12),
        "secret_key": text(rng, string.ascii_letters + "/+", 80) + "k",
        "token": rng.choice([None, text(rng, string.ascii_letters + "/+=", 300)]) or None,
        "region": rng.choice(["us-east-1", "eu-central-1", "cn-north-1"]),
        "service": "s3" if s3 else rng.choice(["eks", "sts", "ec2", "execute-api"]),
        "now": rng.randrange(1262304000, 4102444800),
        "expires": rng.randrange(1, 604801),
    }


def sign(request):
    now = datetime.datetime.fromtimestamp(request["now"], datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda: now
    keys = Credentials(request["access_key"], request["secret_key"], request["token"])
    query = request["query"] and "?" + request["query"]
    aws = AWSRequest(method=request["method"], url=f"https://{request['host']}{request['path']}{query}",
                     data=request["body"].encode())
    for name, value in request["headers"]:
        aws.headers[name] = value
    aws.context["payload_signing_enabled"] = not request["unsigned"]
    if request["unsigned"] and request["kind"] == "s3-headers":  # the conditions under which S3's bodies are not signed
        aws.context["has_streaming_input"] = True
        if "Content-MD5" not in aws.headers:
            request["headers"].append(["Content-MD5", "x"])
            aws.headers["Content-MD5"] = "x"
    arguments = [keys, request["service"], request["region"]]
    if request["kind"].endswith("query"):
        SIGNERS[request["kind"]](*arguments, expires=request["expires"]).add_auth(aws)
        request["signed_query"] = aws.url.split("?", 1)[1]
    else:
        SIGNERS[request["kind"]](*arguments).add_auth(aws)
        names = ["Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256"]
        request["signed_headers"] = {name: aws.headers[name] for name in names if name in aws.headers}


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else random.randrange(1 << 32)
    rng = random.Random(seed)
    requests = [request_of(rng) for _ in range(COUNT)]
    for request in requests:
        sign(request)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"seed": seed, "requests": requests}, file, ensure_ascii=False)
    print(f"sigv4: {COUNT} requests of seed {seed}")


main()
