"""Shapes and members of all services: what is equal is there once, whatever its name."""

import json
import struct

from rows import Lists, Rows

TYPES = ("structure", "list", "map", "string", "blob", "boolean", "integer", "long", "float", "double", "timestamp")
LIKE_STRING = ("character",)
TIMES = {"iso8601": 1, "unixTimestamp": 2, "rfc822": 3}
LOCATIONS = {"uri": 1, "querystring": 2, "header": 3, "headers": 4, "statusCode": 5}
SHAPE_FLAGS = {"flattened": 1, "sensitive": 2, "streaming": 4, "union": 8, "exception": 16, "fault": 32, "retryable": 64,
               "eventstream": 256, "event": 512, "document": 1024, "box": 2048}
RETRY_THROTTLING = 128
MEMBER_FLAGS = {"idempotencyToken": 2, "streaming": 4, "flattened": 8, "xmlAttribute": 16, "hostLabel": 32,
                "eventpayload": 64, "eventheader": 128, "jsonvalue": 256, "deprecated": 512, "box": 1024}
NOWHERE = 0xFFFF


def flags_of(thing, table):
    return sum(bit for word, bit in table.items() if thing.get(word) not in (None, False))


def namespace_of(thing):
    """(uri, prefix)"""
    namespace = thing.get("xmlNamespace", "")
    if isinstance(namespace, str):
        return namespace, ""
    return namespace.get("uri", ""), namespace.get("prefix", "")


def members_of(shape):
    """(name, member) of a structure's members, a list's element, a map's key and value."""
    if shape["type"] == "structure":
        return list(shape.get("members", {}).items())
    return [(word, shape[word]) for word in ("member", "key", "value") if word in shape]


def member_traits(name, member, shape):
    """All of a member but its shape."""
    return (name, name in shape.get("required", ()), member.get("locationName", ""),
            LOCATIONS.get(member.get("location"), 0), TIMES.get(member.get("timestampFormat"), 0),
            flags_of(member, MEMBER_FLAGS), *namespace_of(member), member.get("queryName", ""),
            member.get("contextParam", {}).get("name", ""))


def shape_traits(name, shape, named):
    """All of a shape but its members: what two shapes must have in common to be one."""
    kind = "string" if shape["type"] in LIKE_STRING else shape["type"]
    flags = flags_of(shape, SHAPE_FLAGS)
    if (shape.get("retryable") or {}).get("throttling"):
        flags |= RETRY_THROTTLING
    error = shape.get("error", {})
    exception = shape.get("exception") or "error" in shape
    payload = NOWHERE
    if "payload" in shape:
        payload = list(shape["members"]).index(shape["payload"])
    return (TYPES.index(kind) + 1, flags | (SHAPE_FLAGS["exception"] if exception else 0),
            TIMES.get(shape.get("timestampFormat"), 0), payload, shape.get("min"), shape.get("max"),
            shape.get("locationName", ""), *namespace_of(shape), tuple(shape.get("enum", ())),
            name if exception or named else "",
            error.get("code", name) if exception else "", error.get("httpStatusCode", 0) if exception else 0)


def classes(shapes):
    """A number for each key of shapes, the same for shapes that cannot be told apart by walking them."""
    inner = {key: [(key[0], member["shape"]) for _, member in members_of(shape)] for key, (shape, _) in shapes.items()}
    colour = {key: json.dumps([traits, [member_traits(name, member, shape) for name, member in members_of(shape)]])
              for key, (shape, traits) in shapes.items()}
    count = 0
    while True:
        order = {text: number for number, text in enumerate(sorted(set(colour.values())))}
        numbers = {key: order[text] for key, text in colour.items()}
        if len(order) == count:
            return numbers
        count = len(order)
        colour = {key: f"{number:06}" + "".join(f"{numbers[other]:06}" for other in inner[key])
                  for key, number in numbers.items()}


class Shapes:
    def __init__(self):
        self.rows = Rows("type:4 traits:12 first:16 len:16")
        self.traits = Rows("flags:16 time:8 payload:16 range:16 rare:16")
        self.rare = Rows("wire:t32 namespace:t32 prefix:t32")
        self.ranges = Rows("min:16 max:16")
        self.bounds = Rows("number:64")
        self.named = Rows("shape:16 name:t24 code:t24 status:16")
        self.values = Rows("text:t24")
        self.lists = Lists(counted=False)
        self.members = Rows("name:t20 shape:14 traits:13 required:1")
        self.member_traits = Rows("wire:t24 common:16")
        self.member_common = Rows("location:4 time:4 flags:16 rare:8")
        self.member_rare = Rows("namespace:t32 prefix:t32 query:t32 context:t32")
        self.numbers = {}  # (service, shape name) to a row of rows

    def sections(self):
        return [self.rows, self.traits, self.rare, self.ranges, self.bounds, self.named, self.values, self.lists,
                self.members, self.member_traits, self.member_common, self.member_rare]

    def bound(self, number):
        if number is None:
            return 0
        return self.bounds.intern(struct.unpack("<Q", struct.pack("<d", float(number)))[0]) + 1

    def range_of(self, least, most):
        if least is None and most is None:
            return 0
        return self.ranges.intern(self.bound(least), self.bound(most)) + 1

    def member_row(self, name, member, shape, number):
        traits = member_traits(name, member, shape)
        required, wire, location, time, flags = traits[1:6]
        rare = self.member_rare.intern(*traits[6:]) + 1 if any(traits[6:]) else 0
        common = self.member_common.intern(location, time, flags, rare)
        return self.members.intern(name, number, self.member_traits.intern(wire, common), required)

    def values_at(self, values):
        """Where a run of these values is."""
        if values not in self.value_places:
            self.value_places[values] = len(self.values.list)
            for value in values:
                self.values.append(value)
        return self.value_places[values]

    def add(self, models):
        """models: of (name, shapes, the names of the structures that keep their names)."""
        shapes = {}
        for service, table, named in models:
            for name, shape in table.items():
                shapes[service, name] = shape, shape_traits(name, shape, name in named)
        numbers = classes(shapes)
        first = {}
        for key in sorted(shapes):
            first.setdefault(numbers[key], key)
        order = {number: row for row, number in enumerate(sorted(first))}
        self.numbers = {key: order[number] for key, number in numbers.items()}
        self.value_places = {}
        lists = {}
        for number, (service, name) in sorted(first.items()):
            shape = shapes[service, name][0]
            lists[number] = tuple(self.member_row(n, m, shape, self.numbers[service, m["shape"]])
                                  for n, m in members_of(shape))
        self.lists.add_all(lists.values())
        for number in sorted(first):
            self.shape_row(order[number], shapes[first[number]][1], lists[number])

    def shape_row(self, row, traits, members):
        kind, flags, time, payload, least, most, wire, namespace, prefix, values, name, code, status = traits
        rare = self.rare.intern(wire, namespace, prefix) + 1 if wire or namespace or prefix else 0
        number = self.traits.intern(flags, time, payload, self.range_of(least, most), rare)
        if values:
            self.rows.append(kind, number, self.values_at(values), len(values))
        else:
            self.rows.append(kind, number, self.lists.add(members) if members else 0, len(members))
        if name:
            self.named.append(row, name, code, status)
