"""Other ways to build and link: PIE, c-shared and c-archive in a C host, plugin, stripped, two runtimes in one process."""
import pytest

import expected
from harness import builds, grammar, matrix
from harness.matching import find_stack, match, user_elements
from truth import traceback

KINDS = [k for k in builds.KINDS if k != "exe"]
STRIPPED = {"stripped", "strip", "pie-stripped"}
# A plugin needs the standard library built once more: on the oldest and the newest release only.
PLUGIN_MINORS = ("1.19", "1.27")


def frames_of(kind, leaf):
    frames = expected.nest(2, leaf) + expected.run("run_nest")
    if kind == "c-shared":
        frames = expected.library_frames(frames, "dlopen_host.c")
    elif kind == "c-archive":
        frames = expected.library_frames(frames, "archive_host.c")
    elif kind == "plugin":
        frames = expected.plugin_frames(frames)
    return expected.without_debug_information(frames) if kind in STRIPPED else frames


def pytest_generate_tests(metafunc):
    config = metafunc.config
    quick = config.getoption("--quick")
    cells = []
    if "cell" in metafunc.fixturenames:
        sources = ("live", "crash-core") if metafunc.function is test_kind else ("live",)
        for release in config.found_releases:
            for kind in (("strip", "c-shared") if quick else KINDS):
                if kind == "plugin" and release.minor not in PLUGIN_MINORS:
                    continue
                cells += [matrix.Cell(release, "O2", kind, source, "nest2") for source in sources]
        metafunc.parametrize("cell", [pytest.param(c, id=str(c), marks=pytest.mark.xdist_group(f"{c.release}-{c.kind}"))
                                      for c in cells])
    if "pair" in metafunc.fixturenames:
        found = config.found_releases
        pairs = [(a, b) for a, b in zip(found, reversed(found))] if not quick else [(found[0], found[-1])]
        metafunc.parametrize("pair", [pytest.param(p, id=f"{p[0]}-with-{p[1]}") for p in pairs])


def test_kind(cell):
    built = matrix.built(cell.release, cell.optimization, cell.kind)
    if cell.source == "live":
        document = matrix.waiting_stacks(built, "live", ("wait", 2))
        frames = frames_of(cell.kind, expected.WAIT)
    else:
        document, printed = matrix.crashed_stacks(built, ("fault", 2))
        frames = frames_of(cell.kind, expected.FAULT)
        differences, _ = traceback.compare(printed, document)
        assert differences == []
    key = expected.go("main.MixRun" if cell.kind in ("c-shared", "c-archive") else "main.main")
    stack = find_stack(document, key, "mix")
    assert match(frames, user_elements(stack, crashed=cell.source != "live"), "mix", cell.optimization) is None
    assert stack["complete"], stack["error"]
    assert grammar.document_problems(document) == []


def test_two_runtimes(pair):
    """A Go program that loads a c-shared Go library of another release; the stack goes through both."""
    built = builds.build_two(*pair)
    document = matrix.waiting_stacks(built, "live", ("wait", 2))
    stack = find_stack(document, expected.c("enter_library", "two/enter"), "mix")
    frames = expected.two_frames(expected.nest(2, expected.WAIT) + expected.run("run_nest"))
    assert match(frames, user_elements(stack), "mix") is None
    assert stack["complete"], stack["error"]
    assert grammar.document_problems(document) == []
    parked = find_stack(document, expected.go("main.main.func1", "two/parked"), "two")
    assert parked["complete"]
