"""`cgo break exception`: what it says becomes of each exception, against what the process does afterwards."""
import re
import subprocess

from harness import builds
from test_break import run

# What is thrown in some cases, by hand from the fixture's source.
SAYS = {"runtime_error": 'C++ exception std::runtime_error: "bad magic"', "int": "C++ exception int",
        "out_of_range as logic_error": 'C++ exception std::out_of_range: "index 7"',
        "own failure behind a base": 'C++ exception (anonymous namespace)::Behind: "behind another base"',
        "system_error": 'C++ exception std::system_error: "open: No such file or directory"', "bad_alloc": "C++ exception std::bad_alloc",
        "text": 'C++ exception char const*: "a plain text"', "enum": "C++ exception (anonymous namespace)::Color",
        "pointer to base": "C++ exception (anonymous namespace)::Leaf*"}
ENDS = {"nobody": "no handler before the boundary: it comes to Go (main._Cfunc_run_case", "in a thread": "no handler: ",
        "noexcept": "ends in (anonymous namespace)::lets_nothing_out(", "outer handler beyond Go": "no handler before the boundary: it comes to Go ("}


def pytest_generate_tests(metafunc):
    if "release" not in metafunc.fixturenames:
        return
    releases = metafunc.config.found_releases
    last = metafunc.config.getoption("--quick") or metafunc.function is test_every_fate_without_optimization
    metafunc.parametrize("release", releases[-1:] if last else releases, ids=str)


def build(release, optimization="O2"):
    return builds.go_build(release, optimization, "throws", "throws", ())


def output(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False).stdout


def what_happens(program, number):
    """The handlers that the process came to, and END when it was terminated."""
    printed = output(program, str(number))
    return re.findall(r"^caught (\w+)$", printed, re.MULTILINE) + ([] if re.search("^over$", printed, re.MULTILINE) else ["END"])


def described(text):
    """(what, fate) of each exception that was said."""
    found = re.findall(r"^#\d+ (.*)\n(?:  its type.*\n)?  thrown by (.*)\n  (.*)$", text, re.MULTILINE)
    return [(what, end) for what, _, end in found]


def fate(text):
    match = re.match(r"caught by (?:\(anonymous namespace\)::)?(\w+)\(.* at .*throws\.cpp:\d+, catch \(", text)
    ends = text.startswith(("no handler", "ends in "))
    return match[1] if match else "END" if ends else text


def test_every_fate(release):
    check_every_fate(build(release))


def test_every_fate_without_optimization(release):
    check_every_fate(build(release, "O0"))


def check_every_fate(program):
    names = [name for name in output(program).splitlines() if not name.startswith("forced")]
    assert len(names) >= 40
    runs = [f"run {number}" for number in range(len(names))]
    # LLDB ends a script at a crash: the process shall end by itself.
    answers = run(program, "process handle SIGABRT --pass true --stop false", "cgo break exception --log", *runs)
    for number, name in enumerate(names):
        said = described(answers[f"run {number}"])
        assert [fate(text) for _, text in said] == what_happens(program, number), (name, said)
        if name in SAYS:
            assert said[0][0] == SAYS[name]
        if name in ENDS:
            assert said[-1][1].startswith(ENDS[name]), said


# What is said, after "unwinding by force: …", and what the process prints.
FORCED = {
    "a thread ends itself": ("begun by (anonymous namespace)::ends_itself(", ["no handler can end it; it is no error, the process goes on"],
                             ["cleaned up", "over"]),
    "a thread is cancelled": ("begun by (anonymous namespace)::waits(", ["no handler can end it; it is no error, the process goes on"],
                              ["cleaned up", "over"]),
    "catch throws on": ("begun by (anonymous namespace)::ends_itself(",
                        ["enters a catch of (anonymous namespace)::throws_force_on(void*), which has to throw it on: else the C library ends the process",
                         "no other handler can end it; thrown on, it is no error"], ["cleaned up", "entered catch", "over"]),
    "catch does not throw on": ("begun by (anonymous namespace)::ends_itself(",
                                ["enters a catch of (anonymous namespace)::swallows_force(void*), which has to throw it on: else the C library ends the process",
                                 "no other handler can end it; thrown on, it is no error"], ["cleaned up", "entered catch"]),
    "noexcept": ("begun by (anonymous namespace)::ends_itself(",
                 ["comes to (anonymous namespace)::lets_no_force_out(void*), which lets nothing out (noexcept): std::terminate"], ["cleaned up"]),
    "Go's thread": ("begun by (anonymous namespace)::ends_itself(", ["jumps over Go (main._Cfunc_run_case at"], ["cleaned up", "over"])}


def test_unwinding_by_force(release):
    """A thread that ends is no exception: never said to end the process where it goes on."""
    program = build(release)
    names = output(program).splitlines()
    cases = {number: name[len("forced: "):] for number, name in enumerate(names) if name.startswith("forced: ")}
    assert sorted(cases.values()) == sorted(FORCED)
    answers = run(program, "process handle SIGABRT --pass true --stop false", "cgo break exception --log", *[f"run {number}" for number in cases])
    for number, name in cases.items():
        begun, ends, printed = FORCED[name]
        # The program's own lines among LLDB's: in this order.
        told = answers[f"run {number}"]
        assert [line for line in output(program, str(number)).splitlines() if line in ("cleaned up", "entered catch", "over")] == printed
        said = re.search(r"^unwinding by force: the thread ends \(pthread_exit, or it was cancelled\)\n  (.*)\n((?:  .*\n)+)", told, re.MULTILINE)
        assert said, (name, told)
        assert said[1].startswith(begun), name
        lines = [line.strip() for line in said[2].splitlines()]
        assert len(lines) == len(ends) and all(line.startswith(end) for line, end in zip(lines, ends)), (name, lines)
        assert told.count("unwinding by force") == 1, name
    assert not described(answers["all"]) and "will terminate" not in answers["all"]


def test_stops(release):
    """At the throw, with the whole stack; --uncaught only at those that end the process."""
    program = build(release)
    names = output(program).splitlines()
    nobody, caught = names.index("runtime_error nobody"), names.index("thrown on to nobody")
    answers = run(program, "cgo break exception", "cgo break exception x", "cgo break exception --every 3", f"run {nobody}", "breakpoint list")
    assert "takes no REGEX" in answers["cgo break exception x"] and "--every is not for exception" in answers["cgo break exception --every 3"]
    first = answers[f"run {nobody}"]
    assert 'C++ exception std::runtime_error: "bad magic"' in first and "stop reason = breakpoint 1." in first
    stack = first[first.index("goroutine 1"):]
    functions = re.findall(r"#\d+ (?:C\+\+|C|Go)\s+(\S+)", stack)
    assert functions[:2] == ["_Unwind_RaiseException", "__cxa_throw"] and "-- Go called C --" in stack and "main.main" in functions
    assert "cgo break exception: 1 thrown, 1 without a handler" in answers["breakpoint list"]
    answers = run(program, "cgo break exception --uncaught", f"run {caught}", "cgo break")
    # Caught first, then thrown on to nobody: that is the one.
    second = answers[f"run {caught}"]
    assert [fate(text) for _, text in described(second)] == ["END"] and "stop reason = breakpoint 1." in second
    assert "2 thrown, 1 without a handler" in answers["cgo break"]
