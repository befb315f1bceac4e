"""`cgo break enter|return|callback`: what stops where, and how often, against what the fixture's source calls and counts itself."""
import os
import re
import subprocess

import pytest

from harness import builds, stops, tool
from harness.paths import CACHE, FIXTURES, PLUGIN

LLDB_19 = os.path.join(CACHE, "lldb-19", "lldb-19")
QUIET = ("settings set stop-line-count-before 0", "settings set stop-line-count-after 0")
PLUGIN_MINORS = ("1.19", "1.27")
KINDS = {"exe": (), "pie": ("-buildmode=pie",), "stripped": ("-ldflags=-s -w",)}


def pytest_generate_tests(metafunc):
    if "release" not in metafunc.fixturenames:
        return
    releases = metafunc.config.found_releases
    if metafunc.function is test_a_plugin_that_is_loaded_later:  # A plugin needs the standard library built once more.
        releases = [release for release in releases if release.minor in PLUGIN_MINORS] or releases[-1:]
    last = metafunc.config.getoption("--quick") or metafunc.function in (test_wrong_words, test_what_users_do_with_it, test_kinds)
    metafunc.parametrize("release", releases[-1:] if last else releases, ids=str)


def build(release, kind="exe"):
    return builds.go_build(release, "O2", "breaks", "breaks", KINDS[kind])


class Answers(dict):
    """What LLDB and the program printed to each command, by the command; and to all."""


LONG_TIMEOUT_S = 3 * tool.TIMEOUT_S  # Some run dozens of programs in one session.
ATTEMPTS = 4


def run(program, *commands, lldb=tool.LLDB):
    """Once more when LLDB has lost its own server: 22 does in up to one of five runs of a program that makes threads, and as
    often without the plugin (docs/known-limits.md)."""
    for _ in range(ATTEMPTS):
        text = printed(program, commands, lldb)
        if "lost connection" not in text:
            break
    answers, rest = Answers(all=text), text
    for command in commands:
        _, mark, rest = rest.partition(f"(lldb) {command}\n")
        assert mark, f"'{command}' was not reached: {text[-2000:]}"
        answers.setdefault(command, rest.split("\n(lldb) ")[0].split("(lldb) ")[0])
    return answers


def printed(program, commands, lldb):
    with stops.scratch() as folder:
        script = os.path.join(folder, "commands")
        with open(script, "w", encoding="utf-8") as f:
            f.write("\n".join((*QUIET, f"target create {program}", *commands)) + "\n")
        done = subprocess.run([lldb, "--no-lldbinit", "-b", "-o", "settings set use-color false", "-o", f"plugin load {PLUGIN}",
                               "-o", "settings set interpreter.stop-command-source-on-error false", "-o", f"command source {script}"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=LONG_TIMEOUT_S, check=False)
    assert done.returncode >= 0, done.stdout[-2000:]
    return done.stdout


def logged(text):
    """The lines that --log wrote, without what differs from run to run."""
    lines = re.findall(r"^#\d+ (?:g\d+ )?t\d+ (.*?)(?: \[moved from t\d+\])?$", text, re.MULTILINE)
    return [re.sub(r" [\d.]+ (ns|µs|ms|s)(?= \[|$)", "", re.sub(r"0x[0-9a-f]+", "0x…", line)) for line in lines]


def line_with(text):
    """The line of the fixture's Go source that has `text` first."""
    with open(os.path.join(FIXTURES, "breaks", "main.go"), encoding="utf-8") as source:
        return next(number for number, line in enumerate(source, 1) if text in line)


def stop_heads(text):
    """Of each stop that was described: what it says first."""
    return re.findall(r"^#\d+ ((?:Go|C) (?:calls|returns to) (?:Go|C): .*?)(?:, after .*)?$", text, re.MULTILINE)


def summary(answers, command="cgo break"):
    """Number of the breakpoint → the counts it prints."""
    found = {}
    for line in answers[command].splitlines():
        match = re.match(r"(\d+): cgo break .*: (\d+ arrivals.*)", line)
        if match:
            found[int(match[1])] = {what: int(n) for n, what in re.findall(r"(\d+) ([a-z ]+)", match[2])}
    return found


def printed_number(text, what):
    return int(re.search(rf"^{what} (\d+)$", text, re.MULTILINE)[1])


# Counting


def counted(program, calls, goroutines, lldb=tool.LLDB):
    return run(program, "cgo break enter '^add$' --if 'args.left < 0'", "cgo break return '^add$' --if 'result < -5'",
               "cgo break return '^nothing$' --if 'args.number < 0'", f"run count {calls} {goroutines}", "cgo break", lldb=lldb)


def check_counts(answers):
    calls = printed_number(answers["all"], "calls add")
    returned = {"arrivals": calls, "fit": 0, "open": 0, "never returned": 0}
    assert summary(answers) == {1: {"arrivals": calls, "fit": 0}, 2: returned, 3: returned}, answers["cgo break"]


def test_each_arrival_counts_once(release):
    """Goroutines that move between threads, others that allocate, and preemption by signals."""
    check_counts(counted(build(release), 400, 8))


def test_kinds(release):
    """Position-independent, and without the symbols and debug information of Go."""
    check_counts(counted(build(release, "pie"), 200, 4))
    answers = run(build(release, "stripped"), "cgo break enter '^add$' --log", "cgo break return '^add$' --log", "run count 60 3", "cgo break")
    calls = printed_number(answers["all"], "calls add")
    assert [counts["arrivals"] for counts in summary(answers).values()] == [calls, calls]


def test_calls_that_jump_on(release):
    """C's function has the frame that the exported one returns from: both return there, whatever LLDB steps over then."""
    answers = run(build(release), "cgo break return '^(add|passes_on|goCounts)$' --log", "cgo break callback '^goCounts$' --if 'args.number < 0'",
                  "run passes 20 4", "cgo break")
    calls = printed_number(answers["all"], "calls passes_on")
    lines = [line.split("(")[0] for line in logged(answers["all"])]
    assert calls == 80 and {line: lines.count(line) for line in set(lines)} == {
        "C returns to Go: add": calls, "C returns to Go: passes_on": calls, "Go returns to C: goCounts": calls}
    assert summary(answers) == {1: {"arrivals": 3 * calls, "open": 0, "never returned": 0}, 2: {"arrivals": calls, "fit": 0, "open": 0, "never returned": 0}}


NESTED = ("cgo break enter '^nested$' --log", "cgo break return 'ested$' --log", "cgo break callback . --log", "run nested 2")


def check_nested(answers):
    assert logged(answers["all"]) == ["Go calls C: nested(depth=2)", "C calls Go: goNested(depth=1)", "Go calls C: nested(depth=1)",
                                      "C calls Go: goNested(depth=0)", "Go calls C: nested(depth=0)", "C returns to Go: nested(depth=0) → 1",
                                      "Go returns to C: goNested → 1", "C returns to Go: nested(depth=1) → 2",
                                      "Go returns to C: goNested → 2", "C returns to Go: nested(depth=2) → 3"]


@pytest.mark.skipif(not os.access(LLDB_19, os.X_OK), reason="LLDB 19 could not be had (scripts/fetch-lldb-19)")
def test_lldb_19(release):
    """Not with many threads: a signal that comes while LLDB 19 steps over a breakpoint makes it stop there."""
    program = build(release)
    check_nested(run(program, *NESTED, lldb=LLDB_19))
    answers = run(program, "cgo break enter '^describe$' --hits 2", "run values", lldb=LLDB_19)
    assert stop_heads(answers["run values"]) == ["Go calls C: describe (errno is dropped)"]
    assert "stop reason = breakpoint 1.1" in answers["run values"]


# What is said


def test_values_of_both_sides(release):
    answers = run(build(release), "cgo break enter '^describe$'", "run values", "cgo break return '^(describe|half)$' --log", "continue", "continue")
    lines = re.sub("0x[0-9a-f]+", "0x…", answers["run values"]).splitlines()
    described = [line.strip() for line in lines if line.startswith("    ")]
    assert described[:3] == ['text const char * = 0x… "a text"  «Go: *C.char; C block of 24 bytes»',
                             "block void * = 0x… C block of 104 bytes  «Go: unsafe.Pointer»",
                             described[2]]
    assert described[2].startswith("point point_t = {x: 3, y: 4}")
    assert described[3:5] == ["level level_t = HIGH (7)  «Go: C.level_t»", "flag unsigned char = 200 '\\xc8'  «Go: C.uchar»"]
    assert re.search(rf"^  called by main\.values.* at .*/main\.go:{line_with('C.describe(text')}$", answers["run values"], re.MULTILINE)
    # The result of the call that was under way is not known to have been entered: the next one is.
    assert logged(answers["all"]) == ["C returns to Go: half(number=5) → 2.5",
                                      'C returns to Go: describe(text=0x… "a text", block=0x… main.counted, point={x: 0, y: 0}, '
                                      "level=LOW (1), flag=0 '\\x00') → 99"]


ERRNOS = ['fails(path=0x… "/nowhere") → -1 ENOENT (dropped) [errno.lost]',
          'fails(path=0x… "/nowhere") → -1 ENOENT',
          'works(path=0x… "/nowhere") → 0 ENOTTY [errno.on-success]',
          'fails(path=0x… "") → -1',
          "null_on_error(code=22) → NULL EINVAL (dropped) [errno.lost]",
          "null_on_error(code=22) → NULL EINVAL (as before) (dropped)"]


def test_errno(release):
    command = "cgo break return '^(fails|works|null_on_error)$' --log"
    answers = run(build(release), command, "run errno")
    assert logged(answers["all"]) == ["C returns to Go: " + line for line in ERRNOS]
    with_errno = run(build(release), command + " --errno", "run errno")
    assert logged(with_errno["all"]) == ["C returns to Go: " + line for line in ERRNOS[:3] + ERRNOS[4:]]


def test_nested(release):
    check_nested(run(build(release), *NESTED))


def test_a_function_that_does_nothing(release):
    """All that is left of it is one instruction: where it begins it ends. Its name for the argument is gone too."""
    answers = run(build(release), "cgo break return '^empty$' --log", "cgo break enter '^empty$' --log", "run empty", "cgo break")
    lines = logged(answers["all"])
    assert lines.count("Go calls C: empty(p0=0)") == 1 and lines.count("C returns to Go: empty(p0=2)") == 1 and len(lines) == 6
    assert summary(answers)[1] == {"arrivals": 3, "open": 0, "never returned": 0}


def test_threads_of_c(release):
    answers = run(build(release), "cgo break callback goCount --log", "run thread 5", "cgo break")
    assert logged(answers["all"]) == [f"C calls Go: goCount(number={i})" for i in range(5)]
    assert printed_number(answers["all"], "calls goCount") == 5


def never_returned(answers):
    return re.findall(r"^cgo break: (\w+) entered on thread \d+ never returned", answers["all"], re.MULTILINE)


def test_a_panic_passes_c(release):
    """It is recovered in Go three times; that the last call is over is known when the process has ended."""
    answers = run(build(release), "cgo break return '^(through_panic|goPanics)$' --log", "run panic 3", "cgo break")
    assert not logged(answers["all"])
    assert summary(answers)[1] == {"arrivals": 0, "open": 0, "never returned": 6}
    assert never_returned(answers) == ["through_panic", "goPanics"] * 2


def test_a_longjmp_passes_go(release):
    answers = run(build(release), "cgo break return '^(jump_out|goJumps|jump)$' --log", "run jump", "cgo break")
    assert logged(answers["all"]) == ["C returns to Go: jump_out() → 9"]
    assert summary(answers)[1] == {"arrivals": 1, "open": 0, "never returned": 2}
    assert never_returned(answers) == ["goJumps", "jump"]


def test_what_pointers_are(release):
    """One of each kind; what each is stands in the fixture's source."""
    answers = run(build(release), "cgo break enter '^takes$' --log", "run classes")
    told = re.findall(r"Go calls C: takes\(pointer=(?:0x[0-9a-f]+ )?(.*)\)(?: \[moved from t\d+\])?$", answers["all"], re.MULTILINE)
    expected = ["NULL", r"not mapped \(the number 7\)", "Go object of 24 bytes", "stack of goroutine 1", "main.counted", "a_variable_of_c", "C block of 24 bytes",
                "freed C block of (1000|1008) bytes", r"system stack of M \d+ \(thread \d+\)", "not mapped"]
    assert len(told) == len(expected)
    assert all(re.fullmatch(want, found) for want, found in zip(expected, told)), told


def loaded_later(release, kind):
    """Counts of a program that loads the fixture after the breakpoints were set."""
    if kind == "c-shared":
        library = builds.go_build(release, "O2", "breaks", "breaks-shared", ("-tags=lib", "-buildmode=c-shared"))
        host = builds.compile_c(release, "O2", "dlopen_host", "hosts/dlopen_host.c", ["-ldl"])
    else:
        library = builds.go_build(release, "O2", "breaks", "breaks-plugin", ("-tags=plug", "-buildmode=plugin"))
        host = builds.go_build(release, "O2", "hosts/plugin", "pluginhost", ())
    return run(host, "cgo break enter '^add$' --if 'args.left < 0'", "cgo break return '^add$' --if 'result < -5'",
               "cgo break return '^nothing$' --if 'args.number < 0'", f"run {library} count 60 3", "cgo break")


def test_a_library_that_is_loaded_later(release):
    answers = loaded_later(release, "c-shared")
    assert "no crossing fits in the modules there are" in answers["cgo break enter '^add$' --if 'args.left < 0'"]
    check_counts(answers)


def test_a_plugin_that_is_loaded_later(release):
    check_counts(loaded_later(release, "plugin"))


def test_a_goroutine_that_moves(release):
    program = build(release)
    answers = run(program, "cgo break enter '^on_thread$' --log", "cgo break return '^on_thread$' --moved --log", "run moves", "cgo break")
    threads = printed_threads(answers["all"])  # It may print after LLDB's next prompt.
    moved = [(str(b), str(a)) for a, b in zip(threads, threads[1:]) if a != b]
    assert moved and threads[-1] == threads[-2]
    assert re.findall(r"t(\d+) Go calls C: on_thread\(.*\[moved from t(\d+)\]$", answers["run moves"], re.MULTILINE) == moved
    assert re.findall(r"t(\d+) C returns to Go: on_thread\(.*\[moved from t(\d+)\]$", answers["run moves"], re.MULTILINE) == moved
    assert [counts.get("fit") for counts in summary(answers).values()] == [None, len(moved)]
    answers = run(program, "cgo break enter '^on_thread$' --moved", "run moves")
    text = answers["all"]  # What the program prints may come after LLDB's next prompt.
    first, second = printed_threads(text)[:1], re.findall(r"thread #\d+ \((\d+)\)", text)[:1]
    assert first and second, text
    assert f"its goroutine moved: the call before was on thread {first[0]}; it is not locked to a thread" in text
    assert int(second[0]) != first[0] and "stop reason = breakpoint 1." in text


def printed_threads(text):
    return [int(tid) for tid in re.findall(r"^call on (\d+)$", text, re.MULTILINE)]


def test_state_that_a_call_changes(release):
    answers = run(build(release), "cgo break return '^(block_signal|round_down|use_locale|add)$'", "run state", *["continue"] * 4)
    # Rounding down is 01 in bits 13-14 of mxcsr and in bits 10-11 of the x87 control word.
    assert re.search(r"blocked signals changed: none before, SIGUSR2 now$", answers["run state"], re.MULTILINE)
    mxcsr = re.search(r"mxcsr 0x(\w+) before, 0x(\w+) now", answers["all"])
    assert (int(mxcsr[1], 16) ^ int(mxcsr[2], 16)) & 0x6000 == 0x2000
    x87 = re.search(r"x87 control word changed: 0x(\w+) before, 0x(\w+) now", answers["all"])
    assert int(x87[1], 16) ^ int(x87[2], 16) == 0x400
    # By setlocale one category, by uselocale all the others.
    assert re.findall(r"\S.*locale changed: .*$", answers["all"], re.MULTILINE) == [
        "the locale changed: LC_NUMERIC C before, C.UTF-8 now", "the thread's locale changed: LC_CTYPE, LC_TIME, LC_COLLATE, LC_MONETARY, LC_MESSAGES, LC_PAPER, LC_NAME, LC_ADDRESS, LC_TELEPHONE, "
        "LC_MEASUREMENT, LC_IDENTIFICATION C before, C.UTF-8 now"]
    assert len(re.findall("changed:", answers["all"])) == 5, "add changes nothing"


# Which arrivals


def test_conditions(release):
    program = build(release)
    answers = run(program, "cgo break return '^sleep_ms$' --slower 200ms --log", "cgo break enter '^sleep_ms$' --every 2 --log",
                  "cgo break enter '^sleep_ms$' --hits 3 --log", "cgo break enter '^sleep_ms$' --if 'args.ms > 300 && depth == 1' --log",
                  "cgo break return '^sleep_ms$' --if 'duration_ns > 350000000' --log", "run slow", "cgo break")
    lines = re.findall(r"^#(\d+) g\d+ t\d+ (.*?)(?: \d+ ms)?(?: \[moved from t\d+\])?$", answers["all"], re.MULTILINE)
    assert sorted((int(n), text) for n, text in lines) == [
        (2, "C returns to Go: sleep_ms(ms=300)"), (2, "Go calls C: sleep_ms(ms=300)"), (3, "Go calls C: sleep_ms(ms=0)"),
        (4, "C returns to Go: sleep_ms(ms=400)"), (4, "C returns to Go: sleep_ms(ms=400)"),
        (4, "Go calls C: sleep_ms(ms=400)"), (4, "Go calls C: sleep_ms(ms=400)")]
    assert {counts["arrivals"] for counts in summary(answers).values()} == {4}


def test_by_line_of_go(release):
    """Two lines call `fails` with errno, two `describe`: only what the line calls stops."""
    with open(os.path.join(builds.FIXTURES, "breaks", "main.go"), encoding="utf-8") as f:
        lines = [number for number, line in enumerate(f, 1) if "C.describe(" in line]
    answers = run(build(release), f"cgo break enter --at main.go:{lines[1]} --log", "run values", "cgo break enter --at main.go:1", "cgo break")
    assert [line.split(",")[0] for line in logged(answers["all"])] == ['Go calls C: describe(text=0x… "a text"']
    assert "main.counted" in answers["run values"]
    assert summary(answers)[1]["arrivals"] == 2
    assert "no crossing fits" in answers["cgo break enter --at main.go:1"]


# As a breakpoint of LLDB's


def test_what_users_do_with_it(release):
    program = build(release)
    answers = run(program, "cgo break enter '^sleep_ms$' --if 'args.ms > 0'", "breakpoint command add 1 -o 'script print(\"my command\")'",
                  "run slow", "breakpoint list", "breakpoint disable 1", "continue")
    assert "my command" in answers["all"].split("(lldb) run slow")[1]
    assert re.search(r"^1: cgo break enter \^sleep_ms\$ --if args.ms > 0: 2 arrivals, 1 fit, .*hit count = 1$", answers["breakpoint list"], re.MULTILINE)
    assert "exited with status = 0" in answers["continue"]
    answers = run(program, "cgo break enter '^sleep_ms$'", "breakpoint modify -i 2 1", "run slow", "breakpoint delete 1", "cgo break", "continue")
    assert stop_heads(answers["run slow"])[-1:] == ["Go calls C: sleep_ms (errno is dropped)"] and "ms int = 0" in answers["run slow"]
    assert answers["cgo break"].startswith("0 breakpoints on crossings found")
    # A second run of the same target begins to count again.
    answers = run(program, "cgo break enter '^sleep_ms$' --log", "run slow", "run slow", "cgo break")
    assert len(logged(answers["all"])) == 8 and summary(answers)[1] == {"arrivals": 4}


@pytest.mark.parametrize("words, why", [
    ("entre x", "'entre' is nothing to stop at"), ("enter", "no name was given"), ("enter '['", "is no regular expression"),
    ("enter x --slower 10ms", "known at the return only"), ("return x --slower 10", "'10' is no duration"), ("enter x --every 0", "count from 1"),
    ("enter x --at main.go", "is no place in Go"), ("callback x --at main.go:3", "a line of Go that calls C"),
    ("enter x --if 'args.left =='", "a value is expected"), ("enter x --if 'result == 1'", "result is known at the return only"), ("enter x --hit 3", "did you mean '--hits'")])
def test_wrong_words(release, words, why):
    answers = run(build(release), f"cgo break {words}", "breakpoint list")
    assert why in answers[f"cgo break {words}"]
    assert "No breakpoints currently set." in answers["breakpoint list"]


def test_a_condition_that_cannot_be_decided_stops(release):
    answers = run(build(release), "cgo break enter '^add$' --if 'args.nope == 1'", "run state")
    assert "the condition cannot be decided: there is no args.nope; there is args.left, args.p0, args.p1, args.right" in answers["run state"]
    assert "stop reason = breakpoint 1.1" in answers["run state"]
