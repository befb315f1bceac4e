"""`cgo sched` against the runtime's own schedtrace of the same process, and mutexes held across callbacks."""
import os
import re
import subprocess
import time
from contextlib import contextmanager

import pytest

from harness import builds, gdb, stops, tool
from harness.stops import StopError


def pytest_generate_tests(metafunc):
    quick = metafunc.config.getoption("--quick")
    releases = metafunc.config.found_releases
    if "release" in metafunc.fixturenames:
        metafunc.parametrize("release", releases[-1:] if quick else releases, ids=str)


@contextmanager
def running(release, what, name="locks", arguments=()):
    """(process, executable, file that gets its schedtrace), once it stands still."""
    exe = builds.go_build(release, "O2", "locks", name, arguments)
    with stops.scratch() as folder:
        trace = os.path.join(folder, "schedtrace")
        env = {**stops.run_environment(), "GODEBUG": "schedtrace=50,scheddetail=1"}
        with open(trace, "w", encoding="utf-8") as out:
            process = subprocess.Popen([exe, what], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out, env=env)
        try:
            stops.wait_until_ready(process)
            yield process, exe, trace
        finally:
            stops.end(process)


def schedtraces(path):
    """All whole traces in the runtime's output: {"head", "P", "M"}, each numbers and words by name."""
    with open(path, encoding="utf-8") as f:
        blocks = f.read().split("SCHED ")[1:-1]
    found = []
    for block in blocks:
        lines = block.splitlines()
        trace = {"head": dict(re.findall(r"(\w+)=(\S+)", lines[0])), "P": {}, "M": {}}
        for line in lines[1:]:
            match = re.match(r"  ([PM])(\d+): (.*)", line)
            if match:
                trace[match[1]][int(match[2])] = dict(re.findall(r"(\w+)=(\S*)", match[3]))
        found.append(trace)
    return found


def number(text):
    """Of the runtime's print: -1 and nil stand for nothing."""
    return None if text in ("nil", "-1") else int(text)


STATUS = {"idle": 0, "running": 1, "syscall": 2, "gcstop": 3, "dead": 4}


def as_printed(document):
    """Our answer in the words of schedtrace, without what changes while nothing happens."""
    [runtime] = document["runtimes"]
    state = runtime["scheduler"]
    return {
        "head": {"gomaxprocs": state["gomaxprocs"], "idleprocs": state["idle_processors"], "threads": state["threads"],
                 "spinningthreads": state["spinning_threads"], "idlethreads": state["idle_threads"],
                 "runqueue": state["queue_length"], "nmidlelocked": state["idle_locked_threads"],
                 "stopwait": state["stop_wait"]},
        "P": {p["id"]: (STATUS[p["status"]], p["machine"], p["queue_length"]) for p in state["processors"]},
        "M": {m["id"]: (m["processor"], m["goroutine"], m["locked_goroutine"], m["spinning"], m["blocked"])
              for m in runtime["machines"]},
    }


def of_the_runtime(trace, wanted):
    return {
        "head": {key: int(trace["head"][key]) for key in wanted["head"]},
        "P": {i: (int(p["status"]), number(p["m"]), int(p["runqsize"])) for i, p in trace["P"].items()},
        "M": {i: (number(m["p"]), number(m["curg"]), number(m["lockedg"]), m["spinning"] in ("true", "1"),
                  m["blocked"] in ("true", "1")) for i, m in trace["M"].items()},
    }


@pytest.mark.parametrize("what", ["callback", "order"])
def test_the_scheduler_is_what_the_runtime_prints(release, what):
    with running(release, what) as (process, _, trace):
        ours = as_printed(tool.json_of("sched", "--pid", process.pid))
        deadline = time.monotonic() + 20
        before = len(schedtraces(trace))
        # The thread that prints is at work for a moment; every other thread stands still.
        while time.monotonic() < deadline:
            traces = schedtraces(trace)[max(before - 2, 0):]
            theirs = [of_the_runtime(one, ours) for one in traces]
            if ours in theirs:
                break
            ours = as_printed(tool.json_of("sched", "--pid", process.pid))
            time.sleep(0.1)
        else:
            raise AssertionError(f"{ours}\n{theirs[-1] if theirs else 'no schedtrace'}")
    assert ours["head"]["gomaxprocs"] == 2
    assert len(ours["M"]) == ours["head"]["threads"] >= 5


def functions(stack):
    return [f["function"] for f in stack["frames"] if "gap" not in f]


def test_a_mutex_held_across_a_callback(release):
    with running(release, "callback") as (process, exe, _):
        document = tool.json_of("sched", "--pid", process.pid)
        status, text, _ = tool.run_tool("sched", "--pid", process.pid)
        with stops.scratch() as folder:
            core = os.path.join(folder, "core")
            stops.run_checked(["gdb", "-nx", "-batch", "-p", str(process.pid), "-ex", f"generate-core-file {core}"], 60, "gcore")
            if not os.path.exists(core):
                raise StopError("gcore wrote nothing")
            from_core = tool.json_of("sched", "--core", core, "--exe", exe)
            owner = int(gdb.ask(exe, core, "say(int(gdb.parse_and_eval('guard.__data.__owner')))")[0])
            address = int(gdb.ask(exe, core, "say(int(gdb.parse_and_eval('(long)&guard')))")[0])
    assert status == 0
    for answer in (document, from_core):
        waits = answer["mutex_waits"]
        assert len(waits) == 2
        for wait in waits:
            assert int(wait["mutex"], 16) == address
            assert wait["what"] == "guard"
            assert wait["owner_tid"] == owner
            assert wait["holder"]["thread"]["tid"] == owner
            assert not wait["deadlock"]
        assert len({wait["waiter"]["goroutine"] for wait in waits}) == 2
        [holder] = {wait["holder"]["goroutine"] for wait in waits}
        stacks = {stack["goroutine"]["id"]: stack for stack in answer["stacks"]}
        names = functions(stacks[holder])
        assert names.index("main.goInside") < names.index("hold_and_call_back") < names.index("main._Cfunc_hold_and_call_back")
        for wait in waits:
            assert "take" in functions(stacks[wait["waiter"]["goroutine"]])
    assert f"waits for the mutex {address:#x} (guard), which thread" in text


def test_two_mutexes_in_opposite_order_are_a_deadlock(release):
    with running(release, "order") as (process, _, _):
        document = tool.json_of("sched", "--pid", process.pid)
        _, text, _ = tool.run_tool("sched", "--pid", process.pid)
    waits = document["mutex_waits"]
    assert {wait["what"] for wait in waits} == {"first", "second"}
    assert all(wait["deadlock"] for wait in waits)
    assert waits[0]["holder"] == waits[1]["waiter"] and waits[1]["holder"] == waits[0]["waiter"]
    assert text.count("DEADLOCK") == 2


def test_every_kind_of_mutex(release):
    """Each of the eight, also those whose lock the kernel hands on; and no wait for what only has such a name."""
    with running(release, "kinds") as (process, exe, _):
        document = tool.json_of("sched", "--pid", process.pid)
        with stops.scratch() as folder:
            core = os.path.join(folder, "core")
            stops.run_checked(["gdb", "-nx", "-batch", "-p", str(process.pid), "-ex", f"generate-core-file {core}"], 60, "gcore")
            calls = [f"say([int(gdb.parse_and_eval('(long)&kinds[{i}]')), int(gdb.parse_and_eval('kinds[{i}].__data.__owner'))])"
                     for i in range(8)]
            truth = dict(map(tuple, gdb.ask(exe, core, *calls)))
    assert {int(wait["mutex"], 16): wait["owner_tid"] for wait in document["mutex_waits"]} == truth
    assert len(document["mutex_waits"]) == 8
    assert {wait["holder"]["goroutine"] for wait in document["mutex_waits"]} == {1}


def test_a_stripped_program_has_its_threads_and_mutexes(request):
    release = request.config.found_releases[-1]
    with running(release, "callback", "locks-stripped", ("-ldflags=-s -w",)) as (process, _, _):
        status, text, _ = tool.run_tool("sched", "--pid", process.pid)
        document = tool.json_of("sched", "--pid", process.pid, allowed=(4,))
    assert status == 4
    assert "only its Ms" in document["partial"]
    [runtime] = document["runtimes"]
    assert runtime["scheduler"] is None
    assert sum(m["in_c"] for m in runtime["machines"]) == 3
    assert len(document["mutex_waits"]) == 2
    assert text.count("which thread ") == 2


def test_waits_without_names_are_not_denied(request):
    """Stripped and linked statically nothing says what C code waits for."""
    release = request.config.found_releases[-1]
    flags = ("-ldflags=-s -w -extldflags=-static", "-tags=netgo,osusergo")
    with running(release, "order", "locks-static", flags) as (process, _, _):
        status, text, errors = tool.run_tool("sched", "--pid", process.pid)
    assert status == 4
    assert "2 threads wait in C code without names" in text
    assert "no thread waits" not in text
    assert "cannot be told" in errors


def test_in_lldb(request):
    release = request.config.found_releases[-1]
    with running(release, "order") as (process, _, _):
        text = tool.run_lldb(f"process attach -p {process.pid}", "cgo sched", "detach")
    assert "gomaxprocs 2, 2 idle Ps" in text
    assert text.count("sysmon, the runtime's watchdog") == 1
    assert text.count("DEADLOCK") == 2
