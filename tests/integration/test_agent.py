"""What the agent recorded of a program's C allocations, held against what the program wrote down itself: live and in cores."""
import functools
import json
import os
import subprocess
from collections import Counter

import pytest

from harness import builds, stops
from harness.paths import BUILD

AGENT = os.path.join(BUILD, "liblldb-cgo-agent.so")
DUMP = os.path.join(BUILD, "tests", "tools", "agent-dump")
RELEASES = ("1.19", "1.21", "1.24", "1.27")
KINDS = ("live", "gcore", "core")

# The functions of the fixture on the way to each site, innermost first, as its source has them.
CROSSED = ["runtime.asmcgocall", "runtime.cgocall"]
INNER = ["site_inner", *CROSSED, "main._Cfunc_site_inner"]
MAIN = ["main.run", "main.main", "runtime.main", "runtime.goexit"]


def from_main(function, caller):
    return [function, *CROSSED, f"main._Cfunc_{function}", f"main.{caller}", *MAIN]


STACKS = {
    "malloc": from_main("site_malloc", "directCaller"),
    "calloc": from_main("site_calloc", "callocCaller"),
    "realloc": from_main("site_realloc", "reallocCaller"),
    "aligned": from_main("site_aligned", "alignedCaller"),
    "alloca": from_main("site_alloca", "allocaCaller"),
    "string": ["main._cgo_cmalloc", "main._Cfunc_CString", "main.stringCaller", *MAIN],
    "free": from_main("site_free", "freeCaller"),
    "library": ["allocate_in_library", "site_library", *CROSSED, "main._Cfunc_site_library", *MAIN],
}
NESTED = [*INNER, "main.callBack", "runtime.cgocallback", "crosscall2", "callBack", "site_outer", *CROSSED,
          "main._Cfunc_site_outer", "main.nestedCaller", *MAIN]
FROM_THREAD = [*INNER, "runtime.cgocallback", "crosscall2", "fromThread", "thread_to_go_body"]
OTHER = ["site_malloc", *CROSSED, "main._Cfunc_site_malloc", "main.otherGoroutine", "runtime.goexit"]


def pytest_generate_tests(metafunc):
    if "cell" not in metafunc.fixturenames:
        return
    releases = [r for r in metafunc.config.found_releases if r.minor in RELEASES] or metafunc.config.found_releases[-1:]
    if metafunc.config.getoption("--quick"):
        releases = releases[-1:]
    cells = [(release, kind) for release in releases for kind in KINDS]
    names = [f"{release}-{kind}" for release, kind in cells]
    metafunc.parametrize("cell", [pytest.param(cell, id=name, marks=pytest.mark.xdist_group(f"agent-{name}"))
                                  for cell, name in zip(cells, names)], scope="module")


def library():
    def make(path):
        source = os.path.join(builds.FIXTURES, "tracked", "library", "library.c")
        builds.run_build(["gcc", "-O2", "-g", "-shared", "-fPIC", "-o", path, source], builds.FIXTURES, dict(os.environ))

    return builds.artifact("c/tracked", "library.so", ["tracked"], make)


def program(release):
    return builds.go_build(release, "O2", "tracked", "tracked", ())


def with_agent(exe, options="", allocator=""):
    return builds.Built("/usr/bin/env", (f"LD_PRELOAD={AGENT} {allocator}", f"LLDB_CGO_AGENT={options}", exe))


def dump(*where):
    done = subprocess.run([DUMP, *map(str, where)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Recorded:
    """One stop: what the agent has, and what the program wrote down."""

    def __init__(self, document, path):
        self.all = document
        self.stacks = document["stacks"]
        with open(path, encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f]
        self.goroutine, self.other = map(int, rows.pop()[1:])
        self.rows = [(site, int(address, 16), int(size), live == "1") for site, address, size, live in rows]
        self.live = {}
        for block in document["blocks"]:
            if block["live"]:
                assert block["address"] not in self.live
                self.live[block["address"]] = block

    def functions(self, stack):
        return [frame["function"] for frame in self.stacks[str(stack)]["frames"]]


@functools.lru_cache(1)
def record(release, kind):
    built = with_agent(program(release))
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        if kind == "live":
            with stops.live(built, "wait", path, library()) as process:
                return Recorded(dump("--pid", process.pid), path)
        if kind == "gcore":
            with stops.gcore_of(built, "wait", path, library()) as core:
                return Recorded(dump(core), path)
        with stops.crash_core_of(built, "crash", path, library()) as (core, _):
            return Recorded(dump(core), path)


@pytest.fixture
def recorded(cell):
    return record(*cell)


def only_known(functions, expected):
    """Without what the releases differ in: the runtime's own steps, the C library's thread start."""
    return [name for name in functions if name in expected]


def expected_stack(recorded, site, size, number):
    if site == "recursive":
        return ["site_recursive"] * (number + 1) + from_main("site_recursive", "recursiveCaller")[1:]
    if site == "thread":
        return ["thread_body"]
    if site == "nested":
        return FROM_THREAD if size in (901, 909) else NESTED
    return OTHER if size == 777 else STACKS[site]


def expected_goroutine(recorded, site, size):
    if size == 777:
        return recorded.other
    return recorded.goroutine


def test_every_live_block_has_its_size_its_goroutine_and_its_whole_stack(recorded):
    assert len(recorded.rows) > 60
    numbers = Counter()
    for site, address, size, live in recorded.rows:
        number = numbers[site]
        numbers[site] += 1
        if not live:
            continue
        block = recorded.live[address]
        assert block["bytes"] == size
        expected = expected_stack(recorded, site, size, number)
        functions = recorded.functions(block["stack"])
        if site == "library":  # Its file is gone: there is no symbol, but its name.
            functions = ["allocate_in_library", *functions[1:]]
        assert only_known(functions, expected) == expected, (site, functions)
        # Nothing of the program beyond what is expected.
        strangers = [name for name in functions if name.startswith(("main.", "site_")) and name not in expected]
        assert [name for name in strangers if "gowrap" not in name and ".func" not in name] == []
        if site == "thread":
            assert block["goroutine"] == 0
        elif expected != FROM_THREAD:
            assert block["goroutine"] == expected_goroutine(recorded, site, size)
        else:
            assert block["goroutine"] not in (0, recorded.goroutine, recorded.other)
        end = "thread entry" if site == "thread" or expected == FROM_THREAD else "goroutine entry"
        assert recorded.stacks[str(block["stack"])]["end"] == end


def test_sites_have_no_other_live_blocks(recorded):
    """Found, missed and false: the live blocks under a function of the fixture are those it wrote down."""
    told = Counter(size for site, _, size, live in recorded.rows if live)
    found = Counter()
    for block in recorded.live.values():
        functions = recorded.functions(block["stack"]) if block["stack"] else []
        inner = functions[0] if functions else ""
        if inner.startswith("site_") or inner == "thread_body" or "main._Cfunc_CString" in functions or \
                "site_library" in functions and not any("dl" in name for name in functions):
            found[block["bytes"]] += 1
    # The path of the library is a C string that nobody frees.
    strings = [size for size, count in (found - told).items() if count == 1]
    assert len(strings) <= 1 and told - found == Counter(), (found - told, told - found)


def test_freed_blocks_say_who_freed_them(recorded):
    freed = {}
    for block in recorded.all["blocks"]:
        if not block["live"] and block["bytes"] == 120:
            freed[block["address"]] = block
    wanted = [address for site, address, _, live in recorded.rows if not live]
    assert len(wanted) == 10 and set(wanted) <= set(freed)
    expected = ["give_back", *STACKS["free"]]
    for address in wanted:
        block = freed[address]
        assert only_known(recorded.functions(block["freed"]["stack"]), expected) == expected
        assert only_known(recorded.functions(block["stack"]), STACKS["free"]) == STACKS["free"]
        assert block["freed"]["goroutine"] == recorded.goroutine
        assert block["freed"]["time_ns"] >= block["time_ns"]


def test_counters_agree_with_the_blocks(recorded):
    totals = recorded.all["totals"]
    assert recorded.all["problems"] == []
    assert totals["lost"] == 0 and totals["allocations"] - totals["frees"] == len(recorded.live)
    assert totals["allocated_bytes"] - totals["freed_bytes"] == sum(b["bytes"] for b in recorded.live.values())
    assert recorded.all["allocator"].endswith("/libc.so.6") and recorded.all["flags"] == 0


def test_a_library_that_is_gone_is_named(recorded):
    [address] = [address for site, address, _, _ in recorded.rows if site == "library"]
    frame = recorded.stacks[str(recorded.live[address]["stack"])]["frames"][0]
    assert os.path.basename(frame["module"]).startswith("library.so") and not frame["loaded"]
    [module] = [m for m in recorded.all["modules"] if m["path"] == frame["module"]]
    assert module["build_id_bytes"] in (0, 20)


def c_program(name, folder, source, flags):
    def make(path):
        builds.run_build(["gcc", "-O2", "-g", *flags, "-o", path, os.path.join(builds.FIXTURES, folder, source)],
                         builds.FIXTURES, dict(os.environ))

    return builds.artifact(f"c/{folder}", name, [folder], make)


def stressed(seconds, options, allocator):
    """(what the agent has, {address: size} that the program says) after threads, forks, libraries and signals."""
    built = with_agent(c_program("stress", "agent_stress", "stress.c", ["-pthread"]), options, allocator)
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        with stops.live(built, seconds, path, library()) as process:
            document = dump("--pid", process.pid)
        with open(path, encoding="utf-8") as f:
            return document, {int(a, 16): int(b) for a, b in (line.split() for line in f)}


# AGENT_STRESS_SECONDS: up to 50; the harness waits for a minute.
STRESS_SECONDS = float(os.environ.get("AGENT_STRESS_SECONDS", "2"))


JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"


@pytest.mark.parametrize("options, allocator", [("", ""), ("frees=1,depth=3", ""), ("quarantine=1m", ""), ("", JEMALLOC)],
                         ids=["plain", "few-frees", "quarantine", "jemalloc"])
def test_nothing_is_missed_and_nothing_invented_under_stress(options, allocator):
    if allocator and not os.path.exists(allocator):
        pytest.skip(f"{allocator} is not there")
    document, truth = stressed(STRESS_SECONDS, options, allocator)
    assert document["allocator"].endswith(os.path.basename(allocator) if allocator else "/libc.so.6")
    live = [block for block in document["blocks"] if block["live"]]
    stacks = {number: [frame["function"] for frame in stack["frames"]]
              for number, stack in document["stacks"].items() if "frames" in stack}
    own = {block["address"]: block["bytes"] for block in live
           if stacks.get(str(block["stack"]), [""])[0].startswith("own_")}
    assert len(truth) > 500 and own == truth
    totals = document["totals"]
    assert totals["lost"] == 0 and totals["unknown_frees"] == 0 and document["problems"] == []
    assert totals["allocations"] - totals["frees"] == len(live)
    # Nearly 300 threads were alive at once; entries are used again.
    assert 280 <= len(document["threads"]) < 330
    # One library was loaded over and over: its name did not become many.
    assert len(document["modules"]) < 20 and len(stacks) < 2000
    if not options:
        [handler] = {tuple(frames) for frames in stacks.values() if "handler" in frames and frames[0] == "own_malloc"}
        assert [name for name in handler if name][:4] == ["own_malloc", "handler", "spin_until_over", "spinner"]
    held = [block for block in document["blocks"] if block["held_back"]]
    assert bool(held) == ("quarantine" in options)
    assert not {block["address"] for block in held} & set(truth)
