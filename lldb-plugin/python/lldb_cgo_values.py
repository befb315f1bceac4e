"""What `cgo print` says of a frame, as values of LLDB's own."""
import json
import re
import struct

import lldb
import _lldb_cgo


class NoValue(Exception):
    """Why there is none."""


BASIC = {
    "bool": lldb.eBasicTypeBool, "_Bool": lldb.eBasicTypeBool, "char": lldb.eBasicTypeChar,
    "signed char": lldb.eBasicTypeSignedChar, "unsigned char": lldb.eBasicTypeUnsignedChar,
    "short int": lldb.eBasicTypeShort, "short": lldb.eBasicTypeShort,
    "short unsigned int": lldb.eBasicTypeUnsignedShort, "unsigned short": lldb.eBasicTypeUnsignedShort,
    "int": lldb.eBasicTypeInt, "unsigned int": lldb.eBasicTypeUnsignedInt, "long int": lldb.eBasicTypeLong,
    "long": lldb.eBasicTypeLong, "long unsigned int": lldb.eBasicTypeUnsignedLong,
    "unsigned long": lldb.eBasicTypeUnsignedLong, "long long int": lldb.eBasicTypeLongLong,
    "long long": lldb.eBasicTypeLongLong, "long long unsigned int": lldb.eBasicTypeUnsignedLongLong,
    "unsigned long long": lldb.eBasicTypeUnsignedLongLong, "float": lldb.eBasicTypeFloat,
    "double": lldb.eBasicTypeDouble, "void": lldb.eBasicTypeVoid,
}
GO_BASIC = {
    "bool": lldb.eBasicTypeBool, "int": lldb.eBasicTypeLong, "int64": lldb.eBasicTypeLong, "int32": lldb.eBasicTypeInt,
    "int16": lldb.eBasicTypeShort, "uint": lldb.eBasicTypeUnsignedLong, "uint64": lldb.eBasicTypeUnsignedLong,
    "uint32": lldb.eBasicTypeUnsignedInt, "uint16": lldb.eBasicTypeUnsignedShort, "float32": lldb.eBasicTypeFloat,
    "float64": lldb.eBasicTypeDouble,
}
# The numbers of package C, which cgo calls main._Ctype_int and the like.
C_IN_GO = {"int": "int32", "uint": "uint32", "short": "int16", "ushort": "uint16", "long": "int64", "ulong": "uint64",
           "longlong": "int64", "ulonglong": "uint64", "size_t": "uint64", "float": "float32", "double": "float64"}
LONGEST_TEXT = 2000


def of_go(name):
    """LLDB's number for one of Go."""
    package, mark, c_name = name.rpartition("._Ctype_")
    return GO_BASIC.get(C_IN_GO.get(c_name) if mark and package else name)



def inline(value):
    """A value on one line."""
    if value.get("error") and not value.get("children"):
        return f"<{value['error']}>"
    head, children, shape = value.get("summary") or value["value"], value.get("children", ()), value["shape"]
    if value.get("summary") or not children and (head or shape in ("scalar", "pointer")):
        return head
    if shape == "pointer":
        return f"{head} → {inline(children[0])}"
    if shape == "interface":
        return f"{children[0]['type']}({inline(children[0])})"
    named = shape == "fields"
    parts = [(f"{c['name']}: " if named and c["name"] else "") + inline(c) if "key" not in c
             else f"{inline(c['key'])}: {inline(c)}" for c in children]
    if value.get("length", len(children)) > len(children) or any(n.startswith("cut") for n in value.get("notes", ())):
        parts.append("…")
    return f"{head} {{{', '.join(parts)}}}".lstrip()


class Values:
    def value(self, provider, element, expression):
        if element.is_gap:
            raise NoValue("frames are missing here: there is nothing to look at")
        answer = self.answer(provider, element, ["print", "--json", "--depth", "2"], ["--", expression])
        found = answer["values"][0]
        if found.get("error"):
            raise NoValue(found["error"])
        if any(note.startswith("stale") for note in found.get("notes", ())):
            raise NoValue(found["notes"][0])
        target = provider.process.GetTarget()
        made = None
        if answer["frame"]["language"] in ("c", "cxx", "C", "C++"):
            made = in_memory(target, expression, found) or scalar(target, expression, found, lldb_type(target, found["type"]))
        elif (kind := of_go(found["type"])) is not None:
            made = scalar(target, expression, found, target.GetBasicType(kind))
        return made or as_text(target, expression, inline(found))

    @staticmethod
    def answer(provider, element, words, rest):
        number = provider.frames_in_all - element.from_end
        words += ["--thread", str(provider.thread.GetIndexID()), "--frame", str(number)] + rest
        target = provider.process.GetTarget()
        _, text, problems = _lldb_cgo.run(target.GetDebugger(), provider.process, words)
        if not text.startswith("{"):
            why = [line.partition(": ")[2] for line in problems.splitlines() if line.startswith("  why: ")]
            raise NoValue(why[0] if why else problems)
        answer = json.loads(text)
        frame = answer["frame"]
        if frame is None or int(frame["pc"], 16) != element.pc or frame["function"] != element.function:
            raise NoValue("the stack is another one by now: 'cgo bt' shows it")
        return answer


def in_memory(target, name, found):
    """The value where it lies, with a type that LLDB has."""
    if found["address"] is None:
        return None
    kind = lldb_type(target, found["type"])
    if kind is None or kind.GetByteSize() == 0:
        return None
    return valid(target.CreateValueFromAddress(name, lldb.SBAddress(int(found["address"], 16), target), kind))


def scalar(target, name, found, kind):
    """A number or an address that is in no memory, or whose type LLDB has under another name."""
    if kind is None or found["shape"] not in ("scalar", "pointer"):
        return None
    size, text = kind.GetByteSize(), found["value"].split(" ")[0]
    try:
        if kind.GetCanonicalType().GetBasicType() in (lldb.eBasicTypeFloat, lldb.eBasicTypeDouble):
            raw = struct.pack("<f" if size == 4 else "<d", float(text))
        elif text in ("true", "false"):
            raw = bytes([text == "true"])
        else:
            number = 0 if text == "NULL" else int(text, 0)
            raw = number.to_bytes(size, "little", signed=number < 0)
    except (ValueError, OverflowError, struct.error):
        return None
    data, error = lldb.SBData(), lldb.SBError()
    data.SetData(error, raw, lldb.eByteOrderLittle, 8)
    return valid(target.CreateValueFromData(name, data, kind)) if error.Success() else None


def as_text(target, name, text):
    """As characters: LLDB has no type system for Go."""
    raw = text.encode()[:LONGEST_TEXT] + b"\0"
    data, error = lldb.SBData(), lldb.SBError()
    data.SetData(error, raw, lldb.eByteOrderLittle, 8)
    kind = target.GetBasicType(lldb.eBasicTypeChar).GetArrayType(len(raw))
    made = valid(target.CreateValueFromData(name, data, kind))
    if made is None:
        raise NoValue(text)
    return made


def valid(made):
    return made if made.IsValid() and made.GetError().Success() else None


def lldb_type(target, name):
    """LLDB's type for one of C; None where it has none, or several that differ."""
    array = re.fullmatch(r"([^\[\]()]*?) ((?:\[\d+\])+)", name)
    if array:
        made = lldb_type(target, array[1])
        for count in reversed(re.findall(r"\d+", array[2])):
            made = made and made.GetArrayType(int(count))
        return made
    base = name.rstrip("* ")
    pointers = name[len(base):].count("*")
    if any(mark in base for mark in "&()[]*{"):
        return None
    base = re.sub(r"\b(const|volatile) ", "", base)
    base = re.sub(r"^(struct|union|enum|class) ", "", base)
    made = target.GetBasicType(BASIC[base]) if base in BASIC else only_type(target, base)
    for _ in range(pointers):
        made = made and made.GetPointerType()
    return made if made and made.IsValid() else None


def only_type(target, name):
    found = [kind for kind in target.FindTypes(name) if kind.IsTypeComplete() or kind.GetByteSize()]
    if not found or any(kind.GetByteSize() != found[0].GetByteSize() for kind in found):
        return None
    return found[0]


VALUES = Values()
