#!/usr/bin/env python3
"""Makes the service table of dosrun's aws room out of botocore's models.

    generate.py [--output engine/aws/table.bin]               the built-in table: the services below
    generate.py --output NAME.pack SERVICE...                 a pack: further services, the same format
    generate.py --check engine/aws/table.bin                  says whether it is what the models say

It needs botocore 1.44.5 (PyPI, Apache-2.0; tests/vectors/botocore.sh FOLDER brings it and says how to use it) and takes no
text of its documentation.
The same botocore gives the same bytes: everything is sorted, nothing has a time. engine/aws/model_rows.h describes the file.

As a library: build([Model(name, service, ...), ...]) gives the bytes for any models, such as those inside test vectors.

rows.py    sections, texts, bit fields        shapes.py   shapes and members, shared by what they are
rules.py   endpoint rule sets, partitions     reads.txt   the operations that change nothing, listed by hand
"""

import argparse
import dataclasses
import json
import pathlib
import sys

import botocore
import botocore.exceptions
import botocore.loaders
from botocore import xform_name

from rows import Rows, pack
from rules import Rules, contexts_of
from shapes import Shapes, namespace_of

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "engine" / "aws" / "table.bin"
BOTOCORE = "1.44.5"
SERVICES = """eks ecr ec2 iam sts elbv2 elb cloudformation autoscaling logs cloudwatch s3 ssm secretsmanager kms events
    scheduler route53 acm sqs sns dynamodb lambda sso sso-oidc pricing service-quotas resourcegroupstaggingapi""".split()

PROTOCOLS = ("query", "ec2", "json", "rest-json", "rest-xml")
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS")
READS, UNSIGNED, UNSIGNED_PAYLOAD, DEPRECATED, DISCOVERY, COMPRESSED = (1 << bit for bit in range(6))
WRAPPED = 64  # the result wrapper follows the operation's names in the pool


class UnsupportedProtocol(ValueError):
    pass


@dataclasses.dataclass
class Model:
    name: str
    service: dict                # service-2
    rule_set: dict = None        # endpoint-rule-set-1
    paginators: dict = None      # paginators-1
    waiters: dict = None         # waiters-2
    reads: frozenset = frozenset()  # names of the operations that change nothing


def protocol_of(metadata):
    for protocol in [*metadata.get("protocols", ()), metadata["protocol"]]:
        if protocol in PROTOCOLS:
            return PROTOCOLS.index(protocol)
    raise UnsupportedProtocol(metadata["protocol"])


def several(value):
    return value if isinstance(value, str) else "\n".join(value)


class Services:
    """Services, operations, waiters, paginators."""

    def __init__(self, shapes, rules):
        self.shapes, self.rules = shapes, rules
        self.rows = Rows("name:t32 id:t32 version:t32 prefix:t32 signing:t32 target:t32 json:t32 namespace:t32 protocol:8 "
                         "compatible:8 errors:16 operations:32 operations_len:32 waiters:32 waiters_len:32 "
                         "parameters:16 parameters_len:16 rules:32")
        self.operations = Rows("names:t24 flags:8 input:16 output:16 errors:16 traits:16")
        self.traits = Rows("uri:t32 method:8 unused:8 status:16 rare:16")
        self.rare = Rows("input_wire:t32 input_namespace:t32 host_prefix:t32 checksum:t32 checksum_mode:t32 "
                         "checksum_responses:t32 checksum_required:16 contexts:16 contexts_len:32")
        self.contexts = Rows("name:t32 text:t32 path:32")
        self.waiters = Rows("names:t32 operation:t32 delay:32 attempts:32 acceptors:32 acceptors_len:32")
        self.acceptors = Rows("state:t32 matcher:t32 argument:t32 expected:t32")
        self.paginated = Rows("operation:16 pages:16")
        self.pages = Rows("input:t24 output:t24 limit:t24 result:t24 more:t24 other:t24")

    def sections(self):
        return [self.rows, self.operations, self.traits, self.rare, self.contexts, self.waiters, self.acceptors,
                self.paginated, self.pages]

    def shape(self, model, reference):
        return self.shapes.numbers[model.name, reference["shape"]] + 1 if reference else 0

    def context_run(self, operation):
        """(first row, length): runs that are there already are taken again."""
        contexts, rows = contexts_of(operation), self.contexts.list
        for at in range(len(rows) - len(contexts) + 1):
            if rows[at:at + len(contexts)] == contexts:
                return at, len(contexts)
        first = len(rows)
        for context in contexts:
            self.contexts.append(*context)
        return first, len(contexts)

    def traits_of(self, operation):
        given = operation.get("input") or {}
        checksum = operation.get("httpChecksum", {})
        required = checksum.get("requestChecksumRequired", operation.get("httpChecksumRequired", False))
        first, count = self.context_run(operation)
        values = (given.get("locationName", ""), namespace_of(given)[0],
                  operation.get("endpoint", {}).get("hostPrefix", ""), checksum.get("requestAlgorithmMember", ""),
                  checksum.get("requestValidationModeMember", ""), ",".join(checksum.get("responseAlgorithms", ())),
                  required, first if count else 0, count)
        rare = self.rare.intern(*values) + 1 if any(values) else 0
        http = operation["http"]
        return self.traits.intern(http["requestUri"], METHODS.index(http["method"]), 0, http.get("responseCode", 0), rare)

    def operation_row(self, model, name, operation):
        flags = READS if name in model.reads else 0
        auth = operation.get("authtype", ""), operation.get("auth", ())
        if auth[0] == "none" or "smithy.api#noAuth" in auth[1]:
            flags |= UNSIGNED
        if auth[0] == "v4-unsigned-body" or operation.get("unsignedPayload"):
            flags |= UNSIGNED_PAYLOAD
        if operation.get("deprecated"):
            flags |= DEPRECATED
        if operation.get("endpointdiscovery", {}).get("required"):
            flags |= DISCOVERY
        if "gzip" in operation.get("requestcompression", {}).get("encodings", ()):
            flags |= COMPRESSED
        wrapper = (operation.get("output") or {}).get("resultWrapper")
        names = (name, xform_name(name), wrapper) if wrapper else (name, xform_name(name))
        errors = [self.shape(model, error) - 1 for error in operation.get("errors", ())]
        return self.operations.append(names, flags | (WRAPPED if wrapper else 0), self.shape(model, operation.get("input")),
                                      self.shape(model, operation.get("output")), self.rules.numbers.add(errors),
                                      self.traits_of(operation))

    def service_errors(self, model):
        """The exceptions of a service: of several with one code the last, as botocore finds them."""
        found = {}
        for name, shape in model.service["shapes"].items():
            if shape.get("exception") or "error" in shape:
                found[shape.get("error", {}).get("code", name)] = self.shape(model, {"shape": name}) - 1
        return self.rules.numbers.add([found[code] for code in sorted(found)])

    def add_operations(self, model):
        first = len(self.operations.list)
        operations = model.service["operations"]
        paginators = (model.paginators or {}).get("pagination", {})
        for name in sorted(operations, key=lambda name: xform_name(name).encode()):
            row = self.operation_row(model, name, operations[name])
            if name in paginators:
                page = paginators[name]
                words = ("input_token", "output_token", "limit_key", "result_key", "more_results", "non_aggregate_keys")
                self.paginated.append(row, self.pages.intern(*[several(page.get(word, "")) for word in words]))
        return first, len(operations)

    def add_waiters(self, model):
        first = len(self.waiters.list)
        waiters = (model.waiters or {}).get("waiters", {})
        for name in sorted(waiters, key=lambda name: xform_name(name).encode()):
            waiter = waiters[name]
            acceptors = len(self.acceptors.list)
            for acceptor in waiter["acceptors"]:
                self.acceptors.append(acceptor["state"], acceptor["matcher"], acceptor.get("argument", ""),
                                      json.dumps(acceptor["expected"]))
            self.waiters.append((name, xform_name(name)), waiter["operation"], waiter["delay"], waiter["maxAttempts"], acceptors,
                                len(waiter["acceptors"]))
        return first, len(waiters)

    def add(self, model):
        metadata = model.service["metadata"]
        prefix = metadata.get("endpointPrefix", "")
        rules = self.rules.add(model.rule_set) if model.rule_set else (0, 0, self.rules.numbers.add(()))
        self.rows.append(model.name, metadata.get("serviceId", ""), metadata.get("apiVersion", ""), prefix,
                         metadata.get("signingName", prefix), metadata.get("targetPrefix", ""),
                         metadata.get("jsonVersion", ""), namespace_of(metadata)[0], protocol_of(metadata),
                         "awsQueryCompatible" in metadata, self.service_errors(model), *self.add_operations(model),
                         *self.add_waiters(model), *rules)


def named(service):
    """The structures whose names the wire may need: roots of XML that nothing else names. Exceptions have theirs anyway."""
    if protocol_of(service["metadata"]) != PROTOCOLS.index("rest-xml"):
        return set()
    shapes = service["shapes"]
    inputs = [operation["input"] for operation in service["operations"].values() if operation.get("input")]
    payloads = [shape["members"][shape["payload"]] for shape in shapes.values() if "payload" in shape]
    return {reference["shape"] for reference in inputs + payloads
            if "locationName" not in reference and has_body(shapes[reference["shape"]])}


def has_body(shape):
    """Whether members of it are elements, not headers and the like."""
    members = shape.get("members", {}).values()
    return "payload" not in shape and any("location" not in member for member in members)


def build_sections(models, partitions=None):
    models = sorted(models, key=lambda model: model.name.encode())
    shapes, rules = Shapes(), Rules()
    services = Services(shapes, rules)
    shapes.add([(model.name, model.service["shapes"], named(model.service)) for model in models])
    if partitions:
        rules.add_partitions(partitions)
    for model in models:
        services.add(model)
    return {"services": services, "shapes": shapes, "rules": rules}


def build(models, partitions=None, source=""):
    """The bytes of a table."""
    parts = build_sections(models, partitions)
    return pack([rows for part in parts.values() for rows in part.sections()], source)


def reads_listed(path=HERE / "reads.txt"):
    """{service: names} of lines such as "eks:DescribeCluster"."""
    found = {}
    for line in path.read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line:
            service, _, name = line.partition(":")
            found.setdefault(service, set()).add(name)
    return found


def load(names):
    """Models of the installed botocore, with its own additions to them, and its partitions."""
    loader = botocore.loaders.Loader()
    reads = reads_listed()

    def optional(name, kind):
        try:
            return loader.load_service_model(name, kind)
        except botocore.exceptions.UnknownServiceError:
            return None

    models = [Model(name, loader.load_service_model(name, "service-2"), optional(name, "endpoint-rule-set-1"),
                    optional(name, "paginators-1"), optional(name, "waiters-2"), frozenset(reads.get(name, ())))
              for name in names]
    for model in models:
        unknown = model.reads - model.service["operations"].keys()
        if unknown:
            raise SystemExit(f"reads.txt: {model.name} has no {', '.join(sorted(unknown))}")
    return models, loader.load_data("partitions"), f"botocore {botocore.__version__}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("services", nargs="*", help="default: those of the built-in table")
    parser.add_argument("--output", type=pathlib.Path, default=TABLE)
    parser.add_argument("--check", type=pathlib.Path, help="compare with this file, write nothing")
    args = parser.parse_args()

    models, partitions, source = load(args.services or SERVICES)
    if not args.services and source != f"botocore {BOTOCORE}":
        raise SystemExit(f"the built-in table is made from botocore {BOTOCORE}, here is {source}")
    table = build(models, partitions, source)
    if args.check:
        same = args.check.read_bytes() == table
        print(f"{args.check}: {'as' if same else 'not what'} {source} says ({len(table)} bytes)")
        return 0 if same else 1
    args.output.write_bytes(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
