"""Holds a value of lldb-cgo/values/1 (read with --raw) against what Delve's API says of the same."""
import base64
import math
import re

# reflect.Kind
BOOL, COMPLEX64, COMPLEX128, ARRAY, CHAN, FUNC, INTERFACE, MAP, POINTER, SLICE, STRING, STRUCT, UNSAFE = (
    1, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26)
INTEGERS = range(2, 13)
FLOATS = (13, 14)


class Comparison:
    """Walks both trees; `differences` has "path: what ours says; what Delve says"."""

    def __init__(self, elements=64, text=256):
        """With the limits that both were read with."""
        self.elements_limit, self.text_limit = elements, text
        self.differences = []
        self.compared = 0

    def add(self, other):
        self.differences += other.differences
        self.compared += other.compared

    def differ(self, path, ours, theirs):
        self.differences.append(f"{path}: {ours!r}; dlv {theirs!r}")

    def same(self, path, ours, theirs):
        self.compared += 1
        if ours != theirs:
            self.differ(path, ours, theirs)

    def value(self, path, ours, theirs):
        theirs = without_indirection(ours, theirs)
        if theirs.get("unreadable"):
            self.compared += 1
            if "error" not in ours:
                self.differ(path, ours["value"], theirs["unreadable"])
            return
        if "error" in ours and not ours.get("children"):
            self.differ(path, ours["error"], theirs["value"] or f"len {theirs['len']}")
            return
        if ours["address"] and theirs["addr"]:
            self.same(path + " at", int(ours["address"], 16), theirs["addr"])
        handler = self.handlers.get(theirs["kind"])
        if theirs["kind"] in INTEGERS:
            # Delve may write "main.Name (3)", we "0x10 what is there" for a uintptr.
            self.same(path, int(re.match(r"0x[0-9a-f]+|-?\d+", ours["value"]).group(), 0),
                      int(re.search(r"-?\d+(?=\)?$)", theirs["value"]).group()))
        elif theirs["kind"] in FLOATS:
            self.floating(path, ours["value"], theirs["value"])
        elif handler:
            handler(self, path, ours, theirs)
        else:
            self.differ(path, ours["value"], f"kind {theirs['kind']}")

    def floating(self, path, ours, theirs):
        self.compared += 1
        a, b = (float(text.replace("Inf", "inf")) for text in (ours, theirs))
        if a != b and not (math.isnan(a) and math.isnan(b)):
            self.differ(path, ours, theirs)

    def boolean(self, path, ours, theirs):
        self.same(path, ours["value"], theirs["value"])

    def complex_number(self, path, ours, theirs):
        real, imaginary = (float(child["value"]) for child in theirs["children"])
        self.same(path, complex(ours["value"].strip("()").replace("i", "j")), complex(real, imaginary))

    def text(self, path, ours, theirs):
        self.same(path + " length", ours["length"], theirs["len"])
        raw = theirs.get("StringValueBytes")
        wanted, got = theirs["value"].encode(), unquote(ours["value"])
        if raw:
            wanted = base64.b64decode(raw)
        elif "\ufffd" in theirs["value"]:  # Older ones have no bytes of what is not UTF-8.
            got = got.decode(errors="replace").encode()
        shown = min(len(got), len(wanted))  # A cut falls before or in a character.
        self.same(path, got[:shown], wanted[:shown])
        self.same(path + " shown", shown + 3 >= min(theirs["len"], self.text_limit), True)

    def elements(self, path, ours, theirs):
        if theirs["kind"] == SLICE:
            header = re.match(r"len (\d+)(?:, cap (\d+))?", ours["value"])
            if ours["value"] == "nil":
                self.same(path, (0, 0, 0), (theirs["base"], theirs["len"], theirs["cap"]))
                return
            # What the compiler dropped of a slice is 0 to Delve.
            capacity = int(header[2]) if header[2] else 0
            self.same(path, (int(header[1]), capacity), (theirs["len"], theirs["cap"]))
        else:
            self.same(path + " length", ours["length"], theirs["len"])
        self.children(path, ours, theirs, theirs["len"])

    def children(self, path, ours, theirs, length):
        mine = ours.get("children", [])
        if not theirs["children"] or not mine:
            return  # One of them does not go that deep.
        if not cut(ours):
            self.same(path + " elements", len(mine), min(length, self.elements_limit))
        for number, (a, b) in enumerate(zip(mine, theirs["children"])):
            self.value(f"{path}[{number}]", a, b)

    def structure(self, path, ours, theirs):
        if "._Ctype_" in theirs["type"]:
            return  # Shown as C has it, with fields that Delve lacks; compared with what C prints of it.
        mine = {child["name"]: child for child in ours.get("children", [])}
        for field in theirs["children"]:
            if not mine:
                return
            name = field["name"].split(".")[-1]  # Embedded fields have their type's name.
            if name == "_":
                continue
            if name not in mine:
                self.differ(f"{path}.{name}", "no such field", field["value"])
            else:
                self.value(f"{path}.{name}", mine[name], field)

    def pointer(self, path, ours, theirs):
        [target] = theirs["children"] or [{"addr": 0, "onlyAddr": True}]
        self.same(path, address_in(ours["value"]), target["addr"])
        self.deeper(path + ".*", ours, target)

    def deeper(self, path, ours, theirs):
        # A value that is only named has no kind; a structure or a slice beyond the depth has its length, and nothing in it.
        if ours.get("children") and not theirs.get("onlyAddr"):
            self.value(path, ours["children"][0], theirs)

    def interface(self, path, ours, theirs):
        [held] = theirs["children"] or [{"kind": 0}]
        if held["kind"] == 0 and not held.get("onlyAddr"):
            self.same(path, ours["value"], "nil")
        elif ours.get("children"):
            self.same(path + " type", plain(ours["children"][0]["type"]), plain(held["type"]))
            # Delve gives an address inside of the interface to what is no pointer as well.
            self.deeper(path + ".()", ours, held)

    def mapping(self, path, ours, theirs):
        self.same(path + " length", ours.get("length", 0), theirs["len"])
        if not theirs["children"] or not ours.get("children"):
            return
        first = ours["children"][0]["key"]
        entries = dict(zip((key_of(without_indirection(first, v)) for v in theirs["children"][::2]), theirs["children"][1::2]))
        mine = {key_of(child["key"]): child for child in ours["children"]}
        if theirs["len"] <= self.elements_limit and not cut(ours):
            self.same(path + " keys", sorted(map(str, mine)), sorted(map(str, entries)))
        for key, child in mine.items():
            if key in entries:
                self.value(f"{path}[{key}]", child, entries[key])

    def channel(self, path, ours, theirs):
        if ours["value"] == "nil":
            self.same(path, 0, theirs["base"])
            return
        header = re.match(r"len (\d+), cap (\d+)", ours["value"])
        fields = {field["name"]: field["value"] for field in theirs["children"]}
        if "qcount" in fields:  # Of the runtime's hchan.
            self.same(path, header.groups(), (fields["qcount"], fields["dataqsiz"]))

    def function(self, path, ours, theirs):
        self.same(path, ours["value"].split()[0] if ours["value"] != "nil" else "", theirs["value"])

    handlers = {BOOL: boolean, COMPLEX64: complex_number, COMPLEX128: complex_number, STRING: text, SLICE: elements,
                ARRAY: elements, STRUCT: structure, POINTER: pointer, UNSAFE: pointer, INTERFACE: interface, MAP: mapping,
                CHAN: channel, FUNC: function}


def without_indirection(ours, theirs):
    """Large keys and elements of a map lie behind pointers, which older ones show."""
    return theirs["children"][0] if theirs["kind"] == POINTER and theirs["children"] and ours["shape"] == "elements" else theirs


def cut(ours):
    return any(note.startswith("cut") or "were read" in note for note in ours.get("notes", []))


def address_in(text):
    return 0 if text in ("nil", "NULL") else int(text.split()[0], 16)


SIMPLE_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


def unquote(text):
    """The bytes of a string as Go's strconv.Quote writes it."""
    out, last = b"", 1
    for match in re.finditer(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", text):
        byte, short, long, other = match.groups()
        out += text[last:match.start()].encode()
        if byte or other:
            out += bytes([int(byte, 16) if byte else SIMPLE_ESCAPES.get(other, ord(other))])
        else:
            out += chr(int(short or long, 16)).encode()
        last = match.end()
    return out + text[last:-1].encode()


def plain(name):
    return re.sub(r"\s+", "", name.replace("interface {}", "any").replace("interface{}", "any"))


def key_of(key):
    """Something to look a map's key up by: the text of its parts."""
    inner = [key_of(child) for child in key.get("children") or []]
    if inner:
        return tuple(inner)
    text = key["value"]
    return unquote(text).decode(errors="replace") if text.startswith('"') else text
