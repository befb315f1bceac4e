"""Go's heap and what of it is reached, held against the runtime itself: the collector's marks, its heap dump, its counts."""
import collections
import contextlib
import json
import os
import shutil
import subprocess

import pytest

from harness import builds, stops
from harness.paths import BUILD

DUMP = os.path.join(BUILD, "tests", "tools", "go-heap-dump")
GDB_TIMEOUT_S = 300

pytestmark = pytest.mark.needs_no_program


def pytest_generate_tests(metafunc):
    if "program" not in metafunc.fixturenames:
        return
    quick = metafunc.config.getoption("--quick")
    cells = [(release, "") for release in metafunc.config.found_releases]
    cells += [(release, "greenteagc") for release in metafunc.config.found_releases
              if release.minor == "1.25" and not quick]
    metafunc.parametrize("program", [pytest.param(cell, id=f"{cell[0]}{'-' + cell[1] if cell[1] else ''}",
                                                  marks=pytest.mark.xdist_group(f"gomem-{cell[0]}{cell[1]}"))
                                     for cell in cells], scope="module", indirect=True)


@pytest.fixture(scope="module")
def program(request):
    release, experiment = request.param
    env = {"GOEXPERIMENT": experiment} if experiment else None
    return builds.Built(builds.go_build(release, "O2", "gomem", "gomem", (), suffix=experiment, env_extra=env))


def heap_of(*where, addresses=()):
    done = subprocess.run([DUMP, *map(str, where)], input="".join(a + "\n" for a in addresses), capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def collected(program):
    """(what the program told, the heap at the entry of runtime.gcSweep): marks are final, nothing is swept. No goroutine ran
    while the collector marked, so that no object is marked that something held at its beginning alone."""
    with stops.scratch() as folder:
        told, heap, bare = (os.path.join(folder, name) for name in ("told", "heap", "bare"))
        asked = ("python import gdb, os; pid = gdb.selected_inferior().pid; "
                 f"os.system('cut -f1 {told} | {DUMP} --pid %d > {heap}' % pid); "
                 f"os.system('cut -f1 {told} | {DUMP} --pid %d --no-dwarf > {bare}' % pid)")
        words = ["gdb", "-nx", "-batch", "-ex", "set pagination off", "-ex", "handle all nostop noprint pass",
                 "-ex", "handle SIGTRAP stop", "-ex", "set breakpoint pending on", "-ex", "set environment GODEBUG gcstoptheworld=1",
                 "-ex", "break main.ready", "-ex", f"run collect {told}", "-ex", "tbreak runtime.gcSweep", "-ex", "continue",
                 "-ex", asked, "-ex", "kill", program.exe]
        output = stops.run_checked(words, GDB_TIMEOUT_S, "gdb")
        if not os.path.exists(bare):
            raise stops.StopError(f"gdb did not get to runtime.gcSweep:\n{output[-3000:]}")
        with open(told, encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f]
        with open(heap, encoding="utf-8") as f, open(bare, encoding="utf-8") as g:
            yield rows, json.load(f), json.load(g)


@contextlib.contextmanager
def waiting(program):
    with stops.scratch() as folder:
        path = os.path.join(folder, "counts")
        with stops.live(program, "dump", path) as process:
            with open(path, encoding="utf-8") as f:
                counts = [line.rstrip("\n").split("\t") for line in f]
            with open(path + ".heap", "rb") as f:
                yield process, counts, f.read()


@pytest.fixture(scope="module")
def dumped(program):
    """(the runtime's counts, its heap dump, the heap of the waiting process)"""
    with waiting(program) as (process, counts, dump):
        yield counts, dump, heap_of("--pid", process.pid)


def test_reached_is_what_the_collector_marked(collected):
    for heap in collected[1:]:
        assert heap["problems"] == []
        assert heap["uncertain_spans"] == heap["unswept_spans"] == 0
        assert heap["marked"] > 8000
        differ = [(hex(at), size, flags) for at, size, flags, _ in heap["objects"] if (flags & 1) != (flags >> 1 & 1)]
        assert differ == []
        assert heap["marked"] < heap["allocated"]


def test_what_the_program_holds_and_dropped(collected):
    rows, *heaps = collected
    for heap in heaps:
        wrong = []
        for address, name in rows:
            held = heap["held"][address]
            reached = name.startswith("live")
            if not held["object"] or held["reached"] != reached or held["marked"] != reached:
                wrong.append((name, held))
        assert wrong == []
        assert len([name for _, name in rows if name.startswith("dead")]) >= 6


# By name, what the way to it begins with.
ROOTS = {"live list end": "main.list", "live in map": "main.table", "live in huge": "main.large", "live by timer": "main.timer",
         "live inner": "main.inner", "live finalized": "main.finalized", "live pinned": "main.pinner",
         "live by handle": "runtime/cgo.handles"}
KINDS = {"live parked": "stack", "live stack object": "stack", "live in C": "stack", "live deferred": "stack",
         "live panic": "stack", "live deep": "stack", "live by reflection": "stack", "live fault": "stack",
         "live for finalizer": "finalizer", "live by finalizer": "special", "live by cleanup": "special", "live busy": "guess"}


def test_ways_to_objects(collected):
    rows, heap, _ = collected
    seen = set()
    for address, name in rows:
        held = heap["held"][address]
        if name in ROOTS:
            assert held["root"].split("+")[0] == ROOTS[name], (name, held)
        if name in KINDS:
            assert held["root_kind"] == KINDS[name], (name, held)
        assert held.get("guessed", False) == (name == "live busy"), (name, held)
        seen.add(name)
    assert seen >= {"live list end", "live parked", "live busy"}
    # The list is as long as the program made it: 1,000 elements, the last of them is asked for.
    [end] = [heap["held"][address] for address, name in rows if name == "live list end"]
    assert len(end["holders"]) + end["left_out"] == 999
    assert {offset for _, offset in end["holders"]} == {0}


def test_specials_and_pins(collected):
    rows, heap, _ = collected
    told = {name: int(address, 16) for address, name in rows}
    specials = {(at, kind) for at, kind in heap["specials"]}
    assert (told["gone with finalizer"], "finalizer") in specials and (told["live finalized"], "finalizer") in specials
    if "live pinned" not in told:
        return
    assert heap["pins"] == [[told["live pinned"], 3]]
    assert {(told["dead cleaned"], "cleanup"), (told["dead weak"], "weak_handle"), (told["live finalized"], "weak_handle"),
            (told["live pinned"], "pin_counter")} <= specials


class DumpReader:
    """What debug.WriteHeapDump writes. Source: src/runtime/heapdump.go."""

    def __init__(self, data):
        self.data, self.at = data, data.index(b"\n") + 1
        self.objects = {}

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def text(self):
        length = self.number()
        self.at += length
        return self.data[self.at - length:self.at]

    def fields(self):
        offsets = []
        while self.number() != 0:
            offsets.append(self.number())
        return offsets


def test_objects_of_the_runtimes_heap_dump(dumped):
    """Address by address. The dump is searched for its records of objects, in its own order, from the first one on."""
    _, data, heap = dumped
    ours = {at: (size, offsets) for at, size, _, offsets in heap["objects"]}
    reader = DumpReader(data)
    theirs = {}
    reader.at = first_object(data, ours)
    while reader.data[reader.at] == 1:
        reader.at += 1
        at, content = reader.number(), reader.text()
        theirs[at] = (len(content), reader.fields())
    assert len(theirs) > 8000
    assert [hex(at) for at in ours if at not in theirs] == []
    # Since 1.22 the dump takes the bits at the end of a page with small objects for one or a few more of them.
    assert [(hex(at), size) for at, (size, _) in theirs.items()
            if at not in ours and not (size <= 512 and at % 8192 + size > 8192 - 256)] == []
    differ = [(hex(at), theirs[at], ours[at]) for at in ours if theirs[at][0] != ours[at][0] or theirs[at][1] != ours[at][1]]
    assert differ == []


def first_object(data, ours):
    """Behind the parameters and the types; every address in it is one of ours."""
    at = 0
    while True:
        at = data.index(b"\x01", at)
        reader = DumpReader(data)
        reader.at = at + 1
        try:
            if reader.number() in ours and reader.number() in {size for size, _ in ours.values()}:
                return at
        except IndexError:
            pass
        at += 1


def test_counts_of_the_runtime(dumped):
    counts, _, heap = dumped
    ours = collections.Counter(size for _, size, _, _ in heap["objects"])
    classes = [(int(size), int(count)) for kind, *rest in counts if kind == "class" for size, count in [rest]]
    assert [(size, count, ours[size]) for size, count in classes if size != 0 and ours[size] != count] == []
    assert sum(count for _, count in classes) > 8000


def test_the_way_in_without_symbols(program):
    """The variables that lead to the heap, from the runtime's code: where nm finds them in the program with symbols."""
    listed = subprocess.run(["nm", program.exe], capture_output=True, text=True, timeout=60, check=True).stdout.split("\n")
    symbols = {words[2]: int(words[0], 16) for words in map(str.split, listed) if len(words) == 3}
    with stops.scratch() as folder:
        stripped = os.path.join(folder, "stripped")
        shutil.copy(program.exe, stripped)
        subprocess.run(["strip", stripped], timeout=60, check=True)
        with stops.live(builds.Built(stripped), "dump", os.path.join(folder, "counts")) as process:
            heap = heap_of("--pid", process.pid, "--no-objects")
    assert heap["problems"] == [] and heap["reached"] > 8000
    notes = [note.split() for note in heap["notes"]]
    found = {words[0]: int(words[2], 16) for words in notes if words[1] == "at"}
    wanted = {name: symbols[name] for name in ("runtime.mheap_", "runtime.allp", "runtime.allfin")}
    if "runtime.gcCleanups" in symbols:
        wanted["runtime.gcCleanups.all"] = symbols["runtime.gcCleanups"] + 128
    assert found == wanted


def test_a_core_says_the_same(program, request):
    """Of one release each with and without type headers; the way to read them is the same."""
    if request.node.callspec.id not in ("go1.21", "go1.27"):
        pytest.skip("1.21 and 1.27 stand for the others")
    with stops.scratch() as folder:
        path, core = os.path.join(folder, "counts"), os.path.join(folder, "core")
        with stops.live(program, "dump", path) as process:
            live = heap_of("--pid", process.pid)
            stops.run_checked(["gdb", "-nx", "-batch", "-p", str(process.pid), "-ex", f"generate-core-file {core}"],
                              stops.CORE_TIMEOUT_S, "gcore")
        whole = heap_of(core)
        assert {key: whole[key] for key in ("objects", "specials", "problems")} == {
            key: live[key] for key in ("objects", "specials", "problems")}
        # A core that is cut says so, and invents nothing.
        with open(core, "r+b") as f:
            f.truncate(os.path.getsize(core) // 3)
        done = subprocess.run([DUMP, core, "--no-objects"], input="", capture_output=True, text=True, timeout=120, check=False)
        if done.returncode == 0:
            cut = json.loads(done.stdout)
            assert cut["problems"] != [] and cut["reached"] <= whole["reached"]
        else:
            assert done.returncode == 1 and done.stderr.strip()
