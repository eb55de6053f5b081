"""Through boto3, what a listings.json asks for: {name: answer} as JSON in dosrun's form of values.
usage: aws_boto.py LISTINGS.json CLOUD     (the environment says where and as whom)
"""
import base64
import datetime
import json
import sys

import boto3
import botocore.exceptions

from aws_generate import iso


def plain(value):
    """Times as texts, bytes as base64, without what is None or about the answer itself."""
    if isinstance(value, datetime.datetime):
        return iso(value)
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None and k != "ResponseMetadata"}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def ask(client, one):
    if one["how"] == "call":
        return getattr(client, one["operation"])(**one["params"])
    paginator = client.get_paginator(one["operation"])
    if one["how"] == "pages":
        return list(paginator.paginate(**one["params"]))
    pages = paginator.paginate(**one["params"])
    found = []
    for page in pages:
        found += pages.result_keys[0].search(page) or []
    return found


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        listings = json.load(file)
    clients, answers = {}, {}
    for one in listings:
        if one.get("only", sys.argv[2]) != sys.argv[2]:
            continue
        client = clients.get(one["service"])
        if not client:
            client = clients[one["service"]] = boto3.client(one["service"])
        try:
            answers[one["name"]] = plain(ask(client, one))
        except botocore.exceptions.ClientError as error:
            answers[one["name"]] = {"$error": error.response["Error"]["Code"]}
    json.dump(answers, sys.stdout)


main()
