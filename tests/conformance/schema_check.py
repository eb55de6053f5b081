#!/usr/bin/env python3
"""The simulated API server's tables of types (lua/sandbox/schema_*.lua) against a live server's /openapi/v2.

usage: schema_check.py --kubeconfig FILE

From every kind down: names of fields, their types, how lists and maps merge (x-kubernetes-list-type, -list-map-keys,
-map-type) and by which key a strategic patch does (-patch-merge-key, -patch-strategy). A difference is a line; the exit
is 0 when there is none.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = os.path.join(HERE, "..", "..", "lua", "sandbox", "schema_*.lua")
SCALARS = {"str": "string", "int": "integer", "real": "number", "bool": "boolean", "bytes": "string", "time": "string",
           "quantity": "string", "intstr": "string"}


def tables():
    """File -> name of type -> its notation; shared types are found in any file."""
    out = {}
    for path in sorted(glob.glob(TABLES)):
        with open(path, encoding="utf-8") as file:
            name = re.search(r"schema_(\w+)\.lua", path).group(1)
            out[name] = dict(re.findall(r"^  (\w+) = \[\[(.*?)\]\]", file.read(), re.S | re.M))
    return out


class Field:
    """`name! *type flags`, schema_meta.lua."""

    def __init__(self, text):
        words = text.split()
        self.name, flags = words[0].rstrip("!"), words[2:]
        self.type = words[1].lstrip("*")
        self.atomic = "atomic" in flags
        self.patch = next((flag[len("patch:"):] for flag in flags if flag.startswith("patch:")), None)


class Check:
    def __init__(self, definitions):
        self.tables, self.definitions = tables(), definitions
        self.seen, self.fields, self.found = set(), 0, []

    def say(self, where, text):
        self.found.append("%s: %s" % (where, text))

    def notation(self, file, name):
        for key in [file] + list(self.tables):
            if name in self.tables[key]:
                return key, self.tables[key][name]
        sys.exit("no type %s in the schema tables" % name)

    def resolve(self, schema):
        """A definition behind a $ref, with what stands beside it."""
        if "$ref" not in schema:
            return schema
        return {**self.definitions[schema["$ref"].split("/")[-1]], **{k: v for k, v in schema.items() if k != "$ref"}}

    def struct(self, where, file, name, schema):
        target = self.resolve(schema)
        key = (name, schema.get("$ref") or where)
        if key in self.seen:
            return
        self.seen.add(key)
        file, text = self.notation(file, name)
        parts = [part.strip() for part in text.split(";") if part.strip()]
        fields = {field.name: field for field in (Field(part) for part in parts if not part.startswith("@"))}
        own = self.definitions[schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
        if ("@atomic" in parts) != (own.get("x-kubernetes-map-type") == "atomic"):
            self.say(name, "map type is %s" % own.get("x-kubernetes-map-type", "granular"))
        theirs = target.get("properties", {})
        for missing in sorted(set(theirs) - set(fields) - ({"apiVersion", "kind"} if "@kind" in parts else set())):
            self.say(name, "no field %s" % missing)
        for extra in sorted(set(fields) - set(theirs)):
            self.say(name, "field %s is not the server's" % extra)
        for field in sorted(set(fields) & set(theirs)):
            self.fields += 1
            self.value(name + "." + field, file, fields[field], fields[field].type, theirs[field])

    def value(self, where, file, field, kind, schema):
        target = self.resolve(schema)
        if kind == "any":
            return
        if kind.startswith("["):
            self.list(where, file, field, kind, target)
        elif kind.startswith("{"):
            self.map(where, file, kind, target)
        elif kind in SCALARS:
            if target.get("type") != SCALARS[kind]:
                self.say(where, "is %s, not %s" % (target.get("type", "an object"), kind))
        elif "type" not in target:  # one of several: the document leaves it open
            return
        elif target["type"] != "object":
            self.say(where, "is %s, not %s" % (target.get("type"), kind))
        else:
            if field and field.atomic != (schema.get("x-kubernetes-map-type") == "atomic"):
                self.say(where, "map type is %s" % schema.get("x-kubernetes-map-type", "granular"))
            self.struct(where, file, kind, schema)

    def map(self, where, file, kind, schema):
        if "additionalProperties" not in schema:
            if schema.get("properties"):
                self.say(where, "is an object with fields, not %s" % kind)
            return
        if kind.startswith("{=}") != (schema.get("x-kubernetes-map-type") == "atomic"):
            self.say(where, "map type is %s" % schema.get("x-kubernetes-map-type", "granular"))
        self.value(where, file, None, kind[kind.index("}") + 1:], schema["additionalProperties"])

    def list(self, where, file, field, kind, schema):
        if schema.get("type") != "array":
            self.say(where, "is %s, not %s" % (schema.get("type", "an object"), kind))
            return
        inside, element = kind[1:kind.index("]")], kind[kind.index("]") + 1:]
        theirs = {"set": "set", "map": ",".join(schema.get("x-kubernetes-list-map-keys", []))}.get(
            schema.get("x-kubernetes-list-type"), "")
        if inside != theirs:
            self.say(where, "list type is [%s], not [%s]" % (theirs, inside))
        if field:
            self.patch(where, field, inside, schema)
        self.value(where, file, None, element, schema["items"])

    def patch(self, where, field, inside, schema):
        """How kube_patch.c merges the list, against the server's strategy."""
        merges = "merge" in schema.get("x-kubernetes-patch-strategy", "").split(",")
        theirs = schema.get("x-kubernetes-patch-merge-key", "set") if merges else "replace"
        ours = inside.split(",")[0] or "replace"
        if field.patch and field.patch != "retainKeys":
            ours = field.patch
        if ours != theirs:
            self.say(where, "a strategic patch merges by %s, not %s" % (theirs, ours))

    def kinds(self):
        """Every type marked @kind, by the definition of that kind; versions other than the table's own are no matter."""
        by_kind = {}
        for name, definition in self.definitions.items():
            for entry in definition.get("x-kubernetes-group-version-kind", []):
                if name.endswith("." + entry["kind"]) and re.fullmatch(r"v\d+", entry["version"]):
                    by_kind.setdefault(entry["kind"], []).append((int(entry["version"][1:]), name))
        for file, types in self.tables.items():
            for name, text in types.items():
                if not text.strip().startswith("@kind"):
                    continue
                if name not in by_kind:
                    self.say(name, "the server has no such kind")
                    continue
                newest = max(version for version, _ in by_kind[name])
                for version, definition in by_kind[name]:
                    if version == newest and not (name == "Event" and ".events." in definition):
                        self.struct(name, file, name, {"$ref": "#/definitions/" + definition})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    args = parser.parse_args()
    text = subprocess.check_output(["kubectl", "--kubeconfig", args.kubeconfig, "get", "--raw", "/openapi/v2"])
    check = Check(json.loads(text)["definitions"])
    check.kinds()
    for line in sorted(set(check.found)):
        print(line)
    print("%d differences in %d types with %d fields" % (len(set(check.found)), len(check.seen), check.fields))
    return 1 if check.found else 0


if __name__ == "__main__":
    sys.exit(main())
