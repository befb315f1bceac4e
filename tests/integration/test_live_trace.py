"""`lldb-cgo trace`: a process that is attached to, and a program from its first instruction, against what the program
counts itself. What is traced goes on as it was, whatever becomes of the tracer."""
import functools
import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from harness import builds, stops, tool
from harness.paths import PROGRAM
from harness.processes import status_line, wait_for

DONE, BAD_ARGUMENTS, NO_TARGET, PARTIAL = 0, 2, 3, 4
KINDS = {"exe": (), "pie": ("-buildmode=pie",), "stripped": ("-ldflags=-s -w",)}
END_S = 60
EARLY = 1  # The crossing before main.


def pytest_generate_tests(metafunc):
    if "release" not in metafunc.fixturenames:
        return
    releases = metafunc.config.found_releases
    every = metafunc.function in (test_attach, test_a_program_from_its_start)
    if metafunc.config.getoption("--quick") or not every:
        releases = releases[-1:]
    metafunc.parametrize("release", releases, ids=str)


def build(release, kind="exe"):
    return builds.go_build(release, "O2", "traced", "traced", KINDS[kind], suffix=f"-{kind}")


class Traced:
    """The fixture, and what it answers."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        bufsize=1, env=stops.run_environment())
        self.pid = self.process.pid
        assert self.line() == "READY"

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def ask(self, text):
        self.say(text)
        return self.line()


@contextmanager
def traced(program):
    made = Traced(program)
    try:
        yield made
    finally:
        stops.end(made.process)


@contextmanager
def tracer(*words, **options):
    """lldb-cgo trace, once it traces."""
    usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([PROGRAM, "trace", *map(str, words)], text=True, **{**usual, **options})
    try:
        process.told = ""
        while ": tracing " not in process.told:
            line = process.stderr.readline()
            assert line, (process.wait(), process.told)
            process.told += line
        yield process
    finally:
        stops.end(process)


class Lost(Exception):
    """LLDB has lost its own server: 22 does in some runs of programs that make threads (docs/known-limits.md)."""


def check_not_lost(text):
    if "LLDB has lost the process" in text:
        raise Lost(text)


ATTEMPTS = 4


def again_when_lost(test):
    @functools.wraps(test)
    def attempt(*arguments, **named):
        for _ in range(ATTEMPTS - 1):
            try:
                return test(*arguments, **named)
            except Lost:
                continue
        return test(*arguments, **named)
    return attempt


def finish(process):
    """(status, stdout, stderr)"""
    out, err = process.communicate(timeout=END_S)
    check_not_lost(err)
    return process.returncode, out, process.told + err


def objects(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def check_code(pid):
    """The code in memory is that of the files."""
    compared = 0
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            words = line.split()
            if "x" not in words[1] or len(words) < 6 or not words[5].startswith("/"):
                continue
            begin, end = (int(part, 16) for part in words[0].split("-"))
            with open(words[5], "rb") as file:
                file.seek(int(words[2], 16))
                of_file = file.read(end - begin)
            memory.seek(begin)
            assert memory.read(len(of_file)) == of_file, line
            compared += len(of_file)
    assert compared > 100_000


def check_unharmed(program, counted):
    """It goes on, nobody traces it, and nothing of the tracer is left in it."""
    wait_for(lambda: status_line(program.pid, "TracerPid") == "0", "still traced")
    assert program.ask("counted") == f"counted {counted}"
    assert program.ask("calls 10 3") == f"counted {counted + 30}"
    check_code(program.pid)
    assert status_line(program.pid, "State")[0] in "SR"


# A process that runs


@pytest.mark.parametrize("kind", KINDS)
@again_when_lost
def test_attach(release, kind):
    with traced(build(release, kind)) as program:
        with tracer("--pid", program.pid, "^add$") as process:
            assert program.ask("calls 20 4") == f"counted {EARLY + 80}"
            process.send_signal(signal.SIGINT)
            status, out, err = finish(process)
        assert status == DONE, err
        records = objects(out)
        assert [r["sequence"] for r in records] == list(range(1, 81)) and {r["function"] for r in records} == {"add"}
        if kind != "stripped":
            calls = sorted((r["arguments"][0]["value"], r["arguments"][1]["value"], r["result"]["value"]) for r in records)
            assert calls == sorted((str(n), str(i), str(n + i)) for n in range(20) for i in range(4))
        assert "80 crossings came back" in err and "0 had not come back" in err
        check_unharmed(program, EARLY + 80)


@again_when_lost
def test_the_time_is_over(release):
    with traced(build(release)) as program, stops.scratch() as folder:
        assert program.ask("busy") == "busy"
        began = time.monotonic()
        path = os.path.join(folder, "records")
        status, out, err = tool.run_tool("trace", "--pid", program.pid, "--for", "4s", "--out", path, "--stats", "--json")
        check_not_lost(err)
        assert status == DONE and 4 < time.monotonic() - began < END_S, err
        with open(path, encoding="utf-8") as f:
            records = objects(f.read())
        document = json.loads(out)
        assert (document["schema"], document["engine"], document["lost_records"]) == ("lldb-cgo/crossings/1", "breakpoints", 0)
        assert sum(row["count"] for row in document["crossings"]) == len(records) > 0
        assert {row["function"] for row in document["crossings"]} == {"add"}
        wait_for(lambda: status_line(program.pid, "TracerPid") == "0", "still traced")
        check_code(program.pid)
        first = program.ask("counted")
        wait_for(lambda: program.ask("counted") != first, "it does not go on")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL], ids=str)
@again_when_lost
def test_ending_the_tracer(release, how):
    """Even where it cannot do anything about it."""
    with traced(build(release)) as program, stops.scratch() as folder:
        path = os.path.join(folder, "records")
        with tracer("--pid", program.pid, "--out", path) as process:
            program.ask("calls 5 2")
            process.send_signal(how)
            status = process.wait(END_S)
            check_not_lost(process.stderr.read())
        assert status == (DONE if how != signal.SIGKILL else -signal.SIGKILL)
        check_unharmed(program, EARLY + 10)
        with open(path, encoding="utf-8") as f:
            assert len([r for r in objects(f.read()) if r["function"] == "add"]) == 10


@again_when_lost
def test_lldb_dies(release):
    """In the middle of calls, with breakpoints in the code."""
    with traced(build(release)) as program:
        with tracer("--pid", program.pid, "--stats") as process:
            program.ask("calls 5 2")
            with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as f:
                child, = f.read().split()
            os.kill(int(child), signal.SIGKILL)
            status, out, err = finish(process)
        assert (status, out) == (NO_TARGET, "") and "LLDB ended\n  why: by a signal: Killed" in err
        check_unharmed(program, EARLY + 10)


def test_a_crash_of_lldb_is_said(release, tmp_path):
    source, library = tmp_path / "crash.c", tmp_path / "liblldb-crash.so"
    source.write_text("#include <stdlib.h>\n__attribute__((constructor)) static void crash(void) { abort(); }\n", encoding="utf-8")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    environment = {**os.environ, "LLDB_CGO_LIBLLDB": str(library)}
    with traced(build(release)) as program:
        done = subprocess.run([PROGRAM, "trace", "--pid", str(program.pid)], capture_output=True, text=True, env=environment,
                              timeout=END_S, check=False)
        assert (done.returncode, done.stdout) == (NO_TARGET, "") and "LLDB ended\n  why: by a signal: Aborted" in done.stderr
        check_unharmed(program, EARLY)


@pytest.mark.parametrize("command, status, what", [("exit 0", DONE, "exited with status 0"), ("exit 3", DONE, "exited with status 3"),
                                                   ("kill 9", PARTIAL, "was ended by a signal: Killed")])
@again_when_lost
def test_the_process_ends(release, command, status, what):
    with traced(build(release)) as program:
        with tracer("--pid", program.pid, "--stats", "--json") as process:
            program.ask("calls 5 1")
            program.say(command)
            done = finish(process)
        assert done[0] == status and what in done[2], done
        assert [row["count"] for row in objects(done[1])[0]["crossings"] if row["function"] == "add"] == [5]


@again_when_lost
def test_signals_come_through(release):
    with traced(build(release)) as program:
        assert program.ask("signals") == "notified"
        with tracer("--pid", program.pid, "--stats") as process:
            for number, words in ((signal.SIGUSR1, "user defined signal 1"), (signal.SIGINT, "interrupt"), (signal.SIGTERM, "terminated")):
                os.kill(program.pid, number)
                assert program.line() == f"got {words}"
            process.send_signal(signal.SIGINT)
            assert finish(process)[0] == DONE
        check_unharmed(program, EARLY)


@again_when_lost
def test_a_reader_that_goes_away_ends_the_trace(release):
    with traced(build(release)) as program:
        with tracer("--pid", program.pid) as process:
            process.stdout.close()
            program.ask("calls 1 1")
            status = process.wait(END_S)
            check_not_lost(process.stderr.read())
            assert status == DONE
        check_unharmed(program, EARLY + 1)


@again_when_lost
def test_what_cannot_be_written_is_said(release):
    with traced(build(release)) as program:
        with tracer("--pid", program.pid, "--out", "/dev/full") as process:
            program.ask("calls 3 1")
            process.send_signal(signal.SIGINT)
            status, _, err = finish(process)
        assert status == PARTIAL and "4 records could not be written: No space left on device" in err
        status, _, err = tool.run_tool("trace", "--pid", program.pid, "--out", "/nowhere/file")
        assert status == BAD_ARGUMENTS and "cannot write /nowhere/file: No such file or directory" in err
        check_unharmed(program, EARLY + 3)


def test_a_frozen_process_is_left_alone(release):
    with traced(build(release)) as program:
        os.kill(program.pid, signal.SIGSTOP)
        wait_for(lambda: status_line(program.pid, "State").startswith("T"), "not frozen")
        status, _, err = tool.run_tool("trace", "--pid", program.pid, "--for", "1s")
        assert status == NO_TARGET and "is stopped by a signal" in err
        assert status_line(program.pid, "State").startswith("T")


# A program from its start


def run_program(*words, said="", **options):
    for _ in range(ATTEMPTS):
        done = subprocess.run([PROGRAM, "trace", *map(str, words)], input=said, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=tool.TIMEOUT_S, check=False, **options)
        if "LLDB has lost the process" not in done.stderr:
            break
    return done


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_from_its_start(release, kind):
    """With its own streams and words, and what it calls before main."""
    with stops.scratch() as folder:
        path = os.path.join(folder, "records")
        done = run_program("--out", path, "^add$", "--", build(release, kind), "--stats", "word", said="calls 5 2\nexit 7\n")
        with open(path, encoding="utf-8") as f:
            records = objects(f.read())
    assert done.returncode == DONE, done.stderr
    assert done.stdout == f"READY\ncounted {EARLY + 10}\n"
    assert "early 3 --stats word\n" in done.stderr and "the program exited with status 7\n" in done.stderr
    assert len(records) == EARLY + 10 and records[0]["caller"].startswith("main.init")


def test_records_come_after_what_the_program_writes(release):
    done = run_program("--", build(release), said="calls 2 1\n")
    lines = done.stdout.splitlines()
    assert done.returncode == DONE and lines[:2] == ["READY", f"counted {EARLY + 2}"]
    assert [json.loads(line)["function"] for line in lines[2:]] == ["add"] * 3 + ["counted"]
    table = run_program("--stats", "--callers", "--", build(release), said="calls 2 1\n").stdout
    assert table.startswith("READY\n") and "Go → C add\n" in table and "  from main.calls" in table


@again_when_lost
def test_the_time_is_over_and_the_program_goes_on(release):
    with tracer("--for", "3s", "--stats", "--json", "--", build(release), stdin=subprocess.PIPE) as process:
        assert process.stdout.readline() == "READY\n"
        pid = int(process.told.partition(" of process ")[2].split()[0])
        wait_for(lambda: status_line(pid, "TracerPid") == "0", "still traced")
        process.stdin.write("calls 5 1\n")
        process.stdin.flush()
        assert process.stdout.readline() == f"counted {EARLY + 5}\n"
        check_code(pid)
        process.stdin.write("exit 4\n")
        process.stdin.flush()
        status, out, err = finish(process)
    assert status == DONE and "the program exited with status 4" in err
    assert [row["count"] for row in json.loads(out)["crossings"]] in ([EARLY], [])  # By how fast the machine is.


def test_a_program_that_is_killed(release):
    done = run_program("--stats", "--", build(release), said="kill 9\n")
    assert done.returncode == PARTIAL and "the program was ended by a signal: Killed" in done.stderr and "Go → C add" in done.stdout


@again_when_lost
def test_a_signal_for_the_tracer_is_one_for_the_program(release):
    with tracer("--stats", "--", build(release), stdin=subprocess.PIPE) as process:
        assert process.stdout.readline() == "READY\n"
        process.send_signal(signal.SIGTERM)
        process.wait(END_S)  # Its stdin is open to the end.
        status, out, err = finish(process)
    assert status == PARTIAL and "the program was ended by a signal: Terminated" in err and "Go → C add" in out


@again_when_lost
def test_ctrl_c_of_the_terminal_is_the_programs(release):
    """In a session of its own, whose terminal sends it to all."""
    import pty
    ours, theirs = pty.openpty()

    def take_terminal():
        os.setsid()
        import fcntl
        import termios
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with tracer("--stats", "--", build(release), stdin=theirs, preexec_fn=take_terminal) as process:
        os.close(theirs)
        assert process.stdout.readline() == "READY\n"
        os.write(ours, b"signals\n")
        assert process.stdout.readline() == "notified\n"
        os.write(ours, b"\x03")
        assert process.stdout.readline() == "got interrupt\n"
        os.write(ours, b"exit 5\n")
        status, _, err = finish(process)
        os.close(ours)
    assert status == DONE and "the program exited with status 5" in err


@pytest.mark.parametrize("words, why", [("/nowhere/program", "No such file or directory"), ("/etc/passwd", "Permission denied"),
                                        ("/", "Permission denied")])
def test_what_cannot_be_started(words, why):
    done = run_program("--", words)
    assert (done.returncode, done.stdout) == (NO_TARGET, "") and f"cannot execute {words}: {why}" in done.stderr


@pytest.mark.parametrize("words, why", [
    ((), "there is nothing to trace"), (("--",), "there is nothing to trace"), (("--pid", "1", "--", "true"), "--pid and a program"),
    (("--pid", "1", "--for", "10"), "'10' is no duration"), (("--pid", "1", "--for", "0s"), "'0s' is no duration"),
    (("--pid", "1", "["), "is no regular expression"), (("--pid", "1", "--callers"), "--callers is for statistics"),
    (("--core", "x"), "no flag '--core'"), (("a", "b"), "one argument too many")])
def test_wrong_words(words, why):
    done = run_program(*words)
    assert (done.returncode, done.stdout) == (BAD_ARGUMENTS, "") and why in done.stderr


def test_no_such_process():
    done = run_program("--pid", 2 ** 22 + 7)
    assert (done.returncode, done.stdout) == (NO_TARGET, "") and "there is no process" in done.stderr


def test_two_runtimes(request):
    """Both count, each its own."""
    releases = request.config.found_releases
    built = builds.build_two(releases[-1], releases[0])
    done = run_program("--stats", "--json", "--", *built.command("return", "2"))
    assert done.returncode == DONE, done.stderr
    counts = {row["function"]: row["count"] for row in objects(done.stdout)[0]["crossings"]}
    # malloc is C.CString of the host; c_outer and goNest are the library's.
    assert counts == {"load": 1, "enter_library": 1, "malloc": 2, "free": 1, "MixRun": 1, "c_outer": 2, "goNest": 1}
