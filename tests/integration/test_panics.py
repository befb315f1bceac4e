"""`cgo break panic`: what it says becomes of each panic, against what the process does afterwards."""
import json
import re
import subprocess

import pytest

from harness import builds
from test_break import run

# Who is said to be first to recover each panic of a case, where that is not who recovers it in the end, by hand from the source:
# a call to recover that is not reached, panics that another one follows.
FIRST = {"may recover": ["main.mayRecover.func1"], "again": ["main.panicsAgain.func1", "main.openCoded.func1"],
         "while deferring": ["main.openCoded.func1"] * 2, "two in a row": ["main.openCoded.func1", "main.openCodedTwo.func1"]}
# Frames of C that are skipped then; one, `through`, in all others.
SKIPPED = {"open coded, two of C": [["through", "inner", "through_two"]], "inside": [[]], "C thread, inside": [[]], "again": [[], ["through"]],
           "twice through C": [["through", "through"]], "two in a row": [["through"], ["through", "inner", "through_two"]]}
VALUES = {"open coded": 'string("plain text")', "number": "int(4711)", "stringer": "main.color(1)"}
# LLDB may lose its server (see test_break.run): a few cases at a time.
CASES_A_RUN = 5


def pytest_generate_tests(metafunc):
    if "release" not in metafunc.fixturenames:
        return
    releases = metafunc.config.found_releases
    last = metafunc.config.getoption("--quick") or metafunc.function in (test_every_fate_without_optimization, test_every_fate_stripped,
                                                                       test_nothing_is_kept_of_another_panic)
    metafunc.parametrize("release", releases[-1:] if last else releases, ids=str)


def build(release, *arguments):
    return builds.go_build(release, "O2", "panics", "panics" + "".join(arguments).replace("=", "").replace(" ", ""), arguments)


def output(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                          check=False).stdout


def answers_of(program, names, *commands):
    """What was printed in each case, by its name."""
    out = {}
    for begin in range(0, len(names), CASES_A_RUN):
        some = names[begin:begin + CASES_A_RUN]
        answers = run(program, *commands, *[f"run {name}" for name in some])
        out.update({name: answers[f"run {name}"] for name in some})
    return out


def described(text):
    """(value, [who may recover it, in order], [frames skipped by each], whether the process will end) of each panic that was said."""
    out = []
    for block in re.findall(r"^#\d+ panic: .*\n(?:  .*\n)+", text, re.MULTILINE):
        chances = re.findall(r"^  (?:may be recovered|if not,) by (\S+) ", block, re.MULTILINE)
        skips = [re.findall(r"(\S+) at ", line) for line in re.findall(r"^    (?:skips then.*?: (.*)|no frame of C.*)$", block, re.MULTILINE)]
        out.append((re.match("#[0-9]+ panic: (.*)", block)[1], chances, skips, "nothing recovers it (" in block))
    return out


def cases_of(program):
    return [name for name in output(program).splitlines() if not name.startswith(("lock", "blocks", "many panics", "without C", "Goexit"))]


def check_every_fate(program, named=True):
    names = cases_of(program)
    assert len(names) >= 35
    answers = answers_of(program, names, "process handle SIGSEGV --pass true --stop false", "cgo break panic --log")
    for name in names:
        happened = re.findall(r"^recovered by (\S+): ", output(program, name), re.MULTILINE)
        said = described(answers[name])
        assert said, (name, answers[name])
        if name.startswith("nobody"):
            assert not happened and [one[1:] for one in said] == [([], [], True)], (name, said)
            continue
        assert happened and [one[1][0] for one in said] == FIRST.get(name, happened[:1] * len(said)), (name, said, happened)
        assert happened[-1] in said[-1][1] and not any(one[3] for one in said)
        skipped = [one[2][0] for one in said]
        expected = SKIPPED.get(name, [["through"]] * len(said))
        assert not named or skipped == expected, (name, said)
        if name in VALUES:
            assert said[0][0] == VALUES[name]


def test_every_fate(release):
    check_every_fate(build(release))


def test_every_fate_without_optimization(release):
    check_every_fate(build(release, "-gcflags=all=-N -l"))


def test_every_fate_stripped(release):
    check_every_fate(build(release, "-ldflags=-s -w"), named=False)


def test_each_panic_counts_once(release):
    """While goroutines preempt one another by signals, and their stacks grow."""
    program = build(release)
    answers = run(program, "cgo break panic --uncaught", "run many panics", "cgo break")
    count = int(re.search(r"^panics (\d+)$", answers["all"], re.MULTILINE)[1])
    assert f"{count} panics, {count} over C, 0 that nothing recovers\n" in answers["cgo break"]


def test_stops(release):
    """Where C is below, or with --all; --uncaught where nothing recovers; never at runtime.Goexit."""
    program = build(release)
    answers = run(program, "cgo break panic", "cgo break panic x", "cgo break panic --every 3", "run without C", "run Goexit", "run nobody")
    assert "takes no REGEX" in answers["cgo break panic x"] and "--every is not for panic" in answers["cgo break panic --every 3"]
    assert "panic: " not in answers["run Goexit"] and re.search("^over$", answers["all"], re.MULTILINE)
    assert re.search("^recovered by main.withoutC.func1: plain text$", answers["all"], re.MULTILINE)
    stopped = answers["run nobody"]
    assert answers["all"].count("stop reason = breakpoint 1.") == 1 and "stop reason = breakpoint 1." in stopped
    functions = re.findall(r"#\d+ (?:C\+\+|C|Go)\s+(\S+)", stopped[stopped.index("goroutine 1"):])
    assert functions[0] == "runtime.gopanic" and "through_two" in functions and functions[-1] == "main.main", functions
    answers = run(program, "cgo break panic --uncaught", "cgo break panic --all --log", "run without C", "run open coded", "run nobody: helper", "cgo break")
    assert answers["all"].count("stop reason = breakpoint 1.") == 1 and "stop reason" in answers["run nobody: helper"]
    assert [said[1] for said in described(answers["run without C"])] == [["main.withoutC.func1"]]


def test_calls_deferred_within_a_loop_over_a_function(release):
    """Since 1.23: the body's calls belong to the function around the loop."""
    if release.number < 23:
        pytest.skip("no range over functions")
    program = builds.go_build(release, "O2", "loops", "loops", ())
    answers = run(program, "cgo break panic --log", "run")
    said = described(answers["run"])
    assert len(said) == 1 and len(said[0][1]) == 1 and said[0][1][0].startswith("main.loop"), answers["run"]
    assert re.search(r"calls recover at main.go:29\), deferred by main.loop at", answers["run"]) and "recovered plain text" in answers["all"]


# The stack of the moment


def frames_of(answer):
    """The frames of the only stack outward from runtime.gopanic, and gaps."""
    frames = json.loads(re.search(r"^{.*}$", answer, re.MULTILINE)[0])["stacks"][0]["frames"]
    begin = next(i for i, frame in enumerate(frames) if frame.get("function") == "runtime.gopanic")
    return frames[begin + 1:]


def places(frames):
    return [(frame["function"], frame["file"], frame["line"], frame["pc"], frame.get("cfa")) for frame in frames]


def test_fatalpanic_shows_the_frames_that_were(release):
    program = build(release)
    then, now = "cgo bt --json", "cgo bt --raw --json"  # The same answers.
    answers = run(program, "cgo break panic", "breakpoint set -n runtime.fatalpanic", "run nobody", then, "continue", now, "cgo bt",
                  "cgo frame 12", "cgo locals")
    before, after = frames_of(answers[then]), frames_of(answers[now])
    assert places(before) == places(after) and not any(frame.get("kept") for frame in before)
    kept = [frame["function"] for frame in after if frame.get("kept")]
    assert "through" in kept and "through_two" in kept and not any(name.startswith("main.") and "_C" not in name for name in kept), kept
    text = answers["cgo bt"]
    assert text.count("~~ overwritten since: as it was when the panic began ~~") == 1 and text.count("~~ as it is now ~~") == 1
    number = re.search(r"#(\d+) C\s+through ", text)[1]
    answers = run(program, "cgo break panic", "breakpoint set -n runtime.fatalpanic", "run nobody", "continue", f"cgo frame {number}", "cgo locals")
    assert "overwritten after the panic began" in answers["all"], answers["cgo locals"]


def test_nothing_is_kept_of_another_panic(release):
    """Where the breakpoint does not watch, another panic could look the same."""
    program = build(release)
    for extra in (["breakpoint disable 1"], ["breakpoint delete 1"]):
        answers = run(program, "cgo break panic", "breakpoint set -n runtime.fatalpanic", "run nobody", *extra, "continue", "cgo bt --json")
        assert any("gap" in frame for frame in frames_of(answers["cgo bt --json"]))
    answers = run(program, "breakpoint set -n runtime.fatalpanic", "run nobody", "cgo bt --json")
    assert any("gap" in frame for frame in frames_of(answers["cgo bt --json"]))


# What the frames hold

LOCKS = {"lock: global": ["global_lock"], "lock: hidden": ["hidden_lock"], "lock: recursive": ["recursive_lock, locked 2 times"],
         "lock: in a block": ["C block of"], "lock: checking": ["checking_lock"], "lock: inheriting": ["inheriting_lock"],
         "lock: robust": ["robust_lock"], "lock: two": ["global_lock", "C block of"], "lock: free again": [], "lock: of another": [],
         "lock: on the stack": ["stack"]}


def check_locks(release, names):
    program = build(release)
    answers = answers_of(program, names, "cgo break panic --log")
    for name in names:
        block = re.search(r"^  thread \d+ holds (\d+) pthread mutex(?:es)?\n((?:    0x.*\n)*)", answers[name], re.MULTILINE)
        assert block, (name, answers[name])
        said = [line.split("  ", 1)[1] for line in block[2].replace("    0x", "0x").splitlines()]
        assert int(block[1]) == len(said) == len(LOCKS[name]), (name, said)
        for text in LOCKS[name]:
            assert any(text in line for line in said), (name, said)
        # Mutexes that outlive the frames are locked afterwards, if any thread asks for them.
        locked = re.findall("^locked: (.*)$", output(program, name), re.MULTILINE)
        assert len(locked) == len([text for text in LOCKS[name] if text != "stack"]), (name, locked)


def test_mutexes(release):
    check_locks(release, sorted(LOCKS))


def lost(text):
    block = re.search(r"^    loses \d+ blocks? of malloc.*\n((?:      0x.*\n)+)", text, re.MULTILINE)
    return {} if block is None else {int(one, 16): int(size) for one, size in re.findall(r"(0x[0-9a-f]+)  (\d+) bytes", block[1])}


def test_blocks(release):
    """Those of which the fixture says, from its source, that nothing else knows them; with malloc's rounding."""
    program = build(release)
    names = [f"blocks: {which}" for which in ("one", "of a global", "chain", "of a list", "freed", "middle", "large")]
    answers = answers_of(program, names, "cgo break panic --log")
    for name in names:
        owned = {int(at, 16): int(size) for at, size in re.findall(r"^owned (0x[0-9a-f]+) (\d+)$", answers[name], re.MULTILINE)}
        said = lost(answers[name])
        assert said.keys() == owned.keys(), (name, answers[name])
        assert all(0 <= said[at] - owned[at] < 4096 + 24 for at in owned), (name, said, owned)
        assert said or "no block of malloc is known to be lost then" in answers[name]
