"""Inputs and answers made from botocore's models, the same ones for the same seed."""
import base64
import datetime
import json
import random
import struct
import zlib
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

UTC = datetime.timezone.utc
WORDS = ["plain", "two words", "Grüße", "東京", "emoji 🎮", "a&b<c>\"d'", "per%cent", "plus+sign", "sla/sh", "semi;colon=1",
         "tab\there", "line\nbreak", "x" * 300, "~tilde*star", "comma, then", "null", "true", "0", "-1.5", "\u00a0nbsp", "\\back"]
HEADER_WORDS = ["plain", "two words", "a  b", "x" * 200, "semi;colon=1", "~tilde*star", "12"]
TIMES = [datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), datetime.datetime(1999, 12, 31, 23, 59, 59, 123000, tzinfo=UTC),
         datetime.datetime(1970, 1, 1, tzinfo=UTC), datetime.datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)]
INTEGERS = [0, 1, -1, 42, 2147483647]
LONGS = [0, 1, 2**53 + 1, -(2**53) - 1, 2**63 - 1]
REALS = [0.0, 0.5, -1.25, 3.0, 0.1, 123456.789, 1e20, 1e-7]
BLOBS = [b"", b"bytes", bytes(range(256)), "Grüße".encode()]

# What is never generated, and why.
LEFT_OUT = {
    ("s3", "ContentLength"): "another length than the body's",
    ("events", "EndpointId"): "needs SigV4A, which both lack",
    ("lambda", "ContentLength"): "another length than the body's",
    ("s3", "TopicConfigurationDeprecated.Events"): "on the wire as Event, which botocore then reads as nonsense",
    ("s3", "QueueConfigurationDeprecated.Events"): "the same",
    ("s3", "CloudFunctionConfiguration.Events"): "the same",
}
# Members whose values mean something before they are sent.
FIXED = {
    ("s3", "Bucket"): ["plain-bucket", "with.points", "Upper_Case"],
    ("s3", "ChecksumAlgorithm"): ["CRC32", "SHA1", "SHA256"],
    ("s3", "CopySource"): ["from/a key", "from/k?versionId=v+1", "from/Grüße/x"],
    ("s3", "ChecksumMode"): ["ENABLED"],
    ("ec2", "Output"): [base64.b64encode("Konsole: grün\n".encode()).decode()],
}
HOST_WORDS = ["plain", "a-1"]


class Values:
    """Values of shapes. style: "least" (what is required, empty where that is allowed), "all", "some"."""

    def __init__(self, seed, service):
        self.random = random.Random(seed)
        self.service = service
        self.inside = frozenset()   # names of the structures around
        self.left = 0               # structures that may still be made

    def input(self, operation, style):
        shape = operation.input_shape
        if shape is None:
            return {}
        self.left = 400
        return self.structure(shape, style, 0, ())

    def members_of(self, shape, style, depth):
        for name, member in shape.members.items():
            if (self.service, name) in LEFT_OUT or (self.service, f"{shape.name}.{name}") in LEFT_OUT or \
               (member.metadata.get("document") and style == "least"):
                continue
            if member.serialization.get("eventstream") or member.metadata.get("eventstream"):
                continue
            if name in shape.required_members:
                yield name, member
            elif style == "all" and depth < 4 and self.left > 0:
                yield name, member
            elif style == "some" and depth < 5 and self.left > 0 and self.random.random() < 0.4:
                yield name, member

    def structure(self, shape, style, depth, path):
        self.left -= 1
        members = list(self.members_of(shape, style, depth))
        if getattr(shape, "is_tagged_union", False):
            known = [(n, m) for n, m in shape.members.items() if not m.metadata.get("eventstream")]
            ends = [one for one in known if not self.inside.intersection(self.reached(one[1]))]
            members = [one for one in members if depth < 5 or one in ends]
            members = [self.random.choice(members or ends or known)]
        outside, self.inside = self.inside, self.inside | {shape.name}
        out = {name: self.value(member, style, depth + 1, path + (name,)) for name, member in members}
        self.inside = outside
        return out

    @staticmethod
    def reached(shape):
        """The names of a shape and of what its required members lead to at once."""
        names = {shape.name}
        while shape.type_name in ("list", "map"):
            shape = shape.member if shape.type_name == "list" else shape.value
            names.add(shape.name)
        if shape.type_name == "structure":
            names.update(m.name for n, m in shape.members.items() if n in shape.required_members)
        return names

    def value(self, shape, style, depth, path):
        kind = shape.type_name
        low = shape.metadata.get("min")
        high = shape.metadata.get("max")
        if (self.service, path[-1]) in FIXED and kind == "string":
            return self.random.choice(FIXED[self.service, path[-1]])
        if kind == "structure":
            if shape.metadata.get("document"):
                return {"a": [1, "two", None, True], "b": {"c": 0.5}}
            return self.structure(shape, style, depth, path)
        if kind == "list":
            count = int(low or 0) if style == "least" else max(int(low or 0), self.random.choice([1, 2, 3]))
            if depth > 6 and not low:
                count = 0
            if high is not None:
                count = min(count, int(high))
            return [self.value(shape.member, style, depth + 1, path) for _ in range(count)]
        if kind == "map":
            count = int(low or 0) if style == "least" else max(int(low or 0), self.random.choice([1, 2]))
            if depth > 6 and not low:
                count = 0
            out = {}
            for i in range(count):
                if shape.key.enum:
                    key = shape.key.enum[i % len(shape.key.enum)]
                else:
                    key = self.key(shape, i)
                if shape.serialization.get("location") == "headers":
                    out[key] = self.random.choice(HEADER_WORDS)
                else:
                    out[key] = self.value(shape.value, style, depth + 1, path)
            return out
        return self.scalar(shape, kind, low, high, style, path)

    def key(self, shape, index):
        if shape.serialization.get("location") == "headers":
            return f"key-{index}"
        low, high = int(shape.key.metadata.get("min") or 1), int(shape.key.metadata.get("max") or 1 << 20)
        word = self.random.choice(["key", "Schlüssel", "k y", "a.b"]) + str(index)
        return word.ljust(low, "k")[:high]

    def scalar(self, shape, kind, low, high, style, path):
        if kind in ("string", "character"):
            return self.string(shape, low, high, style)
        if kind == "blob":
            blob = b"" if style == "least" and not low else self.random.choice(BLOBS)
            return (blob * (1 + int(low or 0)) + b"b" * int(low or 0))[:int(high) if high else None]
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind == "timestamp":
            return self.random.choice(TIMES)
        if kind in ("integer", "long"):
            number = self.random.choice(INTEGERS if kind == "integer" else LONGS)
        else:
            number = self.random.choice(REALS)
        if low is not None and number < low:
            number = type(number)(low)
        if high is not None and number > high:
            number = type(number)(high)
        return number

    def string(self, shape, low, high, style):
        where = shape.serialization.get("location")
        if shape.enum:
            text = self.random.choice(shape.enum)
            return text
        if shape.serialization.get("hostLabel"):
            words = HOST_WORDS
        elif where in ("header", "headers"):
            words = HEADER_WORDS
        else:
            words = WORDS
        named = where == "uri" or shape.serialization.get("hostLabel")
        text = "" if style == "least" and not low and not named else self.random.choice(words)
        if shape.serialization.get("jsonvalue") and where == "header":
            return {"json": [1, "zwei"]}
        text = text.ljust(int(low or 0), "x")
        if high is not None:
            text = text[:int(high)]
        return text.rstrip() if where in ("header", "headers") else text


def inside(value):
    """As the driver reads it."""
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return iso(value)
    if isinstance(value, dict):
        return {k: inside(v) for k, v in value.items()}
    if isinstance(value, list):
        return [inside(v) for v in value]
    return value


def iso(value):
    value = value.astimezone(UTC)
    text = value.strftime("%Y-%m-%dT%H:%M:%S")
    if value.microsecond:
        text += (".%06d" % value.microsecond).rstrip("0")
    return text + "Z"


# ---- answers ----

def timestamp_text(shape, value, default):
    kind = shape.serialization.get("timestampFormat", default).lower()
    if kind == "iso8601":
        return iso(value)
    if kind == "rfc822":
        return format_datetime(value.replace(microsecond=0), usegmt=True)
    seconds = value.timestamp()
    return int(seconds) if seconds == int(seconds) else seconds


def text_of(shape, value, default_time):
    kind = shape.type_name
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return str(timestamp_text(shape, value, default_time))
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind in ("float", "double"):
        return repr(float(value))
    return str(value)


def json_of(shape, value):
    kind = shape.type_name
    if kind == "structure" and not shape.metadata.get("document"):
        return {shape.members[n].serialization.get("name", n): json_of(shape.members[n], v) for n, v in value.items()
                if "location" not in shape.members[n].serialization}
    if kind == "list":
        return [json_of(shape.member, v) for v in value]
    if kind == "map":
        return {k: json_of(shape.value, v) for k, v in value.items()}
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind == "timestamp":
        return timestamp_text(shape, value, "unixtimestamp")
    return value


def xml_members(shape, value):
    out = []
    for name, item in value.items():
        member = shape.members[name]
        where = member.serialization
        if "location" in where or where.get("xmlAttribute"):
            continue
        wire = where.get("name", name)
        if member.type_name == "list" and where.get("flattened"):
            wire = member.member.serialization.get("name", wire)
            out += [xml_element(member.member, wire, one) for one in item]
        elif member.type_name == "map" and where.get("flattened"):
            out += [f"<{wire}>{xml_entry(member, k, v)}</{wire}>" for k, v in item.items()]
        else:
            out.append(xml_element(member, wire, item))
    return "".join(out)


def xml_entry(shape, key, value):
    return (xml_element(shape.key, shape.key.serialization.get("name", "key"), key)
            + xml_element(shape.value, shape.value.serialization.get("name", "value"), value))


def xml_element(shape, name, value, namespace=""):
    attributes = f' xmlns="{namespace}"' if namespace else ""
    kind = shape.type_name
    if kind == "structure":
        for member_name, item in value.items():
            where = shape.members[member_name].serialization
            if where.get("xmlAttribute"):
                prefix = where["name"].split(":")[0]
                attributes += f' xmlns:{prefix}="http://www.w3.org/2001/XMLSchema-instance" {where["name"]}={quoteattr(item)}'
        inner = xml_members(shape, value)
    elif kind == "list":
        wire = shape.member.serialization.get("name", "member")
        inner = "".join(xml_element(shape.member, wire, one) for one in value)
    elif kind == "map":
        inner = "".join(f"<entry>{xml_entry(shape, k, v)}</entry>" for k, v in value.items())
    else:
        inner = escape(text_of(shape, value, "iso8601"), {"\r": "&#13;"})
    return f"<{name}{attributes}>{inner}</{name}>"


def frame(headers, payload):
    """A message of application/vnd.amazon.eventstream; its headers are texts."""
    packed = b"".join(bytes([len(k)]) + k.encode() + b"\x07" + struct.pack(">H", len(v.encode())) + v.encode()
                      for k, v in headers.items())
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event_frame(name, shape, value, xml):
    headers = {":message-type": "event", ":event-type": name}
    payload, kind = b"", "application/octet-stream"
    inner = {n: v for n, v in value.items() if not shape.members[n].serialization.get("eventheader")}
    for n, v in value.items():
        if shape.members[n].serialization.get("eventheader") and isinstance(v, str):
            headers[n] = v
    for n, v in inner.items():
        member = shape.members[n]
        if member.serialization.get("eventpayload"):
            if member.type_name == "blob":
                return frame({**headers, ":content-type": kind}, v)
            payload = xml_element(member, n, v).encode() if xml else json.dumps(json_of(member, v)).encode()
            return frame({**headers, ":content-type": "text/xml" if xml else "application/json"}, payload)
    payload = xml_element(shape, name, inner).encode() if xml else json.dumps(json_of(shape, inner)).encode()
    return frame({**headers, ":content-type": "text/xml" if xml else "application/json"}, payload)


class Answers:
    """HTTP answers (status, headers, body) of a service's protocol."""

    def __init__(self, model, protocol, values):
        self.model, self.protocol, self.values = model, protocol, values

    def headers(self, kind):
        return [("x-amzn-RequestId", "request-1"), ("Content-Type", kind)]

    def around(self, shape, value, headers):
        """What a rest protocol's output has outside of the body; returns the status."""
        status = 200
        for name, item in value.items():
            member = shape.members[name]
            where = member.serialization.get("location")
            wire = member.serialization.get("name", name)
            if where == "statusCode":
                status = 200
            elif where == "headers":
                headers += [(wire + k, str(v)) for k, v in item.items()]
            elif where == "header" and member.serialization.get("jsonvalue"):
                headers.append((wire, base64.b64encode(json.dumps(item).encode()).decode()))
            elif where == "header" and member.type_name == "list":
                headers.append((wire, ",".join(text_of(member.member, v, "rfc822") for v in item)))
            elif where == "header":
                headers[:] = [h for h in headers if h[0].lower() != wire.lower()]
                headers.append((wire, text_of(member, item, "rfc822")))
        return status

    def stream(self, operation, shape, style):
        """All that the answer is, as events; each kind once."""
        member = operation.get_event_stream_output()
        xml = self.protocol == "rest-xml"
        frames = []
        if self.protocol == "json":
            frames.append(frame({":message-type": "event", ":event-type": "initial-response",
                                 ":content-type": "application/x-amz-json-1.1"}, b"{}"))
        for name, event in member.members.items():
            if not event.metadata.get("exception"):
                frames.append(event_frame(name, event, self.values.structure(event, style, 2, ()), xml))
        return 200, self.headers("application/vnd.amazon.eventstream"), b"".join(frames)

    def success(self, operation, style):
        shape = operation.output_shape
        self.values.left = 300
        if operation.has_event_stream_output:
            return self.stream(operation, shape, style)
        value = {} if shape is None else self.values.structure(shape, style, 0, ())
        if self.protocol == "json":
            return 200, self.headers("application/x-amz-json-1.1"), json.dumps(json_of(shape, value) if shape else {}).encode()
        if self.protocol in ("query", "ec2"):
            return 200, [("Content-Type", "text/xml")], self.query(operation, shape, value)
        status, headers, body = self.rest(operation, shape, value)
        if operation.http_checksum.get("responseAlgorithms"):
            headers = [h for h in headers if not h[0].lower().startswith("x-amz-checksum-")]
            headers.append(("x-amz-checksum-crc32", base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()))
        return status, headers, body

    def query(self, operation, shape, value):
        members = xml_members(shape, value) if shape else ""
        namespace = self.model.metadata.get("xmlNamespace", "urn:x")
        name = operation.name
        if self.protocol == "ec2":
            return f'<{name}Response xmlns="{namespace}"><requestId>request-1</requestId>{members}</{name}Response>'.encode()
        wrapper = shape.serialization.get("resultWrapper") if shape else None
        inner = f"<{wrapper}>{members}</{wrapper}>" if wrapper else members
        return (f'<?xml version="1.0"?><{name}Response xmlns="{namespace}">{inner}<ResponseMetadata><RequestId>request-1'
                f"</RequestId></ResponseMetadata></{name}Response>").encode()

    def rest(self, operation, shape, value):
        xml = self.protocol == "rest-xml"
        headers = self.headers("application/xml" if xml else "application/json")
        if shape is None:
            return 200, headers, b""
        status = self.around(shape, value, headers)
        payload = shape.serialization.get("payload")
        if not payload:
            body = xml_element_body(operation, shape, value) if xml else json.dumps(json_of(shape, value)).encode()
            return status, headers, body
        member = shape.members[payload]
        item = value.get(payload)
        if item is None:
            return status, headers, b""
        if member.type_name in ("blob", "string"):
            return status, headers, item if isinstance(item, bytes) else item.encode()
        if xml:
            return status, headers, xml_element(member, member.serialization.get("name", payload), item).encode()
        return status, headers, json.dumps(json_of(member, item)).encode()

    def error(self, operation, index):
        """A modelled error, in turn with one that no model knows."""
        shapes = operation.error_shapes
        shape = shapes[index % len(shapes)] if shapes else None
        code, status, value = "SomethingElse", 400, {}
        if shape is not None and index % 3 != 2:
            error = shape.metadata.get("error", {})
            code = error.get("code", shape.name)
            status = error.get("httpStatusCode", 400)
            self.values.left = 30
            value = self.values.structure(shape, "some", 0, ())
        message = "Es ging schief: 100% <nicht> da"
        headers = self.headers("")[:1]
        if self.protocol in ("json", "rest-json"):
            body = {k: v for k, v in (json_of(shape, value) if value else {}).items() if k.lower() != "message"}
            if self.protocol == "json":
                body["__type"] = "com.amazonaws.x#" + (shape.name if code != "SomethingElse" else code)
                if self.model.metadata.get("awsQueryCompatible") is not None:
                    headers.append(("x-amzn-query-error", f"{code};Sender"))
            else:
                headers.append(("x-amzn-ErrorType", f"{code}:http://internal.example/"))
            body["message"] = message
            return status, headers + [("Content-Type", "application/json")], json.dumps(body).encode()
        inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
        if self.protocol == "ec2":
            body = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>request-1</RequestID></Response>"
        elif self.protocol == "rest-xml" and self.values.service == "s3":
            body = f"<Error>{inner}<RequestId>request-1</RequestId><HostId>host</HostId></Error>"
            headers = [("x-amz-request-id", "request-1"), ("x-amz-id-2", "host")]
        else:
            body = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>request-1</RequestId></ErrorResponse>"
        return status, headers + [("Content-Type", "text/xml")], body.encode()


def xml_element_body(operation, shape, value):
    inside_body = [n for n in value if "location" not in shape.members[n].serialization]
    if not any("location" not in m.serialization for m in shape.members.values()):
        return b""
    return xml_element(shape, operation.name + "Result", {n: value[n] for n in inside_body}).encode()
