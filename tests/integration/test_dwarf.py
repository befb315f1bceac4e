"""target/dwarf on real compilers' output: LLDB, the program itself, and the source say what is right."""
import json
import os
import re
import shutil
import subprocess

import pytest

from harness.paths import BUILD, FIXTURES, LLDB

QUERY = os.path.join(BUILD, "tests", "tools", "dwarf-query")
SOURCES = os.path.join(FIXTURES, "dwarf")
UNITS = ("main", "shapes", "leaf")

pytestmark = pytest.mark.needs_no_program


def compress(kind):
    def change(program):
        run("objcopy", f"--compress-debug-sections={kind}", program)
    return change


def separate(program):
    """Moves the DWARF into a file beside the program, as distributions do."""
    run("objcopy", "--only-keep-debug", program, program + ".debug")
    run("objcopy", "--strip-debug", f"--add-gnu-debuglink={program}.debug", program)


# name: (flags, what is done to the program)
FORMS = {
    "dwarf5-O2": (["-gdwarf-5", "-O2"], None),
    "dwarf4-O2": (["-gdwarf-4", "-O2"], None),
    "dwarf5-O0": (["-gdwarf-5", "-O0"], None),
    "lines-only": (["-g1", "-O2"], None),
    "zlib": (["-g", "-O2"], compress("zlib")),
    "zdebug": (["-g", "-O2"], compress("zlib-gnu")),
    "zstd": (["-g", "-O2"], compress("zstd")),
    "separate": (["-g", "-O2"], separate),
    "dwarf5-split": (["-gdwarf-5", "-O2", "-gsplit-dwarf"], None),
    "dwarf4-split": (["-gdwarf-4", "-O2", "-gsplit-dwarf"], None),
    "type-units": (["-g", "-O2", "-fdebug-types-section"], None),
    "lto": (["-g", "-O2", "-flto"], None),
}


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, **options).stdout


def ask(program, questions, *arguments):
    out = run(QUERY, program, *arguments, input="".join(q + "\n" for q in questions))
    return [json.loads(line) for line in out.splitlines()]


class Built:
    """A build of the fixture: `plain` is before anything was done to it, for the tools that give the truth."""

    def __init__(self, folder, flags, change):
        self.folder = str(folder)
        for unit in UNITS:
            run("g++", "-std=c++17", *flags, "-c", os.path.join(SOURCES, unit + ".cc"), "-o", unit + ".o", cwd=self.folder)
        run("g++", *flags, *(u + ".o" for u in UNITS), "-Wl,--build-id", "-o", "plain", cwd=self.folder)
        self.plain = os.path.join(self.folder, "plain")
        self.program = os.path.join(self.folder, "program")
        shutil.copy(self.plain, self.program)
        if change:
            change(self.program)
        self.symbols = {}
        for line in run("nm", self.plain).splitlines():
            fields = line.split()
            if len(fields) == 3:
                self.symbols.setdefault(fields[2], int(fields[0], 16))

    def instructions(self, function=None):
        """Addresses of instructions; with `function` those of that function, with their text."""
        pattern = re.compile(r"^ +([0-9a-f]+):\t(.*)$")
        options = [f"--disassemble={function}"] if function else []
        found = (pattern.match(line) for line in run("objdump", "-d", "--no-show-raw-insn", *options, self.plain).splitlines())
        return [(int(m[1], 16), m[2]) for m in found if m]

    def after_call(self, function):
        code = self.instructions(function)
        return next(code[i + 1][0] for i, (_, text) in enumerate(code) if text.startswith("call"))


@pytest.fixture(scope="module", params=FORMS)
def built(request, tmp_path_factory):
    flags, change = FORMS[request.param]
    try:
        made = Built(tmp_path_factory.mktemp(request.param), flags, change)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the tools here cannot make it: {error.stderr.strip().splitlines()[-1]}")
    made.form = request.param
    return made


def base_name(name):
    """A function's own name: tools differ in how they write scopes, template arguments and parameters."""
    name = re.sub(r" \[clone .*|\.(cold|part|constprop|isra|lto_priv)\b.*$", "", name)
    name = name.replace("operator()", "call").replace("(anonymous namespace)", "anonymous")
    name = re.sub(r"operator *(->|<=|>=|<<|>>|<|>|==)(?=<|\(|$)", "operator", name)
    kept, depth = "", 0
    for letter in name:
        depth += letter in "<({["
        kept += letter if depth == 0 else ""
        depth -= letter in ">)}]"
    return kept.removesuffix(" const").split("::")[-1].split(" ")[-1]


# LLDB loses the outer ones of inlined calls: here and there (llvm-symbolizer has them). In these forms it misreads which
# are there, so that only its innermost position says something.
LLDB_LACKS_INLINED = {"lto", "dwarf4-split", "dwarf5-split"}


LLDB_FRAMES = r"""
import json, lldb, sys
debugger = lldb.SBDebugger.Create()
target = debugger.CreateTarget(sys.argv[1])
out = []
for line in sys.stdin:
    at = target.ResolveFileAddress(int(line, 16))
    context = target.ResolveSymbolContextForAddress(at, lldb.eSymbolContextEverything)
    frames = []
    while context.function:
        block = context.block.GetContainingInlinedBlock()
        name = block.GetInlinedName() if block else context.function.GetName()
        spec = context.line_entry.GetFileSpec()
        path = f"{spec.GetDirectory()}/{spec.GetFilename()}" if spec else ""
        frames.append([name, path, context.line_entry.GetLine()])
        parent = lldb.SBAddress()
        context = context.GetParentOfInlinedScope(at, parent)
        if not context.IsValid() or not block:
            break
        at = parent
    out.append(frames)
print(json.dumps(out))
"""


def lldb_frames(program, pcs):
    environment = dict(os.environ, PYTHONPATH=run(LLDB, "-P").strip())
    return json.loads(run("/usr/bin/python3", "-c", LLDB_FRAMES, program, input="".join(f"{pc:x}\n" for pc in pcs), env=environment))


def test_frames_equal_lldb(built):
    padding = ("nop", "cs nop", "data16", "xchg   %ax")
    pcs = [pc for pc, text in built.instructions() if not text.startswith(padding)][::3]
    compared = inlined = shorter = 0
    for pc, frames, expected in zip(pcs, ask(built.program, (f"frames {pc:x}" for pc in pcs)), lldb_frames(built.plain, pcs)):
        if not expected:
            continue  # The C runtime's own start-up code has no DWARF.
        assert isinstance(frames, list), (hex(pc), frames)
        assert [f["inlined"] for f in frames] == [True] * (len(frames) - 1) + [False]
        inlined += len(frames) > 1
        if built.form in LLDB_LACKS_INLINED:
            frames, expected = frames[:1], [["_Z", *expected[0][1:]]]
        if len(expected) < len(frames):
            shorter += 1
            frames = frames[:len(expected)]
            expected = [["_Z", path, line] for _, path, line in expected]
        assert [(f["file"], f["line"]) for f in frames] == [(path, line) for _, path, line in expected], hex(pc)
        names = [(base_name(f["function"]), base_name(name)) for f, (name, _, _) in zip(frames, expected)]
        # LLDB has no name for a template over a lambda, and does not demangle all.
        assert all(ours == theirs or theirs == "" or theirs.startswith("_Z") for ours, theirs in names), (hex(pc), names)
        compared += 1
    assert compared > 150
    assert shorter < compared / 10
    assert inlined > 50 or built.form == "dwarf5-O0"


def test_structure_equals_what_the_compiler_says(built):
    if built.form == "lines-only":
        pytest.skip("-g1 has no types")
    printed = dict(line.split(" ", 1) for line in run(built.plain).splitlines())
    found, missing = ask(built.program, ["struct ns::Layout", "struct Layout"])
    assert found["bytes"] == int(printed.pop("size"))
    printed.pop("end")
    expected = {name: [int(n) for n in numbers.split()] for name, numbers in printed.items()}
    assert {name: [offset, size] for name, offset, size in found["members"]} == expected
    assert "no structure Layout" in missing["error"]


def test_tail_calls_are_those_of_the_source(built):
    if built.form in ("dwarf5-O0", "lines-only", "lto"):
        pytest.skip("no tail calls, or no call sites")
    leaf = built.symbols["leaf"]
    questions = [f"tail {built.after_call(caller):x} {leaf:x}" for caller in ("one_way_caller", "two_way_caller", "straight_caller")]
    questions.append(f"from {built.symbols['first_tail']:x} {leaf:x}")
    one_way, two_ways, straight, known = ask(built.program, questions)
    names = [re.sub(r"\(.*", "", frame["function"]) for frame in one_way]
    assert names == ["local_tail", "second_tail", "first_tail"]
    with open(os.path.join(SOURCES, "main.cc"), encoding="utf-8") as source:
        lines = source.read().splitlines()
    assert [name + "(int x) {" in lines[frame["line"] - 1] for name, frame in zip(names, one_way)] == [True] * 3
    assert two_ways == [] and straight == []
    assert known == one_way


def test_functions_by_name(built, tmp_path):
    questions = ["functions leaf", "functions ns::work", "functions _ZN2ns4workEi", "functions nothing"]
    for _ in range(2):  # The second time from the cache.
        leaf, qualified, linkage, nothing = ask(built.program, questions, str(tmp_path))
        assert nothing == []
        if built.form == "lto":
            continue  # Which functions are left is the linker's choice.
        assert leaf == [built.symbols["leaf"]]
        assert linkage == [built.symbols["_ZN2ns4workEi"]]
        if built.form != "lines-only":  # -g1 leaves namespaces out.
            assert qualified == linkage
