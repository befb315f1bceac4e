"""`cgo trace` and lldb_cgo.on_crossing, against what the fixture's source does."""
import json
import os

import pytest

from harness import builds, stops
from test_break import build, run

MALLOCS = 2  # Of C.CString in errnos().


def pytest_generate_tests(metafunc):
    if "release" not in metafunc.fixturenames:
        return
    releases = metafunc.config.found_releases
    metafunc.parametrize("release", releases[-1:] if metafunc.config.getoption("--quick") else releases, ids=str)


def objects(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def line_of(text):
    with open(os.path.join(builds.FIXTURES, "breaks", "main.go"), encoding="utf-8") as f:
        return next(number for number, line in enumerate(f, 1) if text in line)


def test_records(release):
    answers = run(build(release), "cgo trace start", "run errno", "cgo trace show", "cgo trace show --limit 1", "cgo trace stop")
    records = objects(answers["cgo trace show"])
    assert [r["sequence"] for r in records] == list(range(1, MALLOCS + 7))
    assert [r["time_ns"] for r in records] == sorted(r["time_ns"] for r in records)
    seen = [(r["function"], r["form"], r["errno"], r["errno_seen_by_go"], r["verdict"], r["result"]["value"]) for r in records[MALLOCS:]]
    assert [s[:5] for s in seen] == [("fails", "Cfunc", "ENOENT", False, "errno.lost"), ("fails", "C2func", "ENOENT", True, None),
                                     ("works", "C2func", "ENOTTY", True, "errno.on-success"), ("fails", "C2func", None, True, None),
                                     ("null_on_error", "Cfunc", "EINVAL", False, "errno.lost"), ("null_on_error", "Cfunc", "EINVAL", False, None)]
    assert [r["errno_unchanged"] for r in records[MALLOCS:]] == [False] * 5 + [True]
    assert [r["arguments"][0]["name"] for r in records[MALLOCS:]] == ["path"] * 4 + ["code"] * 2
    assert all(r["goroutine"] == 1 and r["depth"] == 1 and r["duration_ns"] > 0 and r["direction"] == "go_to_c" for r in records)
    assert records[MALLOCS]["caller"].startswith("main.errnos") and records[MALLOCS]["caller"].endswith(f"main.go:{line_of('fails dropped')}")
    assert objects(answers["cgo trace show --limit 1"]) == records[-1:]
    assert answers["cgo trace stop"] == f"{MALLOCS + 6} crossings came back; the trace has ended\n"


def test_statistics(release):
    answers = run(build(release), "cgo trace start '^(fails|sleep_ms|.*ested)$'", "run errno", "run slow", "run nested 3",
                  "cgo trace stats --json", "cgo trace stats --callers", "cgo trace stop", "breakpoint list")
    document = objects(answers["cgo trace stats --json"])[0]
    assert (document["schema"], document["engine"], document["lost_records"]) == ("lldb-cgo/crossings/1", "breakpoints", 0)
    rows = {(row["function"], row["form"]): row for row in document["crossings"]}
    counts = {key: (row["count"], row["open"], row["errors"]) for key, row in rows.items()}
    assert counts == {("fails", "Cfunc"): (1, 0, {"ENOENT": 1}), ("fails", "C2func"): (2, 0, {"ENOENT": 1}), ("sleep_ms", "Cfunc"): (4, 0, {}),
                      ("nested", "Cfunc"): (4, 0, {}), ("goNested", "export"): (3, 0, {})}
    slow = rows["sleep_ms", "Cfunc"]
    assert 400e6 <= slow["max_ns"] < 3e9 and 700e6 <= slow["total_ns"] and slow["p50_ns"] < 300e6 and slow["p99_ns"] == slow["max_ns"]
    assert sum(caller["count"] for caller in rows["fails", "C2func"]["callers"]) == len(rows["fails", "C2func"]["callers"]) == 2
    assert f"main.go:{line_of('fails dropped')}  1 ENOENT" in answers["cgo trace stats --callers"]
    assert "No breakpoints currently set." in answers["breakpoint list"]


@pytest.mark.parametrize("words, why", [("nope", "'nope' is nothing to do"), ("stop", "no trace runs"), ("show", "no trace was started"),
                                        ("stats x", "takes no REGEX"), ("start '['", "is no regular expression")])
def test_wrong_words(words, why, request):
    release = request.config.found_releases[-1]
    assert why in run(build(release), f"cgo trace {words}")[f"cgo trace {words}"]


SCRIPT = """
import lldb_cgo
def wants(event):
    print("EVENT", event.event, event.function, event.goroutine, event.arguments["ms"].python(), event.depth, flush=True)
    return event.arguments["ms"].python() == 300
def fails(event):
    raise ValueError("of the script")
def returned(event):
    print("RETURN", event.function, event.result.python(), event.errno, event.errno_seen_by_go, event.verdict, flush=True)
point = lldb_cgo.on_crossing("^sleep_ms$", wants, condition="args.ms < 400")
lldb_cgo.on_crossing("^fails$", returned, when="return")
lldb_cgo.on_crossing("^null_on_error$", fails)
"""


def test_scripts_decide(release):
    with stops.scratch() as folder:
        script = os.path.join(folder, "script_of_a_user.py")
        with open(script, "w", encoding="utf-8") as f:
            f.write(SCRIPT)
        load = f"command script import {script}"
        answers = run(build(release), load, "run slow", "breakpoint list 1", "continue", "run errno", "script lldb_cgo.on_crossing('[', print)",
                      "script lldb_cgo.on_crossing('x', print, when='never')")
    events = [line for line in answers["all"].splitlines() if line.startswith("EVENT")]
    assert events == ["EVENT enter sleep_ms 1 0 1", "EVENT enter sleep_ms 1 300 1", "EVENT enter sleep_ms 1 0 1"]
    assert "stop reason = breakpoint 1.1" in answers["run slow"] and "hit count = 1" in answers["breakpoint list 1"]
    returns = [line for line in answers["all"].splitlines() if line.startswith("RETURN")]
    assert returns == ["RETURN fails -1 ENOENT False errno.lost", "RETURN fails -1 ENOENT True None", "RETURN fails -1 None True None"]
    # A callback that raises: the process stops, and the reason is there.
    assert "ValueError: of the script" in answers["all"] and "stop reason = breakpoint 3.1" in answers["run errno"]
    assert "is no regular expression" in answers["script lldb_cgo.on_crossing('[', print)"]
    assert "'never' is nothing to stop at" in answers["script lldb_cgo.on_crossing('x', print, when='never')"]


