"""The file of a table: sections of rows with bit fields, and one pool of texts. engine/aws/model_rows.h describes it."""

import struct

MAGIC = b"dosrunA\0"
VERSION = 1
HEADER = struct.Struct("<8sIIII")  # magic, version, size of the file, source (a text), number of sections


class Rows:
    """Rows of one layout: "name:t24 count:8" is a text of 24 bits and a number of 8, the lowest bits first."""

    def __init__(self, layout):
        self.fields = []
        for word in layout.split():
            name, width = word.split(":")
            self.fields.append((name, int(width.lstrip("t")), width.startswith("t")))
        bits = sum(width for _, width, _ in self.fields)
        assert bits % 8 == 0, layout
        self.size = bits // 8
        self.list = []
        self.numbers = {}

    def append(self, *values):
        assert len(values) == len(self.fields)
        self.list.append(values)
        return len(self.list) - 1

    def intern(self, *values):
        """The number of the row with these values, which is there once."""
        if values not in self.numbers:
            self.numbers[values] = self.append(*values)
        return self.numbers[values]

    def texts(self):
        return (row[i] for i, field in enumerate(self.fields) if field[2] for row in self.list)

    def pack(self, place):
        out = bytearray()
        for row in self.list:
            number, shift = 0, 0
            for (name, width, is_text), value in zip(self.fields, row):
                value = place(value) if is_text else int(value)
                if value < 0 or value >> width:
                    raise OverflowError(f"{name} = {value} does not fit in {width} bits")
                number |= value << shift
                shift += width
            out += number.to_bytes(self.size, "little")
        return bytes(out)


class Lists:
    """Lists of 16-bit numbers, one after another. Equal ones are there once, and one may lie inside another."""

    size = 2

    def __init__(self, counted):
        self.counted = counted  # a list begins with its length
        self.bytes = b""
        self.places = {}

    def add(self, numbers):
        """Where the list is, at once (counted lists)."""
        words = tuple(([len(numbers)] if self.counted else []) + list(numbers))
        if words not in self.places:
            self.places[words] = self.find(words)
        return self.places[words]

    def add_all(self, lists):
        """The longest first, so that the others find themselves inside them."""
        for numbers in sorted(set(map(tuple, lists)), key=lambda words: (-len(words), words)):
            self.add(numbers)

    def find(self, words):
        raw = struct.pack(f"<{len(words)}H", *words)
        at = self.bytes.find(raw)
        while at > 0 and at % 2:
            at = self.bytes.find(raw, at + 1)
        if at < 0:
            at = len(self.bytes)
            self.bytes += raw
        if at // 2 > 0xFFFF:
            raise OverflowError("more than 65,536 numbers in lists")
        return at // 2

    def texts(self):
        return ()

    @property
    def list(self):
        return range(len(self.bytes) // 2)

    def pack(self, _place):
        return self.bytes


class Pool:
    """Texts, each ended by NUL; one that is the end of another lies inside it. Groups lie side by side in their order."""

    def __init__(self, texts, groups):
        self.places = {"": 0}
        self.bytes = bytearray(b"\0")
        for group in sorted(set(groups)):
            for index, text in enumerate(group):
                if index == 0:
                    self.places[group] = len(self.bytes)
                self.places.setdefault(text, len(self.bytes))
                self.bytes += text.encode() + b"\0"
        host, host_at = b"", 0
        for raw in sorted({text.encode()[::-1] for text in set(texts) | self.places.keys() if isinstance(text, str)},
                          reverse=True):
            text = raw[::-1].decode()
            if text in self.places:
                host, host_at = raw, self.places[text]
            elif host.startswith(raw):
                self.places[text] = host_at + len(host) - len(raw)
            else:
                host, host_at = raw, len(self.bytes)
                self.places[text] = host_at
                self.bytes += raw[::-1] + b"\0"

    def place(self, text):
        return self.places[text]


def pack(sections, source):
    """The bytes of a file: header, sections in their order (each 8-byte aligned), the pool as the last one."""
    texts = {source}
    groups = set()
    for rows in sections:
        for text in rows.texts():
            if isinstance(text, tuple):
                groups.add(text)
            else:
                if "\0" in text:
                    raise ValueError(f"a text with a NUL: {text!r}")
                texts.add(text)
    pool = Pool(texts, groups)
    parts = [(rows.pack(pool.place), len(rows.list), rows.size) for rows in sections]
    parts.append((bytes(pool.bytes), len(pool.bytes), 1))
    at = HEADER.size + 8 * len(parts)
    directory, body = b"", b""
    for raw, count, _ in parts:
        body += b"\0" * (-(at + len(body)) % 8)
        directory += struct.pack("<II", at + len(body), count)
        body += raw
    head = HEADER.pack(MAGIC, VERSION, at + len(body), pool.place(source), len(parts))
    return head + directory + body
