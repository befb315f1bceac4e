"""Every actor of the waiting fixture, live and in cores, has exactly its hand-written frames."""
import pytest

import expected
from harness import grammar, matrix
from harness.matching import find_stack, match, user_elements


def pytest_generate_tests(metafunc):
    config = metafunc.config
    cells = []
    for release in config.found_releases:
        for optimization in matrix.optimizations(config.getoption("--quick")):
            for source in matrix.WAIT_SOURCES:
                names = [a.name for a in expected.ACTORS] if metafunc.function is test_actor else ["all"]
                cells += [matrix.Cell(release, optimization, "exe", source, name) for name in names]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c), marks=pytest.mark.xdist_group(c.group)) for c in cells])


def stacks(cell):
    return matrix.waiting_stacks(matrix.built(cell.release, cell.optimization, cell.kind), cell.source, matrix.actor_words(cell.source))


def test_actor(cell):
    if cell.source == "minidump" and cell.scenario in matrix.NOT_IN_MINIDUMP:
        pytest.skip("LLDB's minidump lacks half of Go's heap when a thread has its SP there (in Go code, in a signal handler)")
    actor = next(a for a in expected.ACTORS if a.name == cell.scenario)
    stack = find_stack(stacks(cell), actor.key, "mix")
    elements = user_elements(stack)
    # One that computes may be preempted at this very moment: frames of the runtime lie above its own.
    while cell.scenario == "busy" and elements and elements[0].get("function", "").startswith("runtime.asyncPreempt"):
        elements = elements[1:]
    assert match(actor.frames, elements, "mix", cell.optimization) is None
    assert stack["complete"], stack["error"]
    assert (stack["goroutine"] is not None) == actor.goroutine


def test_whole_process(cell):
    document = stacks(cell)
    assert grammar.document_problems(document) == []
    assert grammar.incomplete(document) == []
    ids = [s["goroutine"]["id"] for s in document["stacks"] if s["goroutine"]]
    assert len(ids) == len(set(ids)), "a goroutine is listed twice"
