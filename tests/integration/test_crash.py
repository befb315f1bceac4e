"""Crashed programs: the stack of what died is exact, and every Go frame is the one that the runtime printed."""
import signal

import pytest

import expected
from harness import grammar, matrix
from harness.matching import find_stack, match, user_elements
from truth import traceback

QUICK = {"fault_depth4", "panic", "thread_go_panic", "cxx_throw", "recovered_fault"}
CRASHES = {c.name: c for c in expected.CRASHES + expected.CXX_CRASHES}


def pytest_generate_tests(metafunc):
    config, quick = metafunc.config, metafunc.config.getoption("--quick")
    cells = []
    for release in config.found_releases:
        for optimization in matrix.optimizations(quick):
            if metafunc.function is test_crash:
                for name, crash in CRASHES.items():
                    if not quick or name in QUICK:
                        kind = "cxx" if crash.fixture == "cxx" else "exe"
                        cells.append(matrix.Cell(release, optimization, kind, "crash-core", name))
            else:
                cells.append(matrix.Cell(release, optimization, "exe", "crash-core", "all"))
    metafunc.parametrize("cell", [pytest.param(c, id=str(c), marks=pytest.mark.xdist_group(str(c))) for c in cells])


def check_against_traceback(document, printed, least):
    differences, compared = traceback.compare(printed, document)
    assert differences == []
    assert compared >= least, f"only {compared} Go frames were printed:\n{printed[:3000]}"


def key_of(crash):
    calls = [f for f in crash.frames if isinstance(f, expected.Call)]
    return crash.key or calls[-1]


def test_crash(cell):
    crash = CRASHES[cell.scenario]
    if cell.release.number < crash.first:
        pytest.skip(f"Go {cell.release.minor}: {crash.why}")
    built = matrix.built(cell.release, cell.optimization, cell.kind)
    document, printed = matrix.crashed_stacks(built, crash.words)
    check_against_traceback(document, printed, 10)
    stack = find_stack(document, key_of(crash), crash.fixture)
    assert match(crash.frames, user_elements(stack, crashed=True), crash.fixture, cell.optimization) is None
    assert stack["complete"], stack["error"]
    assert grammar.document_problems(document) == []


def test_quit_with_every_actor(cell):
    """SIGQUIT to the waiting fixture: all goroutines against the traceback, all actors against their lists."""
    built = matrix.built(cell.release, cell.optimization, cell.kind)
    document, printed = matrix.crashed_stacks(built, ("wait", 4, "actors"), signal.SIGQUIT)
    check_against_traceback(document, printed, 150)
    problems = []
    for actor in expected.ACTORS:
        stack = find_stack(document, actor.key, "mix")
        why = match(actor.frames, user_elements(stack, crashed=True), "mix", cell.optimization)
        if why and actor.name not in RUNTIME_ON_TOP:
            problems.append(f"{actor.name}: {why}")
    assert problems == []
    assert grammar.document_problems(document) == []


# Their innermost frames are the runtime's, also before the signal: crashed=True drops them.
RUNTIME_ON_TOP = {a.name for a in expected.ACTORS if a.frames[0].__class__ is expected.Call
                  and a.frames[0].function.startswith("runtime.")}
