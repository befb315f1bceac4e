"""`cgo break longjmp`: what it says a jump passes, against what the process does afterwards."""
import re
import signal
import subprocess

import pytest

from harness import builds
from test_break import run

USR1 = int(signal.SIGUSR1)
OVER_ONE = ["main._Cfunc_jump", "main.goCallsJump"]
# By hand from the fixture's source: what is said, the function that called setjmp, Go's frames that are jumped over.
CASES = {
    "within C": ("stays within C", "stays_in_c", []),
    "below a callback": ("stays within C", "stays_in_c", []),
    "out of a handler": ("stays within C", "out_of_a_handler", []),
    "to another stack": ("to another stack than this one", "other", []),
    "back from another stack": ("to another stack than this one", "back_from_another_stack", []),
    "over Go": ("jumps over 2 frames of Go", "over_go", OVER_ONE),
    "over Go by siglongjmp": ("jumps over 2 frames of Go", "over_go_by_siglongjmp", OVER_ONE),
    "over two callbacks": ("jumps over 4 frames of Go", "over_two", [*OVER_ONE, "main._Cfunc_call_go_again", "main.goCallsAgain"]),
    "in a thread of C": ("jumps over 2 frames of Go", "over_go", OVER_ONE),
    "to one that returned": ("the function that called setjmp has returned", "sets_and_returns", [])}


def pytest_generate_tests(metafunc):
    if "release" in metafunc.fixturenames:
        releases = metafunc.config.found_releases
        metafunc.parametrize("release", releases[-1:] if metafunc.config.getoption("--quick") else releases, ids=str)


def build(release, tags=(), optimization="O2"):
    return builds.go_build(release, optimization, "jumps", "jumps", tags)


def output(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("optimization", ["O2", "O0"])
def test_every_jump(release, optimization):
    program = build(release, optimization=optimization)
    names = output(program).splitlines()
    assert sorted(names) == sorted(CASES)
    answers = run(program, "process handle SIGSEGV SIGABRT SIGUSR1 --pass true --stop false", "cgo break longjmp --all --log",
                  *[f"run {number}" for number in range(len(names))])
    for number, name in enumerate(names):
        says, where, go = CASES[name]
        told = answers[f"run {number}"]
        said = re.search(r"^#1 longjmp by (\S+)(?: at .*)?\n  to (\S+) at .*jumps\.c:\d+, where setjmp returns (\d+)\n  (.*)\n((?:    .*\n)*)(.*)", told,
                         re.MULTILINE)
        assert said, (name, told)
        assert said[3] == ("1" if name in ("to another stack", "back from another stack") else str(USR1) if "handler" in name else "3"), name
        assert said[2] == where and said[4].startswith(says), (name, said[0])
        assert re.findall(r"^    (\S+) at", said[5], re.MULTILINE) == go, (name, said[0])
        happens = output(program, str(number))
        if name == "to one that returned":
            continue  # Nothing tells what happens then.
        assert "back" in happens, (name, happens)
        # Go finds that its frames are gone where it called the C that the jump leads to.
        assert ("exitsyscall: syscall frame is no longer valid" in happens) == ("Go ends the program" in said[6]), (name, happens)
        assert (happens.splitlines()[-1] == "over") == ("Go ends the program" not in said[6]), (name, happens)


def test_a_checked_longjmp(release):
    """Compiled with _FORTIFY_SOURCE the C library ends the program where a jump leads inward."""
    flags = {"CGO_CFLAGS": "-g -O2 -D_FORTIFY_SOURCE=2"}
    program = builds.go_build(release, "O2", "jumps", "jumps-checked", (), env_extra=flags)
    names = output(program).splitlines()
    inward, over = names.index("to another stack"), names.index("over Go")
    answers = run(program, "process handle SIGABRT --pass true --stop false", "cgo break longjmp --log", f"run {inward}", f"run {over}")
    assert "longjmp causes uninitialized stack frame ***" in output(program, str(inward))
    assert '__longjmp_chk ends the program ("longjmp causes uninitialized stack frame")' in answers[f"run {inward}"]
    assert "jumps over 2 frames of Go" in answers[f"run {over}"] and "__longjmp_chk" not in answers[f"run {over}"].split("goroutine 1")[0]


def test_stops_only_where_go_is_passed(release):
    program = build(release)
    names = output(program).splitlines()
    harmless, over = names.index("below a callback"), names.index("over Go")
    answers = run(program, "cgo break longjmp", "cgo break longjmp x", "cgo break longjmp --uncaught", f"run {harmless}", "cgo break", f"run {over}")
    assert "takes no REGEX" in answers["cgo break longjmp x"] and "--uncaught is not for longjmp" in answers["cgo break longjmp --uncaught"]
    assert "exited with status = 0" in answers[f"run {harmless}"] and "1 jump, 0 over Go" in answers["cgo break"]
    stop = answers[f"run {over}"]
    assert "stop reason = breakpoint 1." in stop
    functions = re.findall(r"#\d+ (?:C\+\+|C|Go)\s+(\S+)", stop[stop.index("goroutine 1"):])
    # run_case ends in a jump to the case where it is optimized.
    assert [name for name in functions[functions.index("main._Cfunc_jump"):] if name != "run_case"] == [
        "main._Cfunc_jump", "main.goCallsJump", "over_go", "main._Cfunc_run_case", "main.main"]
