"""C++ frames above and below Go: templates, namespaces, inlined members, a lambda."""
import pytest

import expected
from harness import grammar, matrix
from harness.matching import find_stack, match, user_elements


def pytest_generate_tests(metafunc):
    config = metafunc.config
    cells = [matrix.Cell(release, optimization, "cxx", "live", "cxx_wait") for release in config.found_releases
             for optimization in matrix.optimizations(config.getoption("--quick"))]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c)) for c in cells])


def test_waiting_in_cxx(cell):
    document = matrix.waiting_stacks(matrix.built(cell.release, cell.optimization, "cxx"), "live", ("wait",))
    actor = expected.CXX_WAIT
    stack = find_stack(document, actor.key, "cxx")
    assert match(actor.frames, user_elements(stack), "cxx", cell.optimization) is None
    assert stack["complete"], stack["error"]
    assert grammar.document_problems(document) == []
