"""Single steps through a crossing, into a callback and back: at each instruction the stack is right."""
import json
import os

import pytest

import expected
from harness import grammar, matrix, stops, tool
from harness.matching import same_name, user_elements
from harness.paths import HERE

# The goroutine's stack has been grown before: copying it would take tens of thousands of steps.
# The outermost of so many levels is stepped into; the steps go through all callbacks and all the way back.
DEPTH = 3


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    if metafunc.config.getoption("--quick"):
        releases = releases[-1:]
    cells = [matrix.Cell(r, "O2", "exe", "live", "single_step") for r in releases]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c)) for c in cells])


def step(built, output):
    text = tool.run_lldb("breakpoint set -o true -n c_outer", "run", f"command script import {HERE}/harness/step_driver.py",
                         f"step_stacks {output} 20000", "kill", arguments=("--", *built.command("grown-return", DEPTH)), timeout=600)
    assert "stepped" in text, text[-3000:]


def outer_frames(stack):
    """(function, sp) of the user's real frames, innermost first."""
    return [(f["function"], f["sp"]) for f in user_elements(stack)
            if "gap" not in f and not f["inlined"] and not f.get("tail_call") and not (f["function"] or "").startswith("runtime.")]


def is_moving(stack):
    """copystack sets g.stack.lo, g.stack.hi and g.sched.sp one after the other; in between the walk must say that it ends."""
    innermost = stack["frames"][0].get("function")
    return innermost == "runtime.copystack" and not stack["complete"] and stack["error"] is not None


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


def taken_off_its_thread(stack):
    """The scheduler may give the goroutine to another thread in the middle of so slow a walk; the steps go on without it."""
    return any(f.get("function") in ("runtime.schedule", "runtime.mcall", "runtime.gopreempt_m", "runtime.goschedImpl")
               for f in stack["frames"])


def depths_of(built):
    """The depths the steps went through, each once; every stack on the way is checked. None when the scheduler ended them."""
    bad, before, count, depths = [], None, 0, []
    with stops.scratch() as folder:
        output = os.path.join(folder, "stacks")
        step(built, output)
        with open(output, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if record["document"] is None:
                    bad.append(f"step {count} pc={record['pc']}: {record['error']}")
                    continue
                stack = record["document"]["stacks"][0]
                if is_moving(stack):
                    before = None  # the same frames, at other addresses
                    continue
                depth = sum(1 for f, _ in outer_frames(stack) if same_name("main.nest", f))
                if depth == 0 and depths:
                    if taken_off_its_thread(stack):
                        depths = None
                    break  # out of the last level: the program ends now
                found, before = what_is_wrong(before, stack)
                bad += [f"step {count} pc={record['pc']}: {f}" for f in found]
                if not depths or depths[-1] != depth:
                    depths.append(depth)
                count += 1
                assert len(bad) < 5, "\n".join(bad)
    assert bad == []
    assert depths is None or count > 1500
    return depths


def test_step(cell):
    built = matrix.built(cell.release, "O2", "exe")
    depths = None
    for _ in range(5):
        depths = depths_of(built)
        if depths is not None:
            break
    assert depths == [*range(1, DEPTH + 1), *range(DEPTH - 1, 0, -1)], "the steps did not go all the way in and back"
