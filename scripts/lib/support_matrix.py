"""Writes docs/support-matrix.md from the results of the integration tests. Usage: support_matrix.py RESULTS.json OUTPUT.md"""
import json
import sys
from collections import defaultdict

SOURCES = {
    "live": "live process", "gcore": "core by gdb's gcore", "minidump": "LLDB minidump", "crash-core": "crash core (GOTRACEBACK=crash)",
    "lldb core": "native `bt` in LLDB 22, core", "lldb fault": "native `bt` in LLDB 22, live at the fault",
    "lldb remote": "native `bt` in LLDB 22, through lldb-server", "lldb 19 core": "`cgo bt` in LLDB 19, core", "lldb 19 live": "`cgo bt` in LLDB 19, live",
    "lldb-dap": "stack panel of VS Code (lldb-dap)",
}
KINDS = {
    "exe": "C and Go", "cxx": "C++ and Go", "stripped": "`-ldflags='-s -w'`", "strip": "strip(1)", "static": "`-extldflags=-static`", "pie": "PIE",
    "pie-stripped": "PIE, `-s -w`", "c-shared": "c-shared library in a C program", "c-archive": "c-archive in a C program",
    "plugin": "Go plugin", "sqlite": "mattn/go-sqlite3", "zstd": "DataDog/zstd", "audio": "a sound library that calls Go from its own threads",
    "values": "values of every kind of type, held against delve (1.22.1 up to Go 1.22, 1.24.2 up to 1.24, then 1.27.1)",
}
INTRODUCTION = """# Support matrix

Made by `scripts/support-matrix` from the results of the last `./scripts/test`; not written by hand. A number is how many
scenarios were tested and right, with C code at -O2 and at -O0: the stack is exactly the expected one, frame by frame. Values are
those that delve shows at the same stop, with Go code as it is by default and at -N -l.
«–»: not tested on this release. A letter refers to what was left out, and why.

"""
# What the names of some scenarios do not say by themselves.
SCENARIOS = {"all": "every stack of the process, against the runtime's own traceback", "nest2": "nest2 (two calls into C and back, of eight)"}


def version_key(minor):
    return [int(part) for part in minor.split(".")]


class Notes:
    """Reasons for what was left out, each with a letter."""

    def __init__(self):
        self.letters = {}

    def letter(self, why):
        return self.letters.setdefault(why, chr(ord("a") + len(self.letters)))

    def text(self):
        return "".join(f"- **{letter}**: {why}\n" for why, letter in self.letters.items())


def entry(cells, notes):
    """What stands in one field of the table."""
    if not cells:
        return "–"
    passed = sum(c["outcome"] == "passed" for c in cells)
    failed = sum(c["outcome"] == "failed" for c in cells)
    text = f"{passed}" if passed else ""
    if failed:
        text = f"{text} **{failed} FAILED**".strip()
    letters = sorted({notes.letter(c["why"]) for c in cells if c["outcome"] == "skipped"})
    return f"{text} {' '.join(letters)}".strip()


def table(rows, cells, first_column, notes):
    """`rows`: (title, predicate). Releases are the columns."""
    versions = {c["release"]: c["version"] for c in cells}
    minors = sorted(versions, key=version_key)
    lines = [f"| {first_column} | {' | '.join(versions[m] for m in minors)} |", f"| --- |{' --- |' * len(minors)}"]
    for title, wanted in rows:
        chosen = [c for c in cells if wanted(c)]
        if chosen:
            fields = [entry([c for c in chosen if c["release"] == m], notes) for m in minors]
            lines.append(f"| {title} | {' | '.join(fields)} |")
    return "\n".join(lines) + "\n"


def document(cells):
    notes = Notes()
    pairs = defaultdict(list)
    for cell in cells:
        pairs[cell["kind"], cell["source"]].append(cell)
    by_build = [(f"{KINDS.get(kind, kind)}; {SOURCES.get(source, source)}",
                 lambda c, kind=kind, source=source: (c["kind"], c["source"]) == (kind, source)) for kind, source in pairs]
    scenarios = dict.fromkeys(c["scenario"] for c in cells)
    by_scenario = [(SCENARIOS.get(name, name.replace("_", " ")), lambda c, name=name: c["scenario"] == name) for name in scenarios]
    return (INTRODUCTION + "## By kind of program and of target\n\n" + table(by_build, cells, "program; target \\ Go", notes) +
            "\n## By scenario\n\n" + table(by_scenario, cells, "scenario \\ Go", notes) +
            "\n## Left out\n\n" + (notes.text() or "Nothing.\n"))


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        cells = json.load(f)["cells"]
    cells.sort(key=lambda c: (list(KINDS).index(c["kind"]) if c["kind"] in KINDS else 99,
                              list(SOURCES).index(c["source"]) if c["source"] in SOURCES else 99, c["scenario"]))
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write(document(cells))


if __name__ == "__main__":
    main()
