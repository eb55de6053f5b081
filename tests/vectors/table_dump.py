"""What botocore's models say of each operation, a fact a line, in the words of engine/aws/model.h; see fetch-table."""

import re

import botocore
import botocore.exceptions
import botocore.loaders

SERVICES = """acm autoscaling cloudformation cloudwatch dynamodb ec2 ecr eks elb elbv2 events iam kms lambda logs pricing
    resourcegroupstaggingapi route53 s3 scheduler secretsmanager service-quotas sns sqs ssm sso sso-oidc sts""".split()
DEPTH = 12

TYPES = dict(structure=1, list=2, map=3, string=4, blob=5, boolean=6, integer=7, long=8, float=9, double=10, timestamp=11)
TIMES = {None: 0, "iso8601": 1, "unixTimestamp": 2, "rfc822": 3}
PLACES = {None: 0, "uri": 1, "querystring": 2, "header": 3, "headers": 4, "statusCode": 5}
PROTOCOLS = {"query": 0, "ec2": 1, "json": 2, "rest-json": 3, "rest-xml": 4}


def out(*facts):
    print("\t".join(str(fact).replace("\n", "|") for fact in facts))


def bits(thing, *words):
    return sum(1 << bit for bit, word in enumerate(words) if word and thing.get(word) not in (None, False))


def namespace(thing):
    found = thing.get("xmlNamespace") or {}
    return [found, ""] if isinstance(found, str) else [found.get("uri", ""), found.get("prefix", "")]


def bound(number):
    return "-" if number is None else format(float(number), ".17g")


def shape_facts(name, shape):
    flags = bits(shape, "flattened", "sensitive", "streaming", "union", "exception", "fault", "retryable", None,
                 "eventstream", "event", "document", "box")
    if (shape.get("retryable") or {}).get("throttling"):
        flags += 128
    error = shape.get("error", {})
    exception = shape.get("exception") or error
    return [TYPES[shape["type"]], flags | (16 if exception else 0), TIMES[shape.get("timestampFormat")],
            bound(shape.get("min")), bound(shape.get("max")), shape.get("locationName", ""), *namespace(shape),
            shape.get("payload", ""), ",".join(shape.get("enum", ())),
            error.get("code", name) if exception else "", error.get("httpStatusCode", 0) if exception else 0]


def member_facts(name, member, shape, target):
    flags = bits(member, None, "idempotencyToken", "streaming", "flattened", "xmlAttribute", "hostLabel", "eventpayload",
                 "eventheader", "jsonvalue", "deprecated", "box")
    return [name, member.get("locationName", ""), PLACES[member.get("location")],
            flags + (name in shape.get("required", ()) and shape["type"] == "structure"),
            TIMES[member.get("timestampFormat", target.get("timestampFormat"))], *namespace(member),
            member.get("queryName", ""), member.get("contextParam", {}).get("name", "")]


def dump_shape(shapes, name, depth=0):
    shape = shapes[name]
    out(depth, *shape_facts(name, shape))
    if depth == DEPTH:
        return
    if shape["type"] == "structure":
        members = shape.get("members", {}).items()
    else:
        members = [(word, shape[word]) for word in ("member", "key", "value") if word in shape]
    for inner, member in members:
        out(depth, "member", *member_facts(inner, member, shape, shapes[member["shape"]]))
        dump_shape(shapes, member["shape"], depth + 1)


def operation_flags(operation):
    auth = operation.get("authtype"), operation.get("auth", ())
    return (2 * (auth[0] == "none" or "smithy.api#noAuth" in auth[1])
            + 4 * (auth[0] == "v4-unsigned-body" or bool(operation.get("unsignedPayload")))
            + 8 * bool(operation.get("deprecated")) + 16 * bool(operation.get("endpointdiscovery", {}).get("required"))
            + 32 * ("requestcompression" in operation))


def dump_operation(shapes, operation, page):
    given, answer = operation.get("input") or {}, operation.get("output") or {}
    checksum, http = operation.get("httpChecksum", {}), operation["http"]
    out("operation", operation["name"], botocore.xform_name(operation["name"]), http["method"], http["requestUri"],
        http.get("responseCode", 0), answer.get("resultWrapper", ""), given.get("locationName", ""), namespace(given)[0],
        operation.get("endpoint", {}).get("hostPrefix", ""), checksum.get("requestAlgorithmMember", ""),
        int(checksum.get("requestChecksumRequired", False)), checksum.get("requestValidationModeMember", ""),
        ",".join(checksum.get("responseAlgorithms", ())), operation_flags(operation))
    for name, context in sorted(operation.get("staticContextParams", {}).items()):
        out("context", name, {True: "true", False: "false"}.get(context["value"], f'"{context["value"]}"'))
    for name, context in sorted(operation.get("operationContextParams", {}).items()):
        out("context path", name, context["path"])
    if page:
        words = ("input_token", "output_token", "limit_key", "result_key", "more_results", "non_aggregate_keys")
        values = [page.get(word, "") for word in words]
        out("pages", *[value if isinstance(value, str) else "|".join(value) for value in values])
    for error in operation.get("errors", ()):
        out("error", error["shape"])
        dump_shape(shapes, error["shape"])
    for word, reference in ("input", given), ("output", answer):
        if reference:
            out(word)
            dump_shape(shapes, reference["shape"])


def said_attribute(value, path):
    for name, index in re.findall(r"([^.\[]+)|\[(-?\d+)\]", path):
        value = f'getAttr({value},{index or said_text(name)})'
    return value


def said_text(text):
    return f'"{text}"'


def said(thing):
    """An expression of a rule set, templates and attributes taken apart."""
    if isinstance(thing, bool):
        return str(thing).lower()
    if isinstance(thing, int):
        return str(thing)
    if isinstance(thing, list):
        return f"[{','.join(map(said, thing))}]"
    if isinstance(thing, str):
        parts = []
        for literal, name, path in re.findall(r"([^{}]+)|\{(\w+)(?:#([^}]+))?\}", thing):
            parts.append(said_text(literal) if literal else said_attribute(f"${name}", path))
        return f"t({','.join(parts)})" if "{" in thing else said_text(thing)
    if "ref" in thing:
        return f"${thing['ref']}"
    if thing.get("fn") == "getAttr":
        return said_attribute(said(thing["argv"][0]), thing["argv"][1])
    if "fn" in thing:
        return f"{thing['fn']}({','.join(map(said, thing['argv']))})"
    return "{" + ",".join(f"{said_text(key)},{said(value)}" for key, value in sorted(thing.items())) + "}"


def dump_rules(rules, depth=0):
    for rule in rules:
        conditions = [said(one) + (f"->{one['assign']}" if "assign" in one else "") for one in rule["conditions"]]
        if rule["type"] == "endpoint":
            endpoint = rule["endpoint"]
            facts = [said(endpoint["url"]), said(endpoint.get("properties", {})), said(endpoint.get("headers", {}))]
        else:
            facts = [said(rule["error"])] if rule["type"] == "error" else []
        out("rule", depth, rule["type"], "&".join(conditions), *facts)
        dump_rules(rule.get("rules", ()), depth + 1)


def dump_rule_set(rule_set):
    for name, given in sorted(rule_set["parameters"].items()):
        out("parameter", name, {"string": 0, "boolean": 1, "stringArray": 2}[given["type"]], int(given.get("required", False)),
            given.get("builtIn", ""), said(given["default"]) if "default" in given else "")
    dump_rules(rule_set["rules"])


def load(loader, service, kind):
    try:
        return loader.load_service_model(service, kind)
    except botocore.exceptions.UnknownServiceError:
        return {}


def main():
    loader = botocore.loaders.Loader()
    for name in SERVICES:
        model = loader.load_service_model(name, "service-2")
        pages = load(loader, name, "paginators-1").get("pagination", {})
        waiters = load(loader, name, "waiters-2").get("waiters", {})
        metadata = model["metadata"]
        protocol = next(word for word in metadata["protocols"] if word in PROTOCOLS)
        prefix = metadata["endpointPrefix"]
        out("service", name, metadata["serviceId"], metadata["apiVersion"], prefix, metadata.get("signingName", prefix),
            metadata.get("targetPrefix", ""), metadata.get("jsonVersion", ""), namespace(metadata)[0], PROTOCOLS[protocol],
            int("awsQueryCompatible" in metadata))
        dump_rule_set(loader.load_service_model(name, "endpoint-rule-set-1"))
        for _, operation in sorted(model["operations"].items(), key=lambda item: botocore.xform_name(item[0])):
            dump_operation(model["shapes"], operation, pages.get(operation["name"]))
        for waiter, given in sorted(waiters.items(), key=lambda item: botocore.xform_name(item[0])):
            out("waiter", waiter, botocore.xform_name(waiter), given["operation"], given["delay"], given["maxAttempts"])
            for acceptor in given["acceptors"]:
                expected = acceptor["expected"]
                out("acceptor", acceptor["state"], acceptor["matcher"], acceptor.get("argument", ""),
                    str(expected).lower() if isinstance(expected, (bool, int)) else f'"{expected}"')


main()
