"""`cgo signals` against what the kernel tells the program itself (sigaction, sigaltstack) and /proc."""
import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from harness import builds, stops, tool
from harness.paths import FIXTURES, HERE
from harness.stops import StopError

RELEASES = ("1.19", "1.21", "1.24", "1.27")
SIGNALS = range(1, 65)
SA_ONSTACK, SS_DISABLE = 0x08000000, 2


def pytest_generate_tests(metafunc):
    quick = metafunc.config.getoption("--quick")
    releases = metafunc.config.found_releases
    if "release" in metafunc.fixturenames:
        wanted = [one for one in releases if one.minor in RELEASES] or releases
        metafunc.parametrize("release", wanted[-1:] if quick else wanted, ids=str)


def build(release, kind="exe"):
    def go(name, *arguments):
        return builds.go_build(release, "O2", "signals", name, arguments)

    if kind == "pie":
        return builds.Built(go("signals-pie", "-buildmode=pie"))
    if kind == "pie-stripped":
        return builds.Built(go("signals-pie-stripped", "-buildmode=pie", "-ldflags=-s -w"))
    if kind == "stripped":
        return builds.Built(go("signals-stripped", "-ldflags=-s -w"))
    if kind == "c-shared":
        library = go("signals-shared", "-tags=lib", "-buildmode=c-shared")
        host = builds.compile_c(release, "O2", "dlopen_host", "hosts/dlopen_host.c", ["-ldl"])
        return builds.Built(host, (library,))
    return builds.Built(go("signals"))


class Truth:
    """What the fixture printed: `table` by signal, `threads` by name, `functions` by address."""

    def __init__(self, text):
        self.table, self.threads, self.functions = {}, {}, {}
        for line in text.splitlines():
            if not line.startswith("{"):
                continue
            keys = json.loads(line)
            if "signal" in keys:
                self.table[keys["signal"]] = keys
            elif "thread" in keys:
                self.threads[keys["tid"]] = keys
            else:
                self.functions = {address: name for name, address in keys.items()}
        # SIGURG is Go's from the beginning, in every build mode, and the fixture leaves it alone.
        self.go_handler = self.table[signal.SIGURG]["handler"]

    def action(self, number):
        handler = self.table[number]["handler"]
        return {0: "default", 1: "ignored"}.get(handler, "handler")

    def owner(self, number):
        if self.action(number) != "handler":
            return None
        return "go" if self.table[number]["handler"] == self.go_handler else "other"


@contextmanager
def running(built, what="table"):
    """(process, Truth) once it is ready."""
    with stops.scratch() as folder:
        path = os.path.join(folder, "stdout")
        with open(path, "w", encoding="utf-8") as out:
            process = subprocess.Popen(built.command(what), stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.DEVNULL, env=stops.run_environment())
        try:
            yield process, Truth(wait_for_ready(process, path))
        finally:
            stops.end(process)


@contextmanager
def running_busy(built):
    """(process, function that gives what it printed)."""
    with stops.scratch() as folder:
        path = os.path.join(folder, "stdout")
        with open(path, "w", encoding="utf-8") as out:
            process = subprocess.Popen(built.command("busy"), stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.DEVNULL, env=stops.run_environment())
        printed = []

        def output():
            return printed[0] if printed else wait_for_ready(process, path)

        try:
            wait_for_ready(process, path)
            yield process, output
            printed.append(wait_for_ready(process, path))
        finally:
            stops.end(process)


def wait_for_ready(process, path):
    deadline = time.monotonic() + stops.START_TIMEOUT_S
    while time.monotonic() < deadline:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if re.search(r"READY \d+\n", text):
            return text
        if process.poll() is not None:
            raise StopError(f"the fixture ended with {process.returncode}:\n{text}")
        time.sleep(0.02)
    raise StopError(f"the fixture did not get ready:\n{text}")


def names(bits):
    """Numbers in a mask of the kernel."""
    return {n for n in SIGNALS if bits >> (n - 1) & 1}


def number_of(name):
    found = re.fullmatch(r"SIGRTMIN(?:\+(\d+))?", name)
    if found:
        return 34 + int(found[1] or 0)
    if name.startswith("signal "):
        return int(name[7:])
    return int(getattr(signal, name, None) or {"SIGSTKFLT": 16}[name])


def numbers(texts):
    return None if texts is None else {number_of(text) for text in texts}


def status_of(pid, tid):
    with open(f"/proc/{pid}/task/{tid}/status", encoding="utf-8") as f:
        return {key: int(value, 16) for key, value in re.findall(r"^(Sig\w\w\w|ShdPnd):\t([0-9a-f]{16})$", f.read(), re.M)}


def check_certain(document, truth):
    """Nothing that is called exact may differ from the kernel's table, and what Go noted is only called noted."""
    assert [row["number"] for row in document["signals"]] == list(SIGNALS)
    for row in document["signals"]:
        number = row["number"]
        assert number_of(row["name"]) == number
        assert row["action"] in (truth.action(number), None), row
        if row["certainty"] == "exact":
            assert row["owner"] == truth.owner(number), row
        elif row["owner"] == "other":  # Not set by Go, but it may be Go's: other code can set that too.
            assert truth.owner(number) == "other" or number == 34 + 7
        if row["replaced"]:
            assert truth.owner(number) != "go", row


def check_masks(document, process, truth):
    """Of the threads that stand still; Go's own block everything for moments."""
    rows = {thread["tid"]: thread for thread in document["threads"]}
    for tid in truth.threads:
        thread, status = rows[tid], status_of(process.pid, tid)
        assert numbers(thread["blocked"]) == names(status["SigBlk"]), thread
        assert numbers(thread["pending"]) == names(status["SigPnd"]), thread


def go_notes(document):
    return {row["number"]: row["go"][0] for row in document["signals"]}


def line_of(marker):
    path = os.path.join(FIXTURES, "signals", "handlers.c")
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if f"// @{marker}\n" in line:
                return number
    raise AssertionError(marker)


def check_go_notes(document):
    """What Go found and does with it, by the fixture's source and the rules of os/signal."""
    notes = go_notes(document)
    for number, function, forwards in ((signal.SIGSEGV, "early_segv", True), (signal.SIGPIPE, "early_pipe", True),
                                       (signal.SIGUSR1, "early_usr1", False), (signal.SIGCONT, "before_notify", False)):
        note = notes[number]
        assert note["handling"] and note["found"] == "handler" and note["forwards"] is forwards, (number, note)
        found = note["found_handler"]
        assert found["function"] == function
        assert os.path.basename(found["file"]) == "handlers.c" and found["line"] == line_of(function)
    assert {n for n, note in notes.items() if note["notify"]} == {signal.SIGUSR2, signal.SIGCONT}
    assert notes[signal.SIGWINCH]["ignored"] and not notes[signal.SIGWINCH]["handling"]
    assert notes[signal.SIGHUP]["found"] == "default" and notes[signal.SIGKILL]["found"] is None


def check_noted_stacks(document, truth):
    """Where C set no stack after Go came to the thread, what Go noted is still true in this program."""
    rows = {thread["tid"]: thread for thread in document["threads"]}
    for tid, thread in truth.threads.items():
        stack = rows[tid]["alternate_stack"]
        if stack["kind"] is None:
            continue
        assert stack["certainty"] == "noted"
        assert (int(stack["base"], 16), stack["bytes"]) == (thread["base"], thread["bytes"]), (thread, stack)
    by_name = {thread["thread"]: rows[tid] for tid, thread in truth.threads.items()}
    assert by_name["locked"]["alternate_stack"]["kind"] == "go"
    assert by_name["stack_then_go"]["alternate_stack"]["kind"] == "other"
    for name in ("with_stack", "without_stack", *REFUSED):
        assert by_name[name]["machine"] is None
        assert by_name[name]["alternate_stack"]["kind"] is None


@pytest.mark.parametrize("kind", ["exe", "pie"])
def test_what_is_known_without_a_call(release, kind):
    with running(build(release, kind)) as (process, truth):
        document = tool.json_of("signals", "--pid", process.pid)
        check_masks(document, process, truth)
        status, text, _ = tool.run_tool("signals", "--pid", process.pid)
    assert status == 0
    check_certain(document, truth)
    assert all(row["action"] == truth.action(row["number"]) for row in document["signals"])
    check_go_notes(document)
    check_noted_stacks(document, truth)
    replaced = {row["number"] for row in document["signals"] if row["replaced"]}
    assert replaced == {signal.SIGXCPU, signal.SIGXFSZ}
    assert all(row["breaks_go"] is None for row in document["signals"])
    assert "as Go noted" in text and "OTHER CODE REPLACED IT" in text
    assert "Go hands it on to early_segv" in text


def test_a_library_in_a_host_of_c(release):
    with running(build(release, "c-shared")) as (process, truth):
        document = tool.json_of("signals", "--pid", process.pid)
        check_masks(document, process, truth)
    check_certain(document, truth)
    rows = {row["number"]: row for row in document["signals"]}
    notes = go_notes(document)
    # Go takes no asynchronous signals in a library: the handler stays, and Go has none of its own.
    assert rows[signal.SIGUSR1]["owner"] == "other" and rows[signal.SIGUSR1]["certainty"] == "noted"
    assert notes[signal.SIGUSR1]["found_handler"]["function"] == "early_usr1"
    assert notes[signal.SIGSEGV]["forwards"] and notes[signal.SIGSEGV]["found_handler"]["function"] == "early_segv"


@pytest.mark.parametrize("kind", ["stripped", "pie-stripped"])
def test_a_stripped_program(release, kind):
    with running(build(release, kind)) as (process, truth):
        document = tool.json_of("signals", "--pid", process.pid, allowed=(4,))
        check_masks(document, process, truth)
        asked = tool.json_of("signals", "--call", "--pid", process.pid, allowed=(4,))
    for thread in asked["threads"]:
        said, stack = truth.threads.get(thread["tid"]), thread["alternate_stack"]
        if said is None or said["thread"] in REFUSED:
            continue
        assert stack["certainty"] == "exact"
        if said["flags"] & SS_DISABLE:
            assert stack["kind"] == "none"
        else:  # Whether Go made it or found it is in debug information alone.
            assert (int(stack["base"], 16), stack["bytes"]) == (said["base"], said["bytes"])
            assert stack["kind"] == ("other" if said["thread"] == "with_stack" else None)
    assert "which alternate stacks Go's runtime set is not known" in document["partial"]
    check_certain(document, truth)
    assert all(row["action"] == truth.action(row["number"]) for row in document["signals"])
    notes = go_notes(document)
    for number in SIGNALS:  # The fixture's C took these after Go had.
        taken = number in (signal.SIGXCPU, signal.SIGXFSZ) or truth.owner(number) == "other" and number != 33
        assert notes[number]["handling"] == (truth.owner(number) == "go" or taken), number
    early = {name: address for address, name in truth.functions.items()}
    for number, function, forwards in ((signal.SIGSEGV, "early_segv", True), (signal.SIGUSR1, "early_usr1", False)):
        assert int(notes[number]["found_handler"]["address"], 16) == early[function]
        assert notes[number]["forwards"] is forwards and notes[number]["notify"] is None
    for row in asked["signals"]:
        if row["action"] == "handler":
            assert int(row["handler"]["address"], 16) == truth.table[row["number"]]["handler"]
            assert row["owner"] == truth.owner(row["number"])


def test_the_verdict_is_what_happens(release):
    """A signal of which it is said that its handler would break Go is sent to a thread of Go."""
    built = build(release)
    with running(built) as (process, _):
        document = tool.json_of("signals", "--call", "--pid", process.pid)
        text = tool.run_tool("signals", "--call", "--pid", process.pid)[1]
    row = document["signals"][34 + 7 - 1]
    assert row["breaks_go"] and row["owner"] == "go" and not row["replaced"]
    assert re.search(r"SIGRTMIN\+7: Go's handler .*\n.*\n    WITHOUT SA_ONSTACK: would break Go", text)
    done = subprocess.run(built.command("crash"), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          env={**stops.run_environment(), "GOTRACEBACK": "single"}, check=False)
    assert done.returncode == 2
    assert "non-Go code set up signal handler without SA_ONSTACK flag" in done.stderr


def flags_of(bits):
    known = {1: "SA_NOCLDSTOP", 2: "SA_NOCLDWAIT", 4: "SA_SIGINFO", 0x04000000: "SA_RESTORER", SA_ONSTACK: "SA_ONSTACK",
             0x10000000: "SA_RESTART", 0x40000000: "SA_NODEFER", 0x80000000: "SA_RESETHAND"}
    assert bits & ~sum(known) == 0
    return {name for bit, name in known.items() if bits & bit}


def all_status(process, truth):
    """What must not change: the process's handlers, and masks of the threads that stand still."""
    process_wide = status_of(process.pid, process.pid)
    return {**{tid: status_of(process.pid, tid) for tid in truth.threads},
            "process": (process_wide["SigCgt"], process_wide["SigIgn"])}


def check_kernel_table(document, truth):
    assert document["asked"] is not None
    for row in document["signals"]:
        number, said = row["number"], truth.table[row["number"]]
        assert row["certainty"] == "exact"
        assert (row["action"], row["owner"]) == (truth.action(number), truth.owner(number)), row
        assert set(row["flags"]) == flags_of(said["flags"]) and numbers(row["mask"]) == names(said["mask"]), row
        if row["action"] != "handler":
            assert row["handler"] is None and not row["breaks_go"]
            continue
        assert int(row["handler"]["address"], 16) == said["handler"]
        assert int(row["restorer"]["address"], 16) == said["restorer"]
        assert row["on_stack"] == bool(said["flags"] & SA_ONSTACK)
        assert row["breaks_go"] == (not row["on_stack"])
        name = truth.functions.get(said["handler"])
        if name is not None:
            assert (row["handler"]["function"], row["handler"]["line"]) == (name, line_of(name))
            assert os.path.basename(row["handler"]["file"]) == "handlers.c"
        if row["owner"] == "go":
            assert row["handler"]["function"] == "runtime.cgoSigtramp"


# The fixture's threads that must not be made to call anything, and why.
REFUSED = {"blocks_all": "blocks or ignores SIGTRAP", "in_ppoll": "waits with a mask of signals that is not its own",
           "filtered": "has a filter of system calls"}


def check_kernel_stacks(document, truth):
    rows = {thread["tid"]: thread["alternate_stack"] for thread in document["threads"]}
    for tid, thread in truth.threads.items():
        stack = rows[tid]
        if thread["thread"] in REFUSED:
            assert stack["kind"] is None and REFUSED[thread["thread"]] in stack["why"], stack
            continue
        assert stack["certainty"] == "exact", stack
        if thread["flags"] & SS_DISABLE:
            assert stack["kind"] == "none"
            continue
        assert (int(stack["base"], 16), stack["bytes"]) == (thread["base"], thread["bytes"])
        by_go = thread["thread"] not in ("with_stack", "stack_then_go")
        assert stack["kind"] == ("go" if by_go else "other"), (thread, stack)


@pytest.mark.parametrize("kind", ["exe", "pie", "c-shared"])
def test_what_the_kernel_says_when_asked(release, kind):
    with running(build(release, kind)) as (process, truth):
        before = all_status(process, truth)
        document = tool.json_of("signals", "--call", "--pid", process.pid)
        assert all_status(process, truth) == before
        check_masks(document, process, truth)
        status, text, _ = tool.run_tool("signals", "--call", "--pid", process.pid)
        assert all_status(process, truth) == before
        assert process.poll() is None
    assert status == 0
    check_kernel_table(document, truth)
    check_kernel_stacks(document, truth)
    assert "SIGALRM: not Go's handler  small_alarm  " in text and f"handlers.c:{line_of('small_alarm')}" in text
    assert "WITHOUT SA_ONSTACK: would break Go" in text


def test_nothing_notices_that_the_kernel_was_asked(release):
    """While Go collects garbage and threads wait in system calls that must not end: many times."""
    with running_busy(build(release)) as (process, output):
        driver = os.path.join(HERE, "harness", "signal_driver.py")
        os.environ["SIGNAL_ROUNDS"] = os.environ.get("SIGNAL_ROUNDS", "10")
        text = tool.run_lldb(f"process attach -p {process.pid}", f"command script import {driver}", "detach",
                             timeout=600 + 5 * int(os.environ["SIGNAL_ROUNDS"]))
        assert process.poll() is None
    assert f"DRIVER asked {os.environ['SIGNAL_ROUNDS']} times" in text, text[-3000:]
    assert "BROKEN" not in output()
    assert "HOOK" not in text.replace("HOOK')", "")


def test_where_the_kernel_cannot_be_asked(request):
    with running(build(request.config.found_releases[-1])) as (process, _):
        process.send_signal(signal.SIGSTOP)
        status, text, errors = tool.run_tool("signals", "--call", "--pid", process.pid)
        assert status == 3 and text == ""
        assert "the kernel cannot be asked here" in errors and "SIGSTOP" in errors
        process.send_signal(signal.SIGCONT)
        tool.json_of("signals", "--call", "--pid", process.pid)


def test_cores(release):
    built = build(release)
    with running(built) as (process, truth), stops.scratch() as folder:
        gcore, minidump = os.path.join(folder, "gcore"), os.path.join(folder, "minidump")
        stops.run_checked(["gdb", "-nx", "-batch", "-p", str(process.pid), "-ex", f"generate-core-file {gcore}"], 60, "gcore")
        tool.run_lldb(f"process attach -p {process.pid}", f"process save-core --plugin-name=minidump --style=full {minidump}",
                      "detach", plugin=False)
        first = [status_of(process.pid, process.pid) for _ in range(20)]  # Go blocks everything for moments.
        from_gcore = tool.json_of("signals", "--core", gcore, "--exe", built.exe, allowed=(4,))
        # LLDB leaves some of Go's memory out of its dumps; what is there has to be true.
        from_dump = tool.json_of("signals", "--core", minidump, "--exe", built.exe, allowed=(0, 4))
        status, text, errors = tool.run_tool("signals", "--call", "--core", gcore, "--exe", built.exe)
    assert status == 3 and "a core has no process" in errors and text == ""
    for document in (from_gcore, from_dump):
        check_certain(document, truth)
        check_go_notes(document)
    check_noted_stacks(from_gcore, truth)
    # gdb writes no masks, which is said and not taken for zero.
    assert all(thread["blocked"] is None for thread in from_gcore["threads"])
    assert "does not say which signals its threads block" in from_gcore["partial"]
    assert all(row["action"] is None and row["certainty"] != "exact" for row in from_gcore["signals"])
    assert all(row["action"] == truth.action(row["number"]) for row in from_dump["signals"])
    rows = {thread["tid"]: thread for thread in from_dump["threads"]}
    assert numbers(rows[process.pid]["blocked"]) in [names(status["SigBlk"]) for status in first]


def test_a_core_by_the_kernel(request):
    if not stops.kernel_writes_cores_here():
        pytest.skip("the kernel writes no cores here")
    built = build(request.config.found_releases[-1])
    with stops.scratch() as folder:
        process = subprocess.Popen(built.command("table"), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, env=stops.run_environment(), preexec_fn=stops.allow_core)
        try:
            text = b""
            while b"READY" not in text:
                chunk = os.read(process.stdout.fileno(), 65536)
                assert chunk
                text += chunk
            truth = Truth(text.decode())
            process.send_signal(signal.SIGSYS)  # Go has a handler, which dies with all masks of other threads as they were.
            process.wait(timeout=60)
        finally:
            stops.end(process)
        [core] = [name for name in os.listdir(folder) if name.startswith("core")]
        document = tool.json_of("signals", "--core", os.path.join(folder, core))
    rows = {thread["tid"]: thread for thread in document["threads"]}
    checked = 0
    for tid, thread in truth.threads.items():
        if thread["thread"] in ("with_stack", "without_stack"):
            pending = {10, 36} if thread["thread"] == "with_stack" else set()
            blocked = names(thread["blocked"])
            if numbers(rows[tid]["blocked"]) == blocked:  # SIGQUIT goes round the threads of Go only.
                checked += 1
            assert pending <= numbers(rows[tid]["pending"])
    assert checked >= 1
    check_certain(document, truth)


def test_in_lldb(request):
    with running(build(request.config.found_releases[-1])) as (process, _):
        text = tool.run_lldb(f"process attach -p {process.pid}", "cgo signals", "detach")
    assert "Go hands it on to early_segv" in text
    assert "pending SIGUSR1, SIGRTMIN+2" in text


def test_two_runtimes_in_a_process(request):
    """The library's runtime began last: it found the program's handlers, and hands on to them."""
    release = request.config.found_releases[-1]
    built = builds.build_two(release, release)
    with stops.live(built, "wait", 0) as process:
        document = tool.json_of("signals", "--pid", process.pid)
        asked = tool.json_of("signals", "--call", "--pid", process.pid)
    for answer in (document, asked):
        modules = [os.path.basename(one["module"]) for one in answer["runtimes"]]
        assert len(modules) == 2
        library = next(i for i, name in enumerate(modules) if "shared" in name)
        notes = {note["runtime"]: note for note in answer["signals"][signal.SIGSEGV - 1]["go"]}
        assert notes[library]["handling"] and notes[library]["forwards"]
        found = notes[library]["found_handler"]
        assert (found["function"], found["module"]) == ("runtime.cgoSigtramp", modules[1 - library])
        assert notes[1 - library]["handling"] and notes[1 - library]["found"] == "default"
    row = document["signals"][signal.SIGSEGV - 1]
    assert (row["owner"], row["certainty"], row["runtime"]) == ("go", "noted", None)
    row = asked["signals"][signal.SIGSEGV - 1]
    assert (row["owner"], row["certainty"], row["runtime"]) == ("go", "exact", library)
    # In a library Go takes no asynchronous signals: these are still the program's.
    assert asked["signals"][signal.SIGHUP - 1]["runtime"] == 1 - library
