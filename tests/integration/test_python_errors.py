"""Exceptions of Python that a crossing leaves pending, against what Python itself prints of them in the same run."""
import json
import re

import pytest

from harness import pythons
from test_break import run

PYTHONS = pythons.found()
OWN = next((p for p in PYTHONS.values() if p.home == "/usr"), None)
# Whose messages cannot be known without a call: a __str__ of Python's, arguments that are no plain text or several.
NO_MESSAGE = {"trouble.Speaks", "UnicodeDecodeError", "ExceptionGroup"}
NOT_PLAIN = {"('one', 2)", "['not plain']", "True", "another text"}
MOST = 300
ALL_CASES = 45
CASES_OF_C = 13


def pytest_generate_tests(metafunc):
    """The machine's own CPython with every Go release, the others with the last one."""
    if "python" not in metafunc.fixturenames:
        return
    releases = metafunc.config.found_releases
    quick = metafunc.config.getoption("--quick")
    pairs = [(release, OWN) for release in (releases[-1:] if quick else releases) if OWN and metafunc.function is not test_other_pythons]
    if metafunc.function is test_other_pythons:
        names = ["3.9", "3.13"] if quick else [minor for minor in pythons.MINORS if not OWN or minor != OWN.minor]
        pairs = [(releases[-1], PYTHONS.get(minor) or minor) for minor in names]
    elif metafunc.function is not test_every_exception:
        pairs = pairs[-1:]
    metafunc.parametrize("release,python", pairs or [(None, "of this machine")], ids=lambda value: str(value))


def build(release, python):
    if isinstance(python, str):
        pytest.skip(f"no CPython {python}: scripts/fetch-python says why")
    return python.build(release)


def start(python):
    return "settings set target.env-vars " + " ".join(f"{k}={v}" for k, v in python.environment().items())


def truths(text):
    return [json.loads(line) for line in re.findall(r"^TRUTH (.*)$", text, re.MULTILINE)]


def expected(truth):
    """What is to be said where Python says `truth`."""
    if truth["type"] is None:
        return None
    message = truth["message"]
    if truth["type"] in NO_MESSAGE or message in NOT_PLAIN:
        message = None
    elif len(message) > MOST:
        message = message[:MOST] + "…"
    return {"type": truth["type"], "message": message, "file": truth.get("file"), "line": truth.get("line"),
            "function": truth.get("function"), "before": False}


def in_words(truth):
    """The same as the line of a log ends with it."""
    said = expected(truth)
    text = said["type"] + (f": {said['message']}" if said["message"] else "")
    text += f" ({said['file']}:{said['line']} in {said['function']})" if said["file"] else ""
    return text.replace("\n", "\\x0a").replace("\t", "\\x09")


def records(answers, command="cgo trace show --limit 1000"):
    return [json.loads(line) for line in answers[command].splitlines() if line.startswith("{")]


def traced(python, program, regex, command):
    return run(program, start(python), f"cgo trace start {regex}", command, "cgo trace show --limit 1000")


def check_everything(release, python):
    """Every case in Python, and of C's; the verdict follows from what is pending."""
    program = build(release, python)
    # One process at a time: the end of what one prints may come out of LLDB after the next one's beginning.
    for command, count in (("run all", ALL_CASES), ("run c", CASES_OF_C + 1)):
        answers = traced(python, program, "'^(run_case|raise_in_c)$'", command)
        told, seen = truths(answers["all"]), records(answers)
        assert len(told) == len(seen) == count
        for truth, record in zip(told, seen):
            assert record["python"] == expected(truth), (record["python"], truth)
            assert (record["verdict"] == "python.pending") == (truth["type"] is not None)
        assert re.search(rf"^python {re.escape(python.minor)}\.", answers["all"], re.MULTILINE)


def test_every_exception(release, python):
    check_everything(release, python)


def test_other_pythons(release, python):
    check_everything(release, python)


def pending(text):
    """Of each line of a log: the function, its arguments, what is said of Python."""
    found = re.findall(r"^#\d+ (?:g\d+ )?t\d+ C returns to Go: (\w+)\((.*?)\)(.*)$", text, re.MULTILINE)
    return [(name, arguments, rest.partition(" [python.pending] ")[2]) for name, arguments, rest in found]


def test_logs_and_filter(release, python):
    """`--python` takes what is pending and nothing else; a stop says whether there was one before."""
    program = build(release, python)
    words = in_words(truths(python.output(program, "quiet"))[0])
    every = run(program, start(python), "cgo break return '^(look|clears|run_case)$' --log", "run quiet")
    assert pending(every["all"]) == [("look", "number=0", ""), ("clears", "number=0", ""), ("look", "number=1", ""), ("run_case", "number=0", words),
                                     ("look", "number=2", words), ("look", "number=3", "")]
    stops = run(program, start(python), "cgo break return . --python", "run quiet", "continue", "cgo break", "cgo break enter . --python")
    line = f"python.pending: Python exception pending: {words}; Go will not see it"
    assert re.search(rf"^  {re.escape(line)}$", stops["run quiet"], re.MULTILINE) and "stop reason = breakpoint 1." in stops["run quiet"]
    assert re.search(rf"^  {re.escape(line)} \(one was pending before the call, too\)$", stops["continue"], re.MULTILINE)
    assert re.search(r"1: cgo break return \. --python: \d+ arrivals, 2 fit", stops["cgo break"])
    assert "are known at the return only" in stops["cgo break enter . --python"]


def test_through_go_and_back(release, python):
    """Go → C → Python → C → Go → C: the inner call returns to Go with it, and the outer one with the same."""
    program = build(release, python)
    answers = traced(python, program, "'^(run_case|nested)$'", "run nested 13")
    inner, outer = records(answers)
    assert (inner["function"], outer["function"], inner["depth"], outer["depth"]) == ("run_case", "nested", 2, 1)
    assert outer["python"] == inner["python"] == expected(truths(answers["all"])[0])


def test_threads(release, python):
    """With the GIL taken and given back by goroutines on threads of their own; a thread has nothing of another's."""
    program = build(release, python)
    answers = traced(python, program, "'^(run_case|look)$'", "run threads")
    told, seen = truths(answers["all"]), records(answers)
    assert [r["python"] for r in seen if r["function"] == "run_case"] == [expected(truth) for truth in told]
    assert all(r["python"] is None for r in seen if r["function"] == "look") and len({r["thread"] for r in seen}) == 2
    answers = traced(python, program, "'^(look|within_gil)$'", "run released")
    # The first is on the thread that left it pending and gave the GIL away; a state that is gone has nothing any more.
    nothing, left = truths(answers["all"])
    assert [r["python"] for r in records(answers)] == [{**expected(left), "before": True}, None, None, None] and expected(nothing) is None


def test_events(release, python):
    program = build(release, python)
    script = ("script lldb_cgo.on_crossing('^raise_in_c$', lambda e: print('EVENT', e.verdict, e.python and e.python['message'], flush=True), "
              "when='return')")
    answers = run(program, start(python), "script import lldb_cgo", script, "run c")
    said = re.findall(r"^EVENT (\S+) (.*)$", answers["all"], re.MULTILINE)
    told = [expected(truth) for truth in truths(answers["all"])]
    assert said == [("python.pending", one["message"]) if one else ("None", "None") for one in told]
