"""LLDB 22's own frame list with the plugin, where it is hard: loaded twice, gaps, inlined Go, failures, several debuggers."""
import os
import re
import shutil

import pytest

import expected
from harness import builds, matrix, stops, tool
from harness.paths import FIXTURES, PLUGIN

FRAMES = expected.nest(4, expected.FAULT) + expected.run("run_nest")
WANTED = [f.function for f in FRAMES]
FAULT = ("breakpoint set -n leaf_fault", "run")
GAP = "frames are missing here: "


@pytest.fixture(name="built", scope="module")
def newest_built(request):
    return matrix.built(request.config.found_releases[-1], "O2", "exe")


def frames_of(text, command="bt"):
    """[(function, line)] of the list that the last `bt` printed."""
    found = []
    for line in text[text.rindex(f"(lldb) {command}\n"):].splitlines()[1:]:
        frame = re.match(r"\s+(?:\* )?frame #(\d+): 0x[0-9a-f]+ (?:[^`]*`)?(.*)", line)
        if frame is None:
            if found:
                break
            continue
        assert int(frame.group(1)) == len(found), text
        name = frame.group(2)
        at = re.search(r" at [^ ]+?:(\d+)", name)
        if not name.startswith(GAP):
            name = re.split(r" at | \[|\(| \+ ", name)[0].strip()
        found.append((name, int(at.group(1)) if at else 0))
    return found


def users_of(frames):
    return [name for name, _ in frames if name in WANTED]


def bt(built, *commands, words=("fault", 4)):
    return tool.run_lldb(*commands, arguments=("--", *built.command(*words)))


def line_of(mark):
    return expected.marks("mix")[mark][1]


def test_loaded_twice(built):
    with stops.scratch() as folder:
        copy = shutil.copy(PLUGIN, os.path.join(folder, "copy-of-lldb-cgo.so"))
        text = bt(built, f"plugin load {PLUGIN}", f"plugin load {copy}", *FAULT, "bt", "kill")
    assert text.count("is already loaded; nothing was changed") == 2, text
    assert f"another copy is loaded already and is used: {PLUGIN}" in text
    assert users_of(frames_of(text)) == WANTED, text


def test_debuggers_of_one_process(built):
    """A second debugger with the same file, and a third one with a copy of it."""
    with stops.scratch() as folder, stops.crash_core_of(built, "fault", 4) as (core, _):
        copy = shutil.copy(PLUGIN, os.path.join(folder, "copy-of-lldb-cgo.so"))
        script = os.path.join(folder, "debuggers.py")
        with open(script, "w", encoding="utf-8") as out:
            out.write(DEBUGGERS.format(plugins=(PLUGIN, copy), exe=built.exe, core=core))
        text = tool.run_lldb(f"command script import {script}")
    for number in ("0", "1"):
        found = re.search(rf"^{number}: (.*)$", text, re.M)
        assert found, text
        assert [n for n in found.group(1).split(" ") if n in WANTED] == WANTED, text


DEBUGGERS = """
import lldb
for number, plugin in enumerate({plugins!r}):
    debugger = lldb.SBDebugger.Create(False)
    debugger.SetAsync(False)
    debugger.HandleCommand("plugin load " + plugin)
    process = debugger.CreateTarget({exe!r}).LoadCore({core!r})
    debugger.HandleCommand("thread list")  # The plugin hears of a new target a moment later, unless a command comes.
    stacks = [[f.GetFunctionName() or "" for f in t] for t in process]
    print(str(number) + ":", *max(stacks, key=lambda s: s.count("main.nest")))
"""


def test_frames_of_scripts(built):
    """SBFrame finds its frame again by what LLDB takes for its identity: every one has to have its own."""
    text = bt(built, *FAULT, "script print(*['%d:%s:%d' % (f.GetFrameID(), f.GetFunctionName(), f.GetLineEntry().GetLine())"
              " for f in list(lldb.thread)], sep='\\n')", "kill")
    frames = re.findall(r"^(\d+):([^:]*):(\d+)$", text, re.M)
    assert [int(number) for number, _, _ in frames] == list(range(len(frames))), text
    found = [(name, int(line)) for _, name, line in frames if name in WANTED]
    assert found == [(f.function, line_of(f.mark)) for f in FRAMES], text


def test_gap_below_leaf(built):
    text = bt(built, *FAULT, "register write rsp 0x10", "bt", "kill")
    frames = frames_of(text)
    assert frames[0][0] == "leaf_fault", text
    assert frames[1][0].startswith(GAP), text
    assert users_of(frames)[-len(expected.run("run_nest")):] == WANTED[-2:], text


def test_inlined_go_at_the_leaf(built):
    """LLDB's frame 0 has the name of the outermost function; the levels between are frames of their own."""
    stop = (f"breakpoint set -o true -f chains.go -l {line_of('step_down')}", "run")
    text = bt(built, *stop, "bt", "kill", words=("return", 2))
    frames = frames_of(text)
    assert frames[0][1] == line_of("step_down"), text
    assert frames[1] == ("main.goNest", line_of("go_nest")), text
    levels = [f for f in frames if f[0].endswith("goNest")]
    assert users_of(frames)[1:] == WANTED[-6:], text
    assert len(levels) >= 2, text


def test_inlined_c(request):
    """LLDB cannot go outward from inlined code that has an empty range too."""
    exe = builds.go_build(request.config.found_releases[-1], "O2", "inlined", "inlined", ())
    text = tool.run_lldb("breakpoint set -n leaf", "run", "bt", "kill", arguments=("--", exe))
    with open(os.path.join(FIXTURES, "inlined", "inlined.c"), encoding="utf-8") as f:
        lines = [line.strip() for line in f]
    wanted = [("middle", 1 + lines.index("long value = goAgain(n + 1);")),
              ("outer", 1 + lines.index("long outer(long n) { return middle(n + 1) + 1; }"))]
    frames = frames_of(text)
    at = frames.index(wanted[0])
    assert frames[at:at + 2] == wanted, text


def test_steps_behind_a_log(request):
    """Of a thread that goes on from a crossing's breakpoint LLDB is given frame 0 alone, until somebody looks at it; and in
    inlined C it keeps outer levels with the pc of the step before."""
    exe = builds.go_build(request.config.found_releases[-1], "O2", "inlined", "inlined", ())
    steps = ("bt", "stepi") * 4
    text = tool.run_lldb("cgo break enter '^within_stub$' --log", "breakpoint set -K false -r '^_cgo_.*_Cfunc_within_stub$'", "run",
                         *steps, "kill", arguments=("--", exe))
    assert "Go calls C: within_stub(" in text, text
    inlined, *outward = ["within_stub", "runtime.asmcgocall", "runtime.cgocall", "main._Cfunc_within_stub", "main.main"]
    lists = []
    for answer in text.split("(lldb) bt\n")[1:]:
        names = [name.removesuffix(".abi0") for name, _ in frames_of("(lldb) bt\n" + answer)]
        lists.append([re.sub("^_cgo_[0-9a-f]+_Cfunc_within_stub$", "stub", name) for name in names][:-2])
    # The stub loads the argument; what stores it is of the inlined function, which the last stop is in.
    for names in lists:
        assert names in (["stub", *outward], [inlined, "stub", *outward]), text
    assert len(lists) == 4 and lists[0][0] == "stub" and lists[-1][0] == inlined, text


def test_expressions_in_outer_c(request):
    """LLDB itself crashes when an expression has a name in a C frame that it did not find."""
    exe = builds.go_build(request.config.found_releases[-1], "O0", "inlined", "inlined", ())
    text = tool.run_lldb("breakpoint set -n leaf", "run", SELECT.format("outer"), "p n", "p/x n", "expression -- n + 41",
                         SELECT.format("middle"), "p n", "p 6 * 7", "frame select 0", "p n", "kill", arguments=("--", exe))
    # main.go calls outer(1), which calls middle(n + 1), which leads to leaf(n + 1).
    assert re.findall(r"\(lldb\) (?:p|p/x|expression --) (.*)\n.* = (\d+)$", text, re.M) == [
        ("n", "1"), ("n", "1"), ("n + 41", "42"), ("n", "2")], text
    assert "(lldb) p 6 * 7\n(int) 42\n" in text
    assert re.search(r"\(lldb\) p n\n\(long\) \d+\n", text), text
    text = tool.run_lldb("breakpoint set -n leaf", "run", SELECT.format("outer"), "p n + $x", arguments=("--", exe))
    assert "LLDB 22 cannot evaluate names that begin with '$' together with others" in text


SELECT = "script lldb.thread.SetSelectedFrame(next(f.idx for f in lldb.thread if f.name == '{}'))"


@pytest.mark.parametrize("command, reason", [("next", "step over"), ("step", "step in"), ("stepi", "instruction step into"),
                                             ("finish", "step out")])
def test_stepping_at_inlined_go(built, command, reason):
    stop = (f"breakpoint set -o true -f chains.go -l {line_of('step_down')}", "run")
    text = bt(built, *stop, "bt", command, "bt", "kill", words=("return", 2))
    assert f"stop reason = {reason}" in text, text
    frames = frames_of(text)
    if command == "finish":
        assert frames[0][0].startswith("runtime.cgocallback"), text
    assert users_of(frames)[-6:] == WANTED[-6:], text


@pytest.mark.parametrize("place", ["make_plan", "outer_frame"])
def test_failure_is_said(built, place):
    """An error in the provider ends LLDB's list: the last frame says so."""
    breaks = f"script import lldb_cgo_frames; lldb_cgo_frames.CgoFrames.{place} = lambda self, *rest: 1 / 0"
    if place == "outer_frame":
        breaks = ("script import lldb_cgo_frames as f; f.Contexts.make = lambda self, element, make=f.Contexts.make: "
                  "1 / 0 if element.function == 'main.nest' else make(self, element)")
    text = bt(built, breaks, *FAULT, "bt", "kill")
    frames = frames_of(text)
    assert frames[0][0] == "leaf_fault", text
    assert frames[-1][0].startswith(f"{GAP}lldb-cgo failed (ZeroDivisionError"), text


# What _lldb_cgo.lock gives, call by call: None where LLDB's lock is not to be had, False on LLDB's thread that handles stops.
BUSY = """
import lldb_cgo_frames as frames
class Native:
    answers = {answers!r}
    def __getattr__(self, name, native=frames._lldb_cgo):
        return getattr(native, name)
    def lock(self, number, lock=frames._lldb_cgo.lock):
        return self.answers.pop(0) if self.answers else lock(number)
frames._lldb_cgo = Native()
frames.threading = type("Threads", (), {{"count": 0, "get_ident": lambda: frames.threading.next()}})
def each_call_on_another():
    frames.threading.count += 1
    return frames.threading.count
frames.threading.next = each_call_on_another
"""


@pytest.mark.parametrize("answers", [[False], [False, False], [None]], ids=str)
def test_busy(built, answers):
    """Whoever has LLDB's lock when frames are asked for: the list is right, or says that it is not."""
    with stops.scratch() as folder, stops.crash_core_of(built, "fault", 4) as (core, _):
        script = os.path.join(folder, "busy.py")
        with open(script, "w", encoding="utf-8") as out:
            out.write(BUSY.format(answers=answers))
        text = tool.run_lldb(f"target create {built.exe} --core {core}", f"command script import {script}", "bt")
    frames = frames_of(text)
    if answers == [None]:
        assert len(frames) == 2 and frames[1][0].startswith(f"{GAP}LLDB was busy"), text
    else:
        assert "frames are missing" not in text and users_of(frames) == WANTED, text
