"""Endpoint rule sets and partitions: trees to numbered rows, equal subtrees once, what is inside something before it."""

import json
import re

from rows import Lists, Rows

PARAMETERS = {"string": 0, "boolean": 1, "stringarray": 2}
TREE, ENDPOINT, ERROR = range(3)
TEXT, TEMPLATE, BOOLEAN, INTEGER, REFERENCE, CALL, TUPLE, RECORD = range(8)
FUNCTIONS = ("isSet", "not", "getAttr", "stringEquals", "booleanEquals", "substring", "uriEncode", "parseURL",
             "isValidHostLabel", "aws.partition", "aws.parseArn", "aws.isVirtualHostableS3Bucket", "coalesce", "ite",
             "split")
REGEX_WORDS = {r"\-": "-", r"\w": "[A-Za-z0-9_]", r"\d": "[0-9]", r"\.": "[.]"}


def posix(regex):
    """A partition's regular expression as POSIX writes it (extended)."""
    def word(match):
        return REGEX_WORDS[match.group()]
    return re.sub(r"\\.", word, regex)


def pieces(template):
    """"a{b#c}d{{" as [("text", "a"), ("b", "c"), ("text", "d{")], the second kind as a list."""
    out, text, at = [], "", 0
    while at < len(template):
        if template[at:at + 2] in ("{{", "}}"):
            text += template[at]
            at += 2
        elif template[at] == "{":
            end = template.index("}", at)
            if text:
                out.append(text)
            text = ""
            out.append(template[at + 1:end].split("#", 1))
            at = end + 1
        else:
            text += template[at]
            at += 1
    return out + [text] if text or not out else out


class Rules:
    def __init__(self):
        self.rules = Rows("type:16 conditions:16 body:16 properties:16 headers:16")
        self.conditions = Rows("expression:16 assigned:16")
        self.expressions = Rows("type:8 fn:8 args:16 value:32")
        self.expression_texts = Rows("text:t32")
        self.parameters = Rows("variable:16 type:8 required:8 default:16 unused:16 builtin:t32")
        self.variables = Rows("name:t32")
        self.partitions = Rows("name:t32 regex:t32 region:t32 suffix:t32 dual:t32 flags:16 regions:16 len:32")
        self.regions = Rows("name:t32")
        self.numbers = Lists(counted=True)

    def sections(self):
        return [self.rules, self.conditions, self.expressions, self.expression_texts, self.parameters, self.variables,
                self.partitions, self.regions, self.numbers]

    def variable(self, name):
        return self.variables.intern(name)

    def expression(self, kind, fn=0, args=(), value=0):
        return self.expressions.intern(kind, fn, self.numbers.add(args), value)

    def text(self, text):
        return self.expression(TEXT, value=self.expression_texts.intern(text))

    def call(self, name, *args):
        return self.expression(CALL, FUNCTIONS.index(name), args)

    def attribute(self, value, path):
        """"a.b[1]" of a value, a call a step."""
        for part in path.split("."):
            name, index = re.fullmatch(r"([^\[]*)(?:\[(-?\d+)\])?", part).groups()
            if name:
                value = self.call("getAttr", value, self.text(name))
            if index is not None:
                value = self.call("getAttr", value, self.expression(INTEGER, value=int(index) & 0xFFFFFFFF))
        return value

    def template(self, text):
        parts = []
        for piece in pieces(text):
            if isinstance(piece, str):
                parts.append(self.text(piece))
            else:
                reference = self.expression(REFERENCE, value=self.variable(piece[0]))
                parts.append(self.attribute(reference, piece[1]) if len(piece) > 1 else reference)
        if len(parts) == 1 and "{" not in text.replace("{{", ""):
            return parts[0]
        return self.expression(TEMPLATE, args=parts)

    def value(self, thing):
        """Any argument, literal or part of a record."""
        if isinstance(thing, bool):
            return self.expression(BOOLEAN, value=int(thing))
        if isinstance(thing, int):
            return self.expression(INTEGER, value=thing & 0xFFFFFFFF)
        if isinstance(thing, str):
            return self.template(thing)
        if isinstance(thing, list):
            return self.expression(TUPLE, args=[self.value(x) for x in thing])
        if "ref" in thing:
            return self.expression(REFERENCE, value=self.variable(thing["ref"]))
        if "fn" in thing:
            if thing["fn"] == "getAttr":
                return self.attribute(self.value(thing["argv"][0]), thing["argv"][1])
            return self.call(thing["fn"], *[self.value(x) for x in thing["argv"]])
        return self.expression(RECORD, args=[x for key in sorted(thing) for x in (self.text(key), self.value(thing[key]))])

    def condition(self, condition):
        assigned = self.variable(condition["assign"]) + 1 if "assign" in condition else 0
        return self.conditions.intern(self.value(condition), assigned)

    def rule(self, rule):
        conditions = self.numbers.add([self.condition(x) for x in rule.get("conditions", ())])
        if rule["type"] == "tree":
            return self.rules.intern(TREE, conditions, self.numbers.add([self.rule(x) for x in rule["rules"]]), 0, 0)
        if rule["type"] == "error":
            return self.rules.intern(ERROR, conditions, self.value(rule["error"]), 0, 0)
        endpoint = rule["endpoint"]
        return self.rules.intern(ENDPOINT, conditions, self.value(endpoint["url"]),
                                 self.value(endpoint.get("properties", {})), self.value(endpoint.get("headers", {})))

    def add(self, rule_set):
        """(first parameter, their number, list of the rules at the top)"""
        first = len(self.parameters.list)
        for name, parameter in sorted(rule_set["parameters"].items()):
            default = self.value(parameter["default"]) + 1 if "default" in parameter else 0
            self.parameters.append(self.variable(name), PARAMETERS[parameter["type"].lower()],
                                   parameter.get("required", False), default, 0, parameter.get("builtIn", ""))
        return first, len(rule_set["parameters"]), self.numbers.add([self.rule(x) for x in rule_set["rules"]])

    def add_partitions(self, partitions):
        for partition in partitions["partitions"]:
            outputs = partition["outputs"]
            first = len(self.regions.list)
            for region in sorted(partition["regions"]):
                self.regions.append(region)
            self.partitions.append(outputs["name"], posix(partition["regionRegex"]), outputs["implicitGlobalRegion"],
                                   outputs["dnsSuffix"], outputs["dualStackDnsSuffix"],
                                   outputs["supportsFIPS"] + 2 * outputs["supportsDualStack"], first,
                                   len(partition["regions"]))


def contexts_of(operation):
    """(name, text, is a path) of an operation's static and operation context parameters."""
    static = [(name, json.dumps(x["value"], separators=(",", ":"), sort_keys=True), False)
              for name, x in operation.get("staticContextParams", {}).items()]
    paths = [(name, x["path"], True) for name, x in operation.get("operationContextParams", {}).items()]
    return sorted(static) + sorted(paths)
