"""goruntime/ alone, on crash cores of every release and build mode: the runtime's own traceback says what is right."""
import functools
import json
import os
import subprocess

import pytest

from harness import builds, matrix, stops
from harness.paths import BUILD
from truth import traceback

DUMP = os.path.join(BUILD, "tests", "tools", "goruntime-dump")
DRIFT = os.path.join(BUILD, "tests", "tools", "layout-drift")
STRIPPED = {"stripped", "strip", "pie-stripped"}
PLUGIN_MINORS = ("1.19", "1.27")
# What ends in a C call is printed with the pc of its call of entersyscall; both lines are right.
AMBIGUOUS = {"runtime.cgocall"}

pytestmark = pytest.mark.needs_no_program


def pytest_generate_tests(metafunc):
    quick = metafunc.config.getoption("--quick")
    releases = metafunc.config.found_releases
    if "release" in metafunc.fixturenames:
        metafunc.parametrize("release", releases, ids=str)
    if "crashed_build" in metafunc.fixturenames:
        cells = [(release, kind) for release in releases for kind in (("exe", "pie-stripped") if quick else builds.KINDS)
                 if kind != "plugin" or release.minor in PLUGIN_MINORS]
        metafunc.parametrize("crashed_build", [pytest.param(c, id=f"{c[0]}-{c[1]}",
                                                            marks=pytest.mark.xdist_group(f"{c[0]}-{c[1]}")) for c in cells])


def dump(core, pcs=(), *flags):
    done = subprocess.run([DUMP, *flags, core], input="".join(f"{pc:x}\n" for pc in pcs), capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@functools.lru_cache(2)
def crashed(release, kind):
    """(printed goroutines, dump) of a program that faults in C, two calls deep."""
    built = matrix.built(release, "O2", kind)
    with stops.crash_core_of(built, "fault", 2) as (core, printed):
        goroutines = traceback.first_prints(traceback.parse(printed))
        pcs = {f.pc for g in goroutines.values() for f in g.frames if not f.inlined}
        return goroutines, dump(core, sorted(pcs)), dump(core, (), "--no-dwarf")


def runtime_of(dumped):
    assert dumped["problems"] == []
    assert len(dumped["runtimes"]) == 1
    return dumped["runtimes"][0]


def groups(frames):
    """Frames by physical frame: the inlined ones before each with addresses, then that."""
    group = []
    for frame in frames:
        group.append(frame)
        if not frame.inlined:
            yield group
            group = []


def as_printed(group):
    return [(f.function, f.file, f.line) for f in group]


def difference(group, innermost, previous, found):
    """What pclntab says otherwise than the runtime about one physical frame, or None."""
    frame = group[-1]
    at = found["pcs"][f"{frame.pc:x}"]
    if "error" in at:
        return at["error"]
    if at["frame_bytes"] != frame.fp - frame.sp - 8:
        return f"{frame.function}: frame of {at['frame_bytes']}, printed {frame.fp - frame.sp - 8}"
    interrupted = previous in ("runtime.sigpanic", "runtime.asyncPreempt")
    tried = [at["at"]] if interrupted else [at["before"]]
    # The innermost frame of a goroutine that is parked was left by a call, one that runs was not.
    tried += [at["at"]] if innermost or frame.function in AMBIGUOUS else []
    for frames in tried:
        if isinstance(frames, list) and [(f["function"], f["file"], f["line"]) for f in frames] == as_printed(group):
            return None
    return f"{as_printed(group)} but pclntab says {tried}"


def test_layouts_of_dwarf_and_table_agree(release):
    done = subprocess.run([DRIFT, matrix.built(release, "O2", "exe").exe], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_functions_lines_and_frames(crashed_build):
    goroutines, found, _ = crashed(*crashed_build)
    differences = []
    for goroutine in goroutines.values():
        previous = None
        for index, group in enumerate(groups(goroutine.frames)):
            differences.append(difference(group, index == 0, previous, found))
            previous = group[-1].function
    assert len(differences) > 20
    assert [d for d in differences if d] == []


def test_goroutines(crashed_build):
    goroutines, found, without_dwarf = crashed(*crashed_build)
    for dumped in (found, without_dwarf):
        runtime = runtime_of(dumped)
        assert runtime["errors"] == []
        alive = {g["id"]: g for g in runtime["goroutines"] if g["alive"]}
        assert set(alive) == set(goroutines)
        for goroutine in goroutines.values():
            row = alive[goroutine.id]
            words = {row["wait_reason"]} if row["status"] == "waiting" else {row["status"]}
            assert goroutine.wait in words, row
            if goroutine.created_by is None and goroutine.id == 1:
                assert row["start"] == "runtime.main"


def test_threads_have_their_g(crashed_build):
    """The g in thread-local storage leads to an m that has this very thread."""
    _, found, _ = crashed(*crashed_build)
    runtime = runtime_of(found)
    machines = {m["tid"] for m in runtime["machines"]}
    threads = [t for t in runtime["threads"] if t.get("tid_of_m")]
    assert threads
    assert all(t["tid_of_m"] == t["tid"] for t in threads)
    assert {t["tid"] for t in threads} <= machines


def test_source_of_layout(crashed_build):
    release, kind = crashed_build
    _, found, without_dwarf = crashed(release, kind)
    assert runtime_of(found)["dwarf"] == (kind not in STRIPPED)
    assert not runtime_of(without_dwarf)["dwarf"]
    assert runtime_of(found)["modules"] == (2 if kind == "plugin" else 1)
