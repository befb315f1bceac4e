"""LLDB 19, the oldest that is promised: the same plugin file loads, and cgo bt is right; native bt stays LLDB's own."""
import json
import os

import pytest

import expected
from harness import matrix, stops, tool
from harness.matching import find_stack, match, user_elements
from harness.paths import CACHE

LLDB_19 = os.path.join(CACHE, "lldb-19", "lldb-19")
FRAMES = expected.nest(4, expected.FAULT) + expected.run("run_nest")

pytestmark = pytest.mark.skipif(not os.access(LLDB_19, os.X_OK), reason="LLDB 19 could not be had (scripts/fetch-lldb-19)")


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    if metafunc.config.getoption("--quick"):
        releases = releases[-1:]
    source = {"test_core": "lldb 19 core", "test_live": "lldb 19 live"}[metafunc.function.__name__]
    cells = [matrix.Cell(r, "O2", "exe", source, "fault_depth4") for r in releases]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c)) for c in cells])


def document_in(text):
    return json.loads(next(line for line in text.splitlines() if line.startswith("{")))


def test_core(cell):
    built = matrix.built(cell.release, "O2", "exe")
    with stops.crash_core_of(built, "fault", 4) as (core, _):
        text = tool.run_lldb(f"target create {built.exe} --core {core}", "cgo bt --all --json", "bt", "cgo doctor", lldb=LLDB_19)
    document = document_in(text)
    tool.check_stacks(document)
    stack = find_stack(document, expected.go("main.main", "main"), "mix")
    assert match(FRAMES, user_elements(stack, crashed=True), "mix") is None
    assert "frame #0" in text.split("(lldb) bt")[1], text
    assert "[synthetic]" not in text


def test_live(cell):
    built = matrix.built(cell.release, "O2", "exe")
    text = tool.run_lldb(f"target create {built.exe}", "breakpoint set -n leaf_fault", "run fault 4", "cgo bt --json", "cgo up",
                         "cgo set native-bt on", "kill", lldb=LLDB_19)
    document = document_in(text)
    tool.check_stacks(document)
    wanted = [f.function for f in FRAMES]
    assert [e["function"] for e in user_elements(document["stacks"][0])] == wanted
    assert "leaf" in text.split("(lldb) cgo up")[1]
    assert "native-bt has no effect in this LLDB" in text
