"""The comparers themselves: they find each kind of difference. Needs no program of ours."""
import copy

import pytest

from harness import grammar
from truth import traceback

pytestmark = pytest.mark.needs_no_program

PRINTED = """panic: x

goroutine 17 gp=0xc000 m=1 mp=0xc100 [running, locked to thread]:
panic({0x1?, 0x2?})
\t/go/src/runtime/panic.go:770 +0x132 fp=0x2040 sp=0x2000 pc=0x4010
main.inner(...)
\t/src/main.go:5
main.outer({0x1, 0x2})
\t/src/main.go:9 +0x1f fp=0x2080 sp=0x2040 pc=0x4020
runtime.cgocallback(0x0, 0x0, 0x0)
\t/go/src/runtime/asm_amd64.s:1079 +0xcd fp=0x20c0 sp=0x2080 pc=0x4030
runtime.goexit({})
\t/go/src/runtime/asm_amd64.s:1695 +0x1 fp=0x20c8 sp=0x20c0 pc=0x4040

goroutine 2 [chan receive, 3 minutes]:
main.(*T).wait(0x1)
\t/src/main.go:20 +0x5 fp=0x3020 sp=0x3000 pc=0x4050
runtime.goexit()
\t/go/src/runtime/asm_amd64.s:1695 +0x1 fp=0x3028 sp=0x3020 pc=0x4060
created by main.main in goroutine 1
\t/src/main.go:30 +0x6
"""


def frame(function, place, sp, pc, inlined=False, language="go"):
    file, line = place.rsplit(":", 1)
    return {"index": 0, "language": language, "function": function, "module": "m", "pc": hex(pc), "sp": hex(sp), "file": file,
            "line": int(line), "inlined": inlined, "plumbing": False, "crossing": None, "certainty": "exact"}


def document():
    panicking = [
        frame("runtime.fatalpanic", "/go/src/runtime/panic.go:900", 0x1f00, 0x4000),
        frame("runtime.gopanic", "/go/src/runtime/panic.go:770", 0x2000, 0x4010),
        frame("main.inner", "/src/main.go:5", 0x2040, 0x4020, inlined=True),
        frame("main.outer", "/src/main.go:9", 0x2040, 0x4020),
        frame("runtime.cgocallback", "/go/src/runtime/asm_amd64.s:1079", 0x2080, 0x4030),
        frame("crosscall2", "/go/src/runtime/cgo/asm_amd64.s:43", 0x7f00, 0x4070),
        frame("thread_body", "/src/t.c:4", 0x7f80, 0x4080, language="c"),
    ]
    for number, each in enumerate(panicking):
        each["index"] = number
    parked = [frame("main.(*T).wait", "/src/main.go:20", 0x3000, 0x4050),
              frame("runtime.goexit", "/go/src/runtime/asm_amd64.s:1695", 0x3020, 0x4060)]

    def stack(number, frames):
        return {"goroutine": {"id": number, "state": "x", "wait_reason": None}, "thread": None, "frames": frames,
                "complete": True, "end": "goroutine_entry", "error": None}
    return {"stacks": [stack(17, panicking), stack(2, parked)]}


def test_parse():
    first = traceback.first_prints(traceback.parse(PRINTED))
    assert sorted(first) == [2, 17]
    assert [f.function for f in first[17].frames] == ["runtime.gopanic", "main.inner", "main.outer", "runtime.cgocallback",
                                                      "runtime.goexit"]
    assert first[17].frames[1].inlined
    assert (first[2].wait, first[2].created_by) == ("chan receive", "main.main")


def test_equal_stacks_have_no_differences():
    assert traceback.compare(PRINTED, document()) == ([], 6)


@pytest.mark.parametrize("change", ["drop", "repeat", "line", "pc", "sp", "name", "inlined", "goroutine"])
def test_each_difference_is_found(change):
    changed = copy.deepcopy(document())
    frames = changed["stacks"][0]["frames"]
    if change == "drop":
        del frames[3]
    elif change == "repeat":
        frames.insert(3, dict(frames[3]))
    elif change == "goroutine":
        del changed["stacks"][1]
    elif change == "inlined":
        frames[2]["inlined"] = False
    else:
        key, value = {"line": ("line", 8), "pc": ("pc", "0x4021"), "sp": ("sp", "0x2048"), "name": ("function", "main.other")}[change]
        frames[3][key] = value
    assert traceback.compare(PRINTED, changed)[0] != []


def test_a_repeated_frame_breaks_the_grammar():
    changed = document()["stacks"][0]
    assert grammar.problems(changed) == []
    changed["frames"].insert(2, dict(changed["frames"][1], index=1))
    assert any("twice" in problem for problem in grammar.problems(changed))
