#!/usr/bin/env python3
"""protocols_prepare.py UNIT FOLDER: botocore's protocol suites as vectors_aws_protocols reads them.

A suite becomes FOLDER/NAME.pack, where each case is a service of its own (its model is in the suite), and FOLDER/NAME.jsonl.
What botocore's own runner levels before it compares is levelled here in what is expected; bodies of answers are in base64.
"""

import base64
import copy
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "aws"))
import generate  # noqa: E402
from shapes import members_of  # noqa: E402
import shapes as table_shapes  # noqa: E402

TIME = b"YYYY-MM-DDTHH:MM:SS.000Z", b"2030-01-31T12:30:59.000Z"  # botocore's runner does not read times
LEFT_OUT_BY_BOTOCORE = ("s3-get-bucket-location.xml", "cloudformation-get-template.xml")


def encoded(body):
    return base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode()


class Suite:
    """Cases and the models that they need."""

    def __init__(self):
        self.models = {}
        self.cases = []

    def add(self, case, service=None):
        if service:
            self.models[case["service"]] = generate.Model(case["service"], service)
        self.cases.append(case)

    def write(self, folder, name):
        table = generate.build(list(self.models.values()), source="vectors")
        (folder / f"{name}.pack").write_bytes(table)
        lines = (json.dumps(case, ensure_ascii=True) for case in self.cases)
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))


# ---- suites of requests and answers ----

def levelled(shapes):
    """As real models are: only members have a place, what has keys is a map."""
    shapes = copy.deepcopy(shapes)
    for shape in shapes.values():
        if "key" in shape:
            shape["type"] = "map"
        for member in shape.get("members", {}).values():
            if "location" in shapes[member["shape"]]:
                member.setdefault("location", shapes[member["shape"]]["location"])
    return shapes


def service_of(suite, case, operation):
    metadata = {"apiVersion": "", "endpointPrefix": "service", "serviceId": "Service", "jsonVersion": "1.1",
                "targetPrefix": "", **suite["metadata"]}
    given = copy.deepcopy(case["given"])
    given.setdefault("name", operation)
    given["http"] = {"method": "POST", "requestUri": "/", **given.get("http", {})}
    shapes = levelled(suite["shapes"])
    if "payload" in given.get("input", {}):  # a trait of the shape
        shapes[given["input"]["shape"]]["payload"] = given["input"]["payload"]
    return {"metadata": metadata, "shapes": shapes, "operations": {operation: given}}


def request_expected(suite, case):
    protocol, wanted = suite["metadata"]["protocol"], copy.deepcopy(case["serialized"])
    headers = wanted.get("headers", {})
    shape = suite["shapes"].get(case["given"].get("input", {}).get("shape"), {})
    for member in shape.get("members", {}).values():
        name, element = member.get("locationName"), suite["shapes"][member["shape"]].get("member", {}).get("shape")
        if member.get("location") == "header" and element and name in headers:
            headers[name] = headers[name].replace(", ", ",")
            if suite["shapes"][element]["type"] == "timestamp":
                wanted.setdefault("times", []).append(name)
    kind = headers.get("Content-Type", "")
    if protocol in ("query", "ec2") and kind and "charset=utf-8" not in kind:
        headers["Content-Type"] = f"{kind}; charset=utf-8"
    elif protocol == "rest-xml" or (protocol == "rest-json" and kind != "application/json"):
        headers.pop("Content-Type", None)
    wanted["headers"] = headers
    wanted["endpoint"] = suite.get("clientEndpoint", "")
    return wanted


def answer_expected(case):
    return {"error": case["error"], "code": case.get("errorCode", ""), "message": case.get("errorMessage", "")} \
        if "error" in case else {"result": case["result"]}


def answer_given(suite, case, service, operation):
    answer, protocol = case["response"], suite["metadata"]["protocol"]
    output = service["operations"][operation].get("output")
    if protocol == "query" and output and suite["shapes"][output["shape"]].get("members"):
        output["resultWrapper"] = f"{operation}Result"
    body = answer.get("body", "<xml/>" if protocol == "query" and "body" not in answer else "").encode()
    if any(shape.get("eventstream") for shape in suite["shapes"].values()):
        body = base64.b64decode(body)
    return {"status": answer.get("status_code", 200), "headers": answer.get("headers", {}), "body": encoded(body)}


def ignored(listed, protocol, direction, suite, case):
    lists = (listed.get("general", {}).get(direction, {}), listed["protocols"].get(protocol, {}).get(direction, {}))
    return any(suite["description"] in entry.get("suites", ()) or case.get("id") in entry.get("cases", ())
               for entry in lists)


def prepare(path, direction, listed):
    result = Suite()
    for number, suite in enumerate(json.loads(path.read_text())):
        for index, case in enumerate(suite["cases"]):
            operation = case["given"].get("name", "OperationName")
            name = f"c{number:03}-{index:03}"
            line = {"id": case.get("id", f"{suite['description']} ({number}:{index})"), "service": name,
                    "operation": operation, "direction": direction}
            if ignored(listed, path.stem, direction, suite, case):
                result.add({**line, "skip": "botocore lists it as failing"})
                continue
            service = service_of(suite, case, operation)
            if direction == "input":
                line |= {"params": case.get("params", {}), "expected": request_expected(suite, case)}
            else:
                line |= {"answer": answer_given(suite, case, service, operation), "expected": answer_expected(case)}
            result.add(line, service)
    return result


# ---- recorded answers ----

def reached(shapes, names):
    """The shapes that these lead to, and all exceptions."""
    found, left = {}, [*names, *(name for name, shape in shapes.items() if shape.get("exception"))]
    while left:
        name = left.pop()
        if name not in found:
            found[name] = shapes[name]
            left += [member["shape"] for _, member in members_of(shapes[name])]
    return found


def recorded(unit):
    import botocore.loaders

    loader, result, services = botocore.loaders.Loader(include_default_search_paths=True), Suite(), {}
    paths = sorted([*unit.glob("xml/responses/*.xml"), *unit.glob("xml/errors/*.xml"), *unit.glob("json/errors/*.json")])
    for path in paths:
        name, _, snake = path.stem.partition("-")
        snake = snake.partition("#")[0].replace("-", "_")
        service = services.setdefault(name, loader.load_service_model(name, "service-2"))
        operation = next(each for each in service["operations"] if generate.xform_name(each) == snake)
        line = {"id": path.name, "service": name, "operation": operation, "direction": "recorded"}
        if path.name in LEFT_OUT_BY_BOTOCORE:
            result.add({**line, "skip": "botocore's own test leaves it out"})
            continue
        body, headers = path.read_bytes().replace(*TIME), {}
        if b"__headers__" in body:
            loaded = json.loads(body)
            headers = loaded.pop("__headers__")
            body = json.dumps(loaded).encode()
        wanted = path.parent.parent / "expected" / path.name if path.suffix == ".json" else path.with_suffix(".json")
        line["answer"] = {"status": 400 if path.parent.name == "errors" else 200, "headers": headers, "body": encoded(body)}
        line["expected"] = json.loads(wanted.read_text().replace(*map(bytes.decode, TIME)))
        result.add(line)
    for name, service in services.items():
        used = {case["operation"] for case in result.cases if case["service"] == name}
        operations = {key: value for key, value in service["operations"].items() if key in used}
        tops = [operation[word]["shape"] for operation in operations.values() for word in ("input", "output")
                if word in operation]
        pruned = {**service, "operations": operations, "shapes": reached(service["shapes"], tops)}
        result.models[name] = generate.Model(name, pruned)
    return result


def main():
    unit, folder = map(pathlib.Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    listed = json.loads((unit / "protocols" / "protocol-tests-ignore-list.json").read_text())
    for direction in ("input", "output"):
        for group in ("", "legacy/"):
            for path in sorted((unit / "protocols" / group / direction).glob("*.json")):
                if "cbor" not in path.stem:
                    name = f"{'legacy-' if group else ''}{direction}-{path.stem}"
                    prepare(path, direction, listed).write(folder, name)
    recorded(unit / "response_parsing").write(folder, "recorded")


main()
