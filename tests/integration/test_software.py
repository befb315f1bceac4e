"""Real software: go-sqlite3 with a Go function called from SQL that queries again, three deep, and miniaudio,
whose own thread calls Go. Go frames are held against the runtime's traceback; C frames against lists written
down from gdb, which stood at the C side of a callback, where nothing but C is below."""
import os

import pytest

import expected
from expected import c
from harness import grammar, matrix
from harness.matching import find_stack, match, user_elements
from truth import traceback

# miniaudio takes a minute of gcc for each release.
AUDIO_MINORS = ("1.19", "1.23", "1.27")

# sqlite3-binding.c of v1.14.22 at -O2. gdb 13 prints the lines of inlined calls modulo 65536 (25193 for 90729);
# the numbers here are those of the source: the call of sqlite3Step, and the split head of sqlite3_step.
# _sqlite3_step_internal is C in the preamble of sqlite3.go.
SQLITE_STEP = [
    ("sqlite3VdbeExec", "sqlite3-binding.c", 101201), ("sqlite3Step", "sqlite3-binding.c", 90668),
    ("sqlite3_step", "sqlite3-binding.c", 90729), ("sqlite3_step", "sqlite3-binding.c", 90718),
    ("_sqlite3_step_internal", "sqlite3.go", 120),
]
# miniaudio.h of v0.11.21 at -O2.
AUDIO_THREAD = ["ma_device__on_data", "ma_device__handle_data_callback", "ma_device__read_frames_from_client",
                "ma_device_audio_thread__default_read_write", "ma_worker_thread"]


def pytest_generate_tests(metafunc):
    config = metafunc.config
    quick = config.getoption("--quick")
    kind = "sqlite" if "sqlite" in metafunc.function.__name__ else "audio"
    releases = [r for r in config.found_releases if kind == "sqlite" or r.minor in AUDIO_MINORS]
    if quick:
        releases = releases[-1:] if kind == "sqlite" else []
    sources = ["live", "fault", "panic"] if kind == "sqlite" else ["live", "fault", "panic"]
    cells = [matrix.Cell(r, "O2", kind, "live" if s == "live" else "crash-core", f"{kind}_{s}") for r in releases for s in sources]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c), marks=pytest.mark.xdist_group(f"{c.release}-{c.kind}")) for c in cells])


def how(cell):
    return cell.scenario.split("_")[1]


def read(cell):
    """(document, what the runtime printed or None)"""
    built = matrix.built(cell.release, "O2", cell.kind)
    if cell.source == "live":
        return matrix.waiting_stacks(built, "live", ("wait",)), None
    return matrix.crashed_stacks(built, (how(cell),))


def c_segments(elements):
    """The runs of C frames, innermost first; a gap is a run of its own."""
    segments, inside = [], False
    for element in elements:
        if "gap" in element:
            segments.append(element)
            inside = False
        elif element["language"] in ("c", "c++", "unknown") or element["module"] == "libc.so.6":
            if not inside:
                segments.append([])
            segments[-1].append(element)
            inside = True
        else:
            inside = False
    return segments


def main_frames(elements):
    return [e for e in elements if "gap" not in e and (e["function"] or "").startswith("main.")]


def check_common(cell, document, printed, stack):
    assert stack["complete"], stack["error"]
    assert grammar.document_problems(document) == []
    if printed is not None:
        differences, compared = traceback.compare(printed, document)
        assert differences == []
        assert compared > 20


def test_sqlite_three_deep(cell):
    document, printed = read(cell)
    stack = find_stack(document, expected.go("main.main", "main"), "sqlite")
    check_common(cell, document, printed, stack)
    elements = user_elements(stack, crashed=printed is not None)
    innermost = {"live": "wait_go", "fault": "fault_go", "panic": "panic"}[how(cell)]
    wanted = [expected.go("main.down", innermost)]
    for _ in range(2):
        wanted += [expected.go("main.query", "scan"), expected.go("main.down", "down")]
    wanted += [expected.go("main.query", "scan"), expected.go("main.main", "main")]
    assert match(wanted, main_frames(elements), "sqlite") is None

    segments = c_segments(elements)
    if how(cell) != "panic":
        leaf = segments.pop(0)
        assert match([c("stop_wait", "stop/wait") if how(cell) == "live" else c("stop_fault", "stop/fault")], leaf, "sqlite") is None
    assert len(segments) == 3
    for segment in segments:
        if how(cell) == "panic" and isinstance(segment, dict):
            continue
        assert [(f["function"], os.path.basename(f["file"]), f["line"]) for f in segment] == SQLITE_STEP


def test_audio_thread_of_the_library(cell):
    document, printed = read(cell)
    innermost = {"live": "wait_go", "fault": "fault_go", "panic": "panic"}[how(cell)]
    stack = find_stack(document, expected.go("main.fill", innermost), "audio")
    check_common(cell, document, printed, stack)
    elements = user_elements(stack, crashed=printed is not None)
    wanted = [expected.go("main.fill", innermost), expected.go("main.main.func1", "callback")]
    assert match(wanted, main_frames(elements), "audio") is None
    outermost = c_segments(elements)[-1]
    names = [f["function"] for f in outermost if f["module"] != "libc.so.6"]
    assert names == AUDIO_THREAD
    assert sum(1 for f in outermost if f["module"] == "libc.so.6" and not f["inlined"]) == 2
    assert stack["end"] == "thread_entry"
