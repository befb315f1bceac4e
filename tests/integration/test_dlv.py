"""Values held against Delve at the same stop: package variables, arguments and locals of every Go frame, by its API.

Each Go release is compared with a Delve that supports it (harness/dlv.py). Where Delve is wrong, REASONED says how."""
import os
import re

import pytest

from harness import builds, dlv, matrix, stops
from harness.tool import json_of
from harness.value_compare import Comparison

OPTIMIZED, DEBUG = "O2", "O0"
SHADOWED = 2  # api.VariableShadowed
FLAGS = {OPTIMIZED: (), DEBUG: ("-gcflags=all=-N -l",)}
ELEMENTS = 128
# Values with more of it than is compared of others.
LARGE = {"main.gMapMany": 20000, "main.gMapGrowing": 20000, "main.gManyInts": 2000}

# (path, why the difference is not ours): a difference whose text the pattern finds is expected.
REASONED = [
    (r" r1: ''; dlv 'empty OP stack'", "the result of a C function without one has no bytes, and so but one value"),
    (r": 'register xmm\d+ of this frame is not known'; dlv '", "Delve takes floating-point registers of outer frames from the innermost one"),
    (r": 'optimized out'; dlv 'len 0'", "Delve reads the parts that the compiler dropped as 0"),
    (r"^main\.(gBadMap|gAnys\[\d+\]\.\(\)): 'map: (2\^60 buckets|its directory has 5 entries)'; dlv 'len 100'",
     "the map is damaged; Delve shows a length and no entry"),
    (r"^main\.(gBadSlice|gAnys\[\d+\]\.\(\)) elements: 2; dlv 3",
     "the length of the slice is damaged: its capacity is 2; Delve reads beyond it"),
    (r": 'main\.makeGeneric\[\.\.\.\]\.func1'; dlv 'main\.makeGeneric\[go\.shape\.string(_0)?\]\.func1'",
     "the function table of Go 1.19 and 1.20 has no type arguments, debug information has"),
    (r"^main\.sum\[(go\.shape\.float64|\.\.\.)\] items: 'len 2, cap 2'; dlv 'could not find loclist entry",
     "the runtime's table says that its spill slot has it; the fixture passes two elements"),
    (r"; dlv 'could not resolve interface type'", "Delve does not find the type's name in debug information; the test of values has the value"),
]


SCENARIOS = {"test_package_variables": "values of package variables", "test_variables_of_frames": "variables of all Go frames"}


def pytest_generate_tests(metafunc):
    kinds = (OPTIMIZED,) if metafunc.config.getoption("--quick") else FLAGS
    cells = [matrix.Cell(r, o, "values", "gcore", SCENARIOS[metafunc.function.__name__])
             for r in metafunc.config.found_releases for o in kinds]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c), marks=pytest.mark.xdist_group(c.group)) for c in cells])


@pytest.fixture(scope="module")
def cores():
    """The core that was asked for last: {(release, optimization): (context, exe, core)}"""
    kept = {}
    yield kept
    for context, *_ in kept.values():
        context.__exit__(None, None, None)


@pytest.fixture
def stop(cell, cores):
    """(release, exe, core)"""
    if not os.access(dlv.program_for(cell.release.number), os.X_OK):
        pytest.skip("Delve could not be had (scripts/fetch-dlv)")
    key = cell.release, cell.optimization
    if key not in cores:
        for context, *_ in cores.values():
            context.__exit__(None, None, None)
        cores.clear()
        name = "values" if cell.optimization == OPTIMIZED else "values-debug"
        built = builds.Built(builds.go_build(cell.release, "O2", "values", name, FLAGS[cell.optimization]))
        context = stops.gcore_of(built, "wait")
        cores[key] = context, built.exe, context.__enter__()
    return cell.release, *cores[key][1:]


def delve_on(stop):
    release, exe, core = stop
    return dlv.Delve(dlv.program_for(release.number), "core", exe, core)


def target(stop):
    return "--raw", "--core", stop[2], "--exe", stop[1]


def check(comparison, least):
    left = [d for d in comparison.differences if not any(re.search(pattern, d) for pattern, _ in REASONED)]
    assert not left, "\n".join(left)
    assert comparison.compared > least


def test_package_variables(stop):
    total = Comparison()
    with delve_on(stop) as delve:
        names = [v["name"] for v in delve.call("ListPackageVars", Filter=r"^main\.g[A-Z]", Cfg=dlv.load_config(0, 1, 1))["Variables"]]
        assert len(names) > 90
        for name in names:
            elements = LARGE.get(name, ELEMENTS)
            comparison = Comparison(elements)
            [ours] = json_of("print", name, "--elements", elements, *target(stop))["values"]
            comparison.value(name, ours, delve.evaluate(name, elements=elements))
            total.add(comparison)
    check(total, 20000)


def go_frames(stop):
    """Of goroutine 1: those that stand in the source of the fixture."""
    [stack] = json_of("bt", "--goroutine", 1, *target(stop)[1:])["stacks"]
    return [f for f in stack["frames"] if f["language"] == "go" and f["function"].startswith("main.") and not f["inlined"]]


def test_variables_of_frames(stop):
    total = Comparison(ELEMENTS)
    only_ours = []
    with delve_on(stop) as delve:
        for frame in go_frames(stop):
            number = delve.frame_at(int(frame["pc"], 16), 1)
            ours = {}
            for value in json_of("locals", "--goroutine", 1, "--frame", frame["index"], "--elements", ELEMENTS, *target(stop))["values"]:
                ours.setdefault(value["name"].lstrip("&"), value)  # Inner ones come first.
            theirs = {v["name"]: v for v in delve.variables(1, number, elements=ELEMENTS) if not v["flags"] & SHADOWED}
            for name, value in theirs.items():
                path = f"{frame['function']} {name}"
                if name not in ours:
                    total.differ(path, "not among " + " ".join(ours), value["value"])
                else:
                    total.value(path, ours[name], value)
            only_ours += [f"{frame['function']} {name}" for name, value in ours.items()
                          if name not in theirs and not name.startswith(".") and not (value.get("notes") or value.get("error"))]
    check(total, 60)
    assert only_ours == []
