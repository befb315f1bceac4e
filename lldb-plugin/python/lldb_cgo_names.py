"""Symbols and functions made of nothing but a name, for frames of which LLDB has none."""
import itertools
import os
import struct

import lldb


class Supply:
    """Any number of copies of what has a name, made when they are asked for."""

    def __init__(self, make):
        self.make = make  # From names to as many objects.
        self.made = {}
        self.expected = {}  # How many of a name will be asked for.

    def expect(self, name, copy):
        self.expected[name] = max(copy + 1, self.expected.get(name, 0))

    def get(self, name, copy):
        made = self.made.get(name, ())
        if copy >= len(made):
            self.expect(name, max(copy, 2 * len(made)))
            names = [n for n, count in self.expected.items() for _ in range(len(self.made.get(n, ())), count)]
            self.expected = {}
            for n, thing in zip(names, self.make(names)):
                self.made.setdefault(n, []).append(thing)
        return self.made[name][copy]


class Names:
    """Symbols and functions for what LLDB does not know itself. LLDB names a frame by a symbol or a
    function and by nothing else: inlined Go calls, Go without a symbol table and gaps need made ones.
    It also tells frames of a provider apart by nothing else (their CFA is always 0), so a function
    that is on a stack again needs another one with its name. They are read from made files, into
    a debugger of its own that nobody sees."""

    START, SIZE = 0x1000, 16  # Of what stands for code in the files.

    def __init__(self):
        self.debugger = lldb.SBDebugger.Create(False)
        self.triple = self.target = None
        self.numbers = itertools.count()
        self.symbols = Supply(self.make_symbols)
        self.functions = Supply(self.make_functions)

    def symbol(self, name, copy):
        return self.symbols.get(name, copy)

    def function(self, name, copy):
        return self.functions.get(name, copy)

    def expect(self, elements):
        """Has those that will likely be asked for made together: each file takes a third of a ms."""
        for element in elements:
            if element.is_gap or element.is_go and element.inlined or element.copy > 0:
                supply = self.symbols if element.is_gap or element.is_go else self.functions
                supply.expect(element.function, element.copy)

    def make_symbols(self, names):
        import json  # Takes longer to import than most stacks to show.
        symbols = [{"name": name, "type": "code", "value": self.SIZE * i, "size": self.SIZE}
                   for i, name in enumerate(names)]
        text = {"triple": self.host(), "type": "sharedlibrary", "symbols": symbols,
                "uuid": f"{os.getpid():08X}-0000-0000-0000-{next(self.numbers):012X}",
                "sections": [{"name": ".text", "type": "code", "address": 0, "size": self.SIZE * (len(names) + 1)}]}
        module = self.load(json.dumps(text).encode())
        return [module.GetSymbolAtIndex(i) for i in range(len(names))]

    def make_functions(self, names):
        """C functions with debug information: LLDB finds no other ones at an address, where a symbol
        leaves it free to look for the real one."""
        module = self.load(elf_with_functions(names, self.START, self.SIZE, self.host()))
        addresses = [module.ResolveFileAddress(self.START + self.SIZE * i) for i in range(len(names))]
        return [a.GetFunction() for a in addresses]

    def host(self):
        """Any triple will do for names."""
        if self.target is None:
            self.triple = lldb.SBPlatform.GetHostPlatform().GetTriple()
            self.target = self.debugger.CreateTarget("", self.triple, None, False, lldb.SBError())
        return self.triple

    def load(self, content):
        """Everything is read at once: the file goes away."""
        folder = os.environ.get("TMPDIR") or "/tmp"
        path = os.path.join(folder, f"lldb-cgo-names-{os.getpid()}-{next(self.numbers)}")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            try:
                file.write(content)
                file.flush()
                module = self.target.AddModule(path, self.triple, None)
                module.GetNumSymbols()
                return module
            finally:
                os.unlink(path)


def elf_with_functions(function_names, start, size, triple):
    """An ELF file without code whose DWARF says that functions are there."""
    count = len(function_names)
    language_c99 = 0x0c
    # compile unit: language, low_pc, high_pc; subprogram: name, low_pc, high_pc. Source: DWARF 4, 7.5.
    abbreviations = bytes.fromhex("01 11 01 13 0b 11 01 12 07 00 00" "02 2e 00 03 08 11 01 12 07 00 00" "00")
    entries = struct.pack("<BBQQ", 1, language_c99, start, size * count)
    for i, name in enumerate(function_names):
        entries += b"\x02" + name.encode().replace(b"\0", b"") + b"\0" + struct.pack("<QQ", start + size * i, size)
    entries = struct.pack("<HIB", 4, 0, 8) + entries + b"\0"
    information = struct.pack("<I", len(entries)) + entries
    names = b"\0.text\0.debug_abbrev\0.debug_info\0.shstrtab\0"
    nobits, progbits, strtab, alloc_exec = 8, 1, 3, 6
    table, body, header_size = [bytes(64)], b"", 64
    for section, kind, flags, address, content in (
            (b".text", nobits, alloc_exec, start, b""), (b".debug_abbrev", progbits, 0, 0, abbreviations),
            (b".debug_info", progbits, 0, 0, information), (b".shstrtab", strtab, 0, 0, names)):
        table.append(struct.pack("<IIQQQQIIQQ", names.index(section + b"\0"), kind, flags, address, header_size + len(body),
                                 size * count if kind == nobits else len(content), 0, 0, 1, 0))
        body += content
    machine = 183 if triple.startswith(("aarch64", "arm64")) else 62
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 0, header_size + len(body),
                                                             0, 64, 0, 0, 64, len(table), len(table) - 1)
    return header + body + b"".join(table)


NAMES = Names() if hasattr(lldb, "SBFrameList") else None
