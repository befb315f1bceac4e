"""Single steps through a crossing, into a callback and back: at each instruction the stack is right."""
import json
import os

import pytest

import expected
from harness import grammar, matrix, stops, tool
from harness.matching import same_name, user_elements
from harness.paths import HERE

MINORS = ("1.19", "1.22", "1.27")
STEPS = {"into": 3000, "back": 2500}


def pytest_generate_tests(metafunc):
    quick = metafunc.config.getoption("--quick")
    releases = [r for r in metafunc.config.found_releases if r.minor in MINORS]
    ways = ["back"] if quick else list(STEPS)
    cells = [matrix.Cell(r, "O2", "exe", "live", f"step_{way}") for r in (releases[-1:] if quick else releases) for way in ways]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c)) for c in cells])


def step(built, way, count, output):
    # "into": from the call of C on the outer level, through the callback, to the inner level. "back": out of the innermost leaf.
    place = {"into": "c_outer", "back": "leaf"}[way]
    text = tool.run_lldb(f"breakpoint set -o true -n {place}", "run", f"command script import {HERE}/harness/step_driver.py",
                         f"step_stacks {output} {count}", "kill", arguments=("--", *built.command("return", 2)), timeout=900)
    assert "stepped" in text, text[-3000:]


def outer_frames(stack):
    """(function, sp) of the user's real frames, innermost first."""
    return [(f["function"], f["sp"]) for f in user_elements(stack)
            if "gap" not in f and not f["inlined"] and not f.get("tail_call") and not (f["function"] or "").startswith("runtime.")]


def what_is_wrong(before, stack):
    """A step changes at most the innermost frame, or adds or takes away one."""
    found = list(grammar.problems(stack))
    if not stack["complete"]:
        found.append(f"incomplete: {stack['end']}: {stack['error']}")
    if any("gap" in f for f in stack["frames"]):
        found.append("a gap")
    now = outer_frames(stack)
    if [f for f, _ in now[-2:]] != ["main.run", "main.main"]:
        found.append(f"the outermost frames are {now[-2:]}")
    if before is not None:
        same = 0
        while same < min(len(before), len(now)) and before[-1 - same] == now[-1 - same]:
            same += 1
        if len(before) - same > 2 or len(now) - same > 2:
            found.append(f"more than the innermost frames changed:\n{before}\n{now}")
    return found, now


def test_step(cell):
    way = cell.scenario.split("_")[1]
    built = matrix.built(cell.release, "O2", "exe")
    bad, before, count, depths = [], None, 0, set()
    with stops.scratch() as folder:
        output = os.path.join(folder, "stacks")
        step(built, way, STEPS[way], output)
        with open(output, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if record["document"] is None:
                    bad.append(f"step {count} pc={record['pc']}: {record['error']}")
                else:
                    stack = record["document"]["stacks"][0]
                    if way == "back" and not any(same_name("main.nest", f) for f, _ in outer_frames(stack)):
                        break  # all the way out
                    found, before = what_is_wrong(before, stack)
                    depths.add(sum(1 for f, _ in before if same_name("main.nest", f)))
                    bad += [f"step {count} pc={record['pc']}: {f}" for f in found]
                count += 1
                assert len(bad) < 5, "\n".join(bad)
    assert bad == []
    assert count > 1000
    assert depths >= {1, 2}, f"the steps did not pass through a crossing: {depths}"
