"""`cgo heap track`: the agent in programs that LLDB starts, and in those that run; held against what the program wrote down itself."""
import json
import os
import re

import pytest

from harness import builds, stops, tool
from harness.paths import BUILD
from test_break import run

AGENT = os.path.join(BUILD, "liblldb-cgo-agent.so")
MINORS = ("1.19", "1.27")


def pytest_generate_tests(metafunc):
    if "release" not in metafunc.fixturenames:
        return
    releases = [r for r in metafunc.config.found_releases if r.minor in MINORS] or metafunc.config.found_releases[-1:]
    if metafunc.config.getoption("--quick"):
        releases = releases[-1:]
    metafunc.parametrize("release", releases, ids=str)


def run_settled(*words):
    """Once more where a thread of the runtime was just starting, in a function of the loader: then no call can be made."""
    for _ in range(5):
        answers = run(*words)
        if "where it may hold a lock" not in answers["all"]:
            break
    return answers


def tracked(release, *arguments):
    return builds.go_build(release, "O2", "tracked", "tracked" + "".join(arguments), arguments)


def document(answer):
    [line] = [line for line in answer.splitlines() if line.startswith("{")]
    return json.loads(line)


def live_rows(path):
    """{address: bytes} of the live blocks that the fixture wrote down."""
    with open(path, encoding="utf-8") as f:
        rows = [line.split("\t") for line in f][:-1]
    return {int(address, 16): int(size) for _, address, size, live in rows if live.strip() == "1"}


STATUS, BLOCKS, SHOW = "cgo heap track status --json", "cgo heap blocks --json --limit 100000", "settings show target.env-vars"


@pytest.mark.parametrize("flags", [(), ("-buildmode=pie",)], ids=["exe", "pie"])
def test_a_program_that_is_launched_has_the_agent(release, flags):
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        answers = run_settled(tracked(release, *flags), "cgo heap track on", "breakpoint set -n stop_here", f"run crash {path}", STATUS, BLOCKS,
                      "cgo heap track status", "cgo heap track off", SHOW)
        truth = live_rows(path)
    status = document(answers[STATUS])
    assert status["next_launch"] == {"agent": AGENT, "options": ""}
    process = status["process"]
    assert process["agent"] == "recording" and not process["late"] and process["sample_bytes"] == 0 and process["lost"] == 0
    assert process["allocator"].endswith("/libc.so.6")
    blocks = {int(block["address"], 16): block for block in document(answers[BLOCKS])["blocks"]}
    assert len(truth) > 50
    for address, size in truth.items():  # The answer has all that malloc gave; cut out for an alignment, that is more.
        assert size <= blocks[address]["size"] < size + 64
    assert all(blocks[address]["allocated_at"] for address in truth)
    assert process["live_blocks"] >= len(truth) and process["stacks"] >= 40
    text = answers["cgo heap track status"]
    assert f"next launch: loads {AGENT}\n" in text and "records every allocation since 20" in text
    assert "next launch: without the agent\nthis process: the agent was switched off" in answers["cgo heap track off"]
    assert "LD_PRELOAD" not in answers[SHOW]


def shown(text):
    return dict(re.findall(r"^  (\w+)=(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("own", ["/a/b.so", "/a/b.so:/c/d.so /e.so"])
def test_what_the_user_has_in_the_environment_stays(release, own):
    user = {"LD_PRELOAD": own, "LLDB_CGO_AGENT": "frees=16", "OTHER": "1"}
    answers = run(tracked(release), *(f"settings append target.env-vars '{name}={value}'" for name, value in user.items()),
                  "cgo heap track on --sample 64k --quarantine 1m", SHOW, "cgo heap track status", "cgo heap track off",
                  SHOW + " ")
    with_agent = shown(answers[SHOW])
    assert with_agent["OTHER"] == "1" and with_agent["LLDB_CGO_AGENT"] == "frees=16,lldb,sample=64k,quarantine=1m"
    assert re.split("[: ]", with_agent["LD_PRELOAD"]) == [AGENT, *re.split("[: ]", own)]
    assert shown(answers[SHOW + " "]) == {**user, "LD_PRELOAD": own}


def test_options_reach_the_agent(release):
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        answers = run(tracked(release), "cgo heap track on --sample 64k", "breakpoint set -n stop_here", f"run crash {path}", STATUS,
                      "cgo heap track status", "cgo heap owners")
    process = document(answers[STATUS])["process"]
    assert process["sample_bytes"] == 65536 and process["live_blocks"] < 40
    assert "samples, one in 65536 bytes" in answers["cgo heap track status"]
    assert "allocations are sampled" in answers["cgo heap owners"]


def test_programs_without_a_loader_are_told(release):
    static = builds.build_mix(release, kind="static")
    answers = run(static.exe, "cgo heap track on", "cgo heap track status")
    assert "linked statically" in answers["cgo heap track on"]


def test_status_of_processes_and_cores_that_LLDB_did_not_start(release):
    exe = tracked(release)
    with_agent = builds.Built("/usr/bin/env", (f"LD_PRELOAD={AGENT}", exe))
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        with stops.live(with_agent, "wait", path) as process:
            live = tool.json_of("heap", "track", "status", "--pid", process.pid)["process"]
            truth = live_rows(path)
        assert live["agent"] == "recording" and live["live_blocks"] >= len(truth) > 50
        with stops.crash_core_of(with_agent, "crash", path) as (core, _):
            process = tool.json_of("heap", "track", "status", "--core", core)["process"]
            assert process["agent"] == "recording" and process["live_blocks"] >= len(truth)
        with stops.live(builds.Built(exe), "wait", path) as process:
            assert tool.json_of("heap", "track", "status", "--pid", process.pid)["process"]["agent"] == "absent"
            status, out, err = tool.run_tool("heap", "track", "on", "--pid", process.pid)
            assert status == 2 and out == "" and "track status" in err


# Into a process that runs


def injected(release, *arguments):
    return builds.go_build(release, "O2", "injected", "injected" + "".join(arguments), arguments)


def loaded_library():
    def make(path):
        source = os.path.join(builds.FIXTURES, "injected", "library", "library.c")
        builds.run_build(["gcc", "-O2", "-g", "-shared", "-fPIC", "-o", path, source], builds.FIXTURES, dict(os.environ))

    return builds.artifact("c/injected", "library.so", ["injected"], make)


class Rows:
    """What the fixture wrote down at the end of a phase: {address: phase} of what lives, and what was freed."""

    def __init__(self, path):
        self.live, self.freed = {}, set()
        with open(path, encoding="utf-8") as f:
            for phase, address, _, live in map(str.split, f):
                if live == "1":
                    self.live[int(address, 16)] = int(phase)
                else:
                    self.freed.add(int(address, 16))
        self.freed -= set(self.live)

    def of(self, phase):
        return {address for address, of in self.live.items() if of == phase}


def slots(path):
    """{(file, offset): (value, file of the value)}"""
    with open(path, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    return {(file, offset): (value, where) for file, offset, value, where in rows if file != AGENT}


def blocks_of(answer):
    return {int(block["address"], 16): block for block in document(answer)["blocks"]}


def check_blocks(answer, rows, recorded_phase):
    """All that lives is there; what was allocated while the agent was there, and only that, has a stack."""
    blocks = blocks_of(answer)
    assert not set(rows.live) - set(blocks)
    # The C library may have taken some of what was freed.
    assert len(rows.freed & set(blocks)) < 5
    for address, phase in rows.live.items():
        assert bool(blocks[address]["allocated_at"]) == (phase == recorded_phase), hex(address)
    assert not any(block["verdict"].startswith("leaked") for address, block in blocks.items() if address in rows.live)


PHASES = ("cgo heap track on", "continue", STATUS, BLOCKS, "cgo heap track off", "continue ", STATUS + " ", BLOCKS + " ",
          "cgo heap track on ", "continue  ", STATUS + "  ", BLOCKS + "  ", "continue   ")


@pytest.mark.parametrize("flags, binding", [((), "now"), (("-buildmode=pie",), "late")], ids=["exe-now", "pie-late"])
def test_a_running_process_gets_the_agent_and_loses_it(release, flags, binding):
    with stops.scratch() as folder:
        environment = "LD_BIND_NOW=1" if binding == "now" else "OTHER=1"
        answers = run_settled(injected(release, *flags), f"settings set target.env-vars {environment}", "breakpoint set -n phase_is_over",
                      f"run {folder} {loaded_library()}", *PHASES)
        rows = {phase: Rows(os.path.join(folder, f"rows{phase}")) for phase in (1, 2, 3, 4)}
        before, during, after = (slots(os.path.join(folder, f"slots{phase}")) for phase in (1, 2, 3))
    assert "exited with status = 0" in answers["all"]
    assert "older blocks have no record" in answers["cgo heap track on"] and "slots of the loader lead to it" in answers["cgo heap track on"]
    check_blocks(answers[BLOCKS], rows[2], 2)
    process = document(answers[STATUS])["process"]
    assert process["agent"] == "recording" and process["late"] and process["lost"] == 0 and process["allocator"].endswith("/libc.so.6")
    assert process["unknown_frees"] >= 15 and process["live_blocks"] >= len(rows[2].of(2)) > 30
    inner = {address: blocks_of(answers[BLOCKS])[address]["allocated_at"] for address in rows[2].of(2)}
    functions = {frame["function"] for frames in inner.values() for frame in frames}
    assert {"main.fromGo", "allocate_here", "main._Cfunc_CString", "allocate_in"} <= functions
    # Switched off: as if it had never been there.
    check_blocks(answers[BLOCKS + " "], rows[3], None)
    assert document(answers[STATUS + " "])["process"]["agent"] == "off"
    check_blocks(answers[BLOCKS + "  "], rows[4], 4)
    leading = {place for place, (_, where) in during.items() if where == AGENT}
    assert len(leading) > 8 and any(file.endswith("library.so") or "library.so-" in file for file, _ in leading)
    assert not [place for place, (_, where) in after.items() if where == AGENT]
    if binding == "now":
        # One of them is a variable of libc, its list of open files.
        code = {place: slot for place, slot in before.items() if slot[1] != "?"}
        assert len(code) > 50 and {place: after[place] for place in code} == code
    else:  # What was bound meanwhile leads where it would have.
        assert not [place for place in before if after[place] != before[place] and place in leading and
                    not after[place][1].endswith("/libc.so.6")]


def test_no_call_is_made_while_a_thread_is_within_malloc(release):
    with stops.scratch() as folder:
        answers = run(injected(release), "breakpoint set -n allocate -o true", f"run {folder}", "breakpoint set -s libc.so.6 -n malloc -o true",
                      "continue", "cgo heap track on", STATUS, "breakpoint set -n phase_is_over", "continue ", "cgo heap track on ", STATUS + " ")
    assert re.search(r"why: thread \d+ \(tid \d+\) is within \w*malloc\w* of libc.so.6, where it may hold a lock",
                     answers["cgo heap track on"]), answers["cgo heap track on"]
    assert document(answers[STATUS])["process"]["agent"] == "absent"
    assert document(answers[STATUS + " "])["process"]["agent"] == "recording"


def test_a_process_that_was_attached_to_keeps_the_agent_and_goes_on(release):
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        with stops.live(builds.Built(tracked(release)), "wait", path) as process:
            text = run_settled(tracked(release), f"process attach -p {process.pid}", "cgo heap track on", "detach")
            assert "slots of the loader lead to it" in text["cgo heap track on"], text["all"]
            status = tool.json_of("heap", "track", "status", "--pid", process.pid)["process"]
            assert status["agent"] == "recording" and status["late"]
            assert process.poll() is None
            blocks = tool.json_of("heap", "blocks", "--pid", process.pid, "--limit", "100000", allowed=(0, 4))["blocks"]
            assert set(live_rows(path)) <= {int(block["address"], 16) for block in blocks}


def test_a_program_with_its_own_malloc_is_left_alone(release):
    def make(path):
        source = os.path.join(builds.FIXTURES, "own_malloc", "own_malloc.c")
        builds.run_build(["gcc", "-O1", "-g", "-fno-builtin", "-o", path, source], builds.FIXTURES, dict(os.environ))

    program = builds.artifact("c/own_malloc", "own_malloc", ["own_malloc"], make)
    answers = run(program, "breakpoint set -n phase_is_over", "run", "cgo heap track on", "continue")
    assert "its own malloc in its executable" in answers["cgo heap track on"]
    assert "exited with status = 0" in answers["continue"]


JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"


def test_another_allocator_goes_on_to_serve(release):
    if not os.path.exists(JEMALLOC):
        pytest.skip(f"{JEMALLOC} is not there")
    with stops.scratch() as folder:
        answers = run_settled(injected(release), f"settings set target.env-vars LD_PRELOAD={JEMALLOC}", "breakpoint set -n phase_is_over",
                      f"run {folder} {loaded_library()}", "cgo heap owners", "cgo heap track on", "continue", STATUS, BLOCKS, "cgo heap leaks",
                      "cgo heap track off",
                      "continue ", "continue  ", "continue   ")
        rows = Rows(os.path.join(folder, "rows2"))
    assert "exited with status = 0" in answers["all"]
    assert "blocks of libjemalloc.so.2 are known through the agent only" in answers["cgo heap owners"]
    assert document(answers[STATUS])["process"]["allocator"] == JEMALLOC
    blocks = blocks_of(answers[BLOCKS])
    assert rows.of(2) <= set(blocks) and all(blocks[address]["allocated_at"] for address in rows.of(2))
    assert answers["cgo heap leaks"].startswith("0 leaks found")
