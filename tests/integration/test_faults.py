"""Faults in C: overflows of stacks and what only looks like them, against what the fixture noted (pthread_getattr_np, its own
depth) and what gdb says of the signal."""
import json
import os
import re
import struct
import subprocess
import time
from dataclasses import dataclass

import pytest

from harness import builds, stops, tool
from harness.paths import PLUGIN
from harness.stops import StopError

RELEASES = ("1.19", "1.21", "1.24", "1.27")
ATTEMPTS = 4


def pytest_generate_tests(metafunc):
    quick = metafunc.config.getoption("--quick")
    releases = metafunc.config.found_releases
    wanted = [one for one in releases if one.minor in RELEASES] or releases
    metafunc.parametrize("release", wanted[-1:] if quick else wanted, ids=str)


def build(release, optimization="O2"):
    return builds.Built(builds.go_build(release, optimization, "faults", "faults", ()))


@dataclass
class Notes:
    """struct notes of the fixture."""
    depth: int
    tid: int
    stack: int
    stack_bytes: int
    guard_bytes: int
    address: int

    @classmethod
    def read(cls, path):
        with open(path, "rb") as f:
            return cls(*struct.unpack("6q", f.read(48)))


@dataclass(frozen=True)
class Overflow:
    kind: str
    functions: tuple  # Of one round, in any order of rotation.
    calls_per_round: int = 1
    shares: bool = False  # In no fixed order.
    needs_kernel_core: bool = False


OVERFLOWS = {
    "plain": Overflow("thread", ("plain",)),
    "ping": Overflow("thread", ("ping", "pong"), 2),
    "tree": Overflow("thread", ("tree",), shares=True),
    "main": Overflow("main", ("plain",)),
    "main-ping": Overflow("main", ("ping", "pong"), 2),
    "main-large": Overflow("main", ("large_frames",)),
    "large": Overflow("thread", ("large_frames",)),
    "callback": Overflow("thread", ("main._Cfunc_through_go", "main.goAgain", "through_go")),
    "cxx": Overflow("thread", ("shapes::Even::visit(shapes::Odd&, long)", "shapes::Odd::visit(shapes::Even&, long)"), 2),
    "thread-go": Overflow("thread", ("plain",)),
    "thread": Overflow("thread", ("plain",), needs_kernel_core=True),
    "thread-own": Overflow("thread", ("plain",)),
    "handler": Overflow("alternate", ("plain",)),
}
# What the address is to the one that was noted, and how it was accessed.
NEAR = {
    "null": (0, 0, "read"),
    "behind": (0, 6000, "write"),
    "mapping": (0, 0, "write"),
    "guard": (0, 0, "write"),
    "jump": (0, 0, "execute"),
}


def faulted(document):
    found = [stack for stack in document["stacks"] if "fault" in stack]
    assert len(found) == 1, [stack["thread"] for stack in found]
    return found[0]


def skip_where_go_throws(release):
    if release.minor == "1.19":
        pytest.skip("Go 1.19 throws for faults of C, and the kernel's notes of them are gone")


def crashed(built, scenario):
    """(all stacks of its core, text of the one that is shown, notes)."""
    with stops.scratch() as folder:
        path = os.path.join(folder, "notes")
        with stops.crash_core_of(built, scenario, path) as (core, _):
            where = ("--core", core, "--exe", built.exe)
            _, text, _ = tool.run_tool("bt", *where)
            return tool.stacks_of("--all", *where, allowed=(0, 4)), text, Notes.read(path)


def rotated(names, wanted):
    return any(tuple(names) == wanted[i:] + wanted[:i] for i in range(len(wanted)))


def check_recursion(fault, expected, notes):
    recursion = fault["recursion"]
    calls = notes.depth
    if expected.shares:
        assert recursion["shares"][0]["function"] in expected.functions
        assert calls - 300 <= recursion["shares"][0]["frames"] <= calls
        return
    assert rotated([frame["function"] for frame in recursion["round"]], expected.functions), recursion["round"]
    if fault["stack"]["kind"] == "alternate":
        # The handler of the fault began at the end of the same stack, and wrote over frames.
        assert recursion["at_least"]
        assert recursion["rounds"] <= calls
        return
    # One call is the fault's own; what was inlined shares a frame.
    per_round = 1 if len(recursion["round"]) > expected.calls_per_round else expected.calls_per_round
    assert abs(recursion["rounds"] * per_round - calls) <= 2 * per_round, (recursion["rounds"], calls)


def check_overflow(stack, expected, notes):
    fault, used = stack["fault"], stack["fault"]["stack"]
    assert fault["signal"] == "SIGSEGV"
    assert used["overflow"] is True
    assert stack["thread"]["tid"] == notes.tid
    if expected.functions == ("large_frames",) and used["kind"] == "mapping":
        # It went over other stacks, and may have overwritten what tells whose they are.
        return
    assert used["kind"] == expected.kind
    begin, end = int(used["begin"], 16), int(used["begin"], 16) + used["bytes"]
    assert used["used_bytes"] <= used["bytes"]
    assert used["bytes"] - used["used_bytes"] < 400_000
    if expected.kind == "main":
        # The library rounds what the kernel allows; the mapping is what there is.
        assert end >= notes.stack + notes.stack_bytes
        assert begin >= notes.stack
    else:
        assert (begin, used["bytes"]) == (notes.stack, notes.stack_bytes)
        assert used["guard_bytes"] == (notes.guard_bytes or 4096)
    if fault["address"] is not None:
        assert int(fault["address"], 16) < begin
    check_recursion(fault, expected, notes)


@pytest.mark.parametrize("scenario", OVERFLOWS)
def test_overflow(release, scenario):
    expected = OVERFLOWS[scenario]
    if expected.needs_kernel_core and not stops.kernel_writes_cores_here():
        pytest.skip("gdb stands in for the kernel at aborts only")
    if scenario == "callback":
        skip_where_go_throws(release)
    document, text, notes = crashed(build(release), scenario)
    stack = faulted(document)
    check_overflow(stack, expected, notes)
    assert "C STACK OVERFLOW" in text
    if not expected.needs_kernel_core:
        assert stack["fault"]["access"] == "write"
        assert stack["fault"]["handler"]["go"] is True


@pytest.mark.parametrize("scenario", NEAR)
def test_no_overflow(release, scenario):
    skip_where_go_throws(release)
    document, text, notes = crashed(build(release), scenario)
    fault = faulted(document)["fault"]
    before, behind, access = NEAR[scenario]
    assert notes.address - before <= int(fault["address"], 16) <= notes.address + behind
    assert fault["access"] == access
    assert fault["stack"]["overflow"] is False
    assert fault["stack"]["used_bytes"] < 64 * 1024
    assert "recursion" not in fault
    assert "OVERFLOW" not in text


def test_a_fault_without_an_address(release):
    skip_where_go_throws(release)
    document, text, _ = crashed(build(release), "noncanonical")
    fault = faulted(document)["fault"]
    assert (fault["code_name"], fault["address"]) == ("SI_KERNEL", None)
    assert fault["stack"]["overflow"] is False
    assert "general protection" in text


@pytest.mark.parametrize("scenario", ["go-stack", "go-nil"])
def test_go_panics_are_no_faults_of_c(release, scenario):
    document, text, _ = crashed(build(release), scenario)
    assert not any("fault" in stack for stack in document["stacks"])
    assert "OVERFLOW" not in text


@pytest.mark.parametrize("optimization", ["O0", "O2"])
def test_gcore_at_the_fault_agrees_with_gdb(release, optimization):
    """No handler has begun: the signal is known by the core's notes alone."""
    built = build(release, optimization)
    with stops.scratch() as folder:
        core, path = os.path.join(folder, "core"), os.path.join(folder, "notes")
        words = ["gdb", "-nx", "-batch", "-ex", "handle all nostop noprint pass", "-ex", "handle SIGSEGV stop print pass", "-ex", "run",
                 "-ex", "printf \"SIGINFO %d %d %lu\\n\", $_siginfo.si_signo, $_siginfo.si_code, $_siginfo._sifields._sigfault.si_addr",
                 "-ex", "printf \"SP %lu\\n\", $sp", "-ex", f"generate-core-file {core}", "-ex", "kill", "--args", *built.command("ping", path)]
        said = stops.run_checked(words, stops.CORE_TIMEOUT_S, "gdb")
        siginfo = re.search(r"SIGINFO (\d+) (\d+) (\d+)", said)
        if siginfo is None or not os.path.exists(core):
            raise StopError(f"gdb did not get to the fault:\n{said[-2000:]}")
        stack = faulted(tool.stacks_of("--all", "--core", core, "--exe", built.exe, allowed=(0, 4)))
        fault = stack["fault"]
        assert [11, fault["code"], int(fault["address"], 16)] == [int(number) for number in siginfo.groups()]
        assert int(fault["sp"], 16) == int(re.search(r"SP (\d+)", said)[1])
        assert fault["frame"] == 0 and fault["handler"] is None
        check_overflow(stack, OVERFLOWS["ping"], Notes.read(path))


def at_fault_in_lldb(built, scenario, folder, *more):
    """(what LLDB prints for `cgo bt --json` where the program stops for a signal, notes); with commands, after each of them too."""
    path = os.path.join(folder, "notes")
    # LLDB leaves a batch of commands when the program crashes, for these.
    words = [tool.LLDB, "--no-lldbinit", "-b", "-o", "settings set use-color false", "-o", f"plugin load {PLUGIN}",
             "-o", f"target create {built.exe}", "-o", "process handle SIGURG -s false -n false", "-o", f"run {scenario} {path}"]
    for command in ("", *more):
        words += ["-k", command] if command else []
        words += ["-k", "cgo bt --json --limit 1"]
    words += ["-k", "process kill", "-k", "quit"]
    for _ in range(ATTEMPTS):
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=tool.TIMEOUT_S, env=stops.run_environment(), check=False)
        assert done.returncode >= 0, done.stdout[-2000:]
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"schema"')]
        if len(lines) == 1 + len(more):
            return [json.loads(line)["stacks"][0] for line in lines], Notes.read(path)
        if "lost connection" not in done.stdout:
            break
    raise StopError(f"LLDB did not come to the fault:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")


@pytest.mark.parametrize("scenario", ["ping", "main-ping", "thread", "callback", "null", "guard", "go-nil"])
def test_live_in_lldb(release, scenario):
    built = build(release)
    with stops.scratch() as folder:
        (stack,), notes = at_fault_in_lldb(built, scenario, folder)
    if scenario in OVERFLOWS:
        check_overflow(stack, OVERFLOWS[scenario], notes)
        return
    fault = stack["fault"]
    assert fault["signal"] == "SIGSEGV"
    if scenario == "go-nil":
        # A method's receiver: the field lies 8 bytes into what is not there. Go's stacks are Go's.
        assert (fault["address"], fault["stack"]) == ("0x8", None)
        return
    assert int(fault["address"], 16) == notes.address
    assert fault["stack"]["overflow"] is False


@pytest.mark.parametrize("scenario, handler", [("loop-c", "returning_handler"), ("mends", "mending_handler"), ("jumps", "jumping_handler")])
def test_a_handler_of_c_is_named(release, scenario, handler):
    """At the fault, and at the first instruction of the handler, to which a step leads."""
    built = build(release)
    with stops.scratch() as folder:
        (at_fault, in_handler), notes = at_fault_in_lldb(built, scenario, folder, "thread step-inst")
    assert at_fault["fault"]["handler"] is None
    fault = in_handler["fault"]
    assert fault["handler"]["go"] is False
    assert fault["handler"]["place"]["function"] == handler
    for key in ("signal", "code", "address", "pc", "sp"):
        assert fault[key] == at_fault["fault"][key], key
    assert int(fault["address"], 16) == notes.address
    assert fault["access"] == ("write" if scenario == "mends" else "read")
    assert fault["stack"]["overflow"] is False


# The function at the fault, and the address it accesses.
LOOPS = {"loop-c": ("spin_in_c", 0xdead000), "loop-plain": ("spin_in_c", 0xdead000), "loop-go": ("main.(*box).second", 8)}
MOST_LOOKS = 40


def looks_at(process, path, rounds):
    """What `bt` says of the fault at each of several moments, and the innermost function."""
    for _ in range(rounds):
        count = Notes.read(path).depth
        document = tool.stacks_of("--all", "--pid", str(process.pid), allowed=(0, 4))
        found = [stack for stack in document["stacks"] if stack["thread"] and stack["thread"]["tid"] == Notes.read(path).tid]
        assert len(found) == 1
        yield found[0].get("fault"), found[0]["frames"][0]["function"]
        deadline = time.monotonic() + stops.START_TIMEOUT_S
        while Notes.read(path).depth == count:
            assert time.monotonic() < deadline, "the handler is not called any more"


@pytest.mark.parametrize("scenario", LOOPS)
def test_a_fault_loop_is_seen_between_two_calls_of_its_handler(release, scenario):
    """Most of the time the thread is in the kernel, and stops where the handler returned to."""
    function, address = LOOPS[scenario]
    with stops.scratch() as folder:
        path = os.path.join(folder, "notes")
        with stops.live(build(release), scenario, path) as process:
            for fault, innermost in looks_at(process, path, MOST_LOOKS):
                assert fault is not None, innermost
                assert (fault["signal"], int(fault["address"], 16), fault["access"]) == ("SIGSEGV", address, "read")
                if fault["handler"]:
                    continue
                assert fault["repeats"] is True
                assert innermost == function
                return
    raise StopError(f"not seen between two calls of the handler in {MOST_LOOKS} looks")


def test_faults_that_a_handler_mends_are_no_loop(release):
    with stops.scratch() as folder:
        path = os.path.join(folder, "notes")
        with stops.live(build(release), "mends", path) as process:
            for fault, innermost in looks_at(process, path, 6):
                assert fault is None or not fault["repeats"], innermost


# LLDB ends a batch of commands at the second crash after its own `continue`.
CONTINUE = "script lldb.debugger.GetSelectedTarget().GetProcess().Continue()"


@pytest.mark.parametrize("scenario, again", [("loop-c", True), ("mends", False)])
def test_the_second_fault_in_lldb(release, scenario, again):
    """LLDB stops at each fault before its handler runs."""
    with stops.scratch() as folder:
        (first, second), _ = at_fault_in_lldb(build(release), scenario, folder, CONTINUE)
    assert (first["fault"]["repeats"], second["fault"]["repeats"]) == (False, again)
    assert (first["fault"]["pc"] == second["fault"]["pc"]) or not again
