"""Runs inside gdb: says as JSON what gdb knows of C values. Imported by `source`; functions are called by `python`."""
import json

import gdb


def plain(value, depth=1):
    """A number, a list, a dictionary; None for what was optimized out; "…" for what is not compared."""
    try:
        if value.is_optimized_out:
            return None
        kind = value.type.strip_typedefs()
        code = kind.code
        if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            return {f.name: plain(value[f], depth - 1) for f in kind.fields() if f.name} if depth > 0 else "…"
        if code == gdb.TYPE_CODE_FLT:
            return float(value)
        if code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL):
            return int(value)
    except gdb.error as error:
        return f"error: {error}"
    return "…"


def say(answer):
    print("GDB " + json.dumps(answer))


def structure(type_name, address):
    pointer = gdb.lookup_type(type_name).pointer()
    say(plain(gdb.Value(address).cast(pointer).dereference(), 2))


def text(expression):
    say(gdb.parse_and_eval(expression).string())


def layout(type_name):
    found = gdb.lookup_type(type_name).strip_typedefs()
    say({"bytes": found.sizeof, "fields": [[f.name, f.bitpos // 8, f.type.sizeof] for f in found.fields() if not f.bitsize]})


def frames(count):
    """Variables of the innermost frames, as `info args` and `info locals` have them."""
    answer, frame = [], gdb.newest_frame()
    while frame is not None and len(answer) < count:
        variables = {}
        block = frame.block()
        while block is not None:
            for symbol in block:
                if (symbol.is_variable or symbol.is_argument) and symbol.name not in variables:
                    variables[symbol.name] = plain(symbol.value(frame))
            if block.function is not None:
                break
            block = block.superblock
        answer.append({"function": frame.name(), "variables": variables})
        frame = frame.older()
    say(answer)
