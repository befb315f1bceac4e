"""lldb_cgo.sched() and lldb_cgo.signals() of Python."""
import json
import os

from harness import tool
from test_sched import running as locks_running
from test_signals import build, running as signals_running


def pytest_generate_tests(metafunc):
    releases = [one for one in metafunc.config.found_releases if one.minor in ("1.19", "1.21", "1.24", "1.27")]
    releases = releases or metafunc.config.found_releases
    metafunc.parametrize("release", releases[-1:] if metafunc.config.getoption("--quick") else releases, ids=str)


SCHED = """
import json, lldb_cgo
found = lldb_cgo.sched()
[runtime] = found.runtimes
holder = found.mutex_waits[0].holder
stack = next(s for s in found.stacks if s.goroutine.id == holder.goroutine)
names = [f.function for f in stack.frames if isinstance(f, lldb_cgo.Frame)]
machine = next(m for m in runtime.machines if m.thread is not None and m.thread.tid == found.mutex_waits[0].waiter.thread.tid)
print(json.dumps({
    "mutex": [(w.mutex, w.what, w.owner_tid, w.deadlock, w.holder.thread.tid) for w in found.mutex_waits],
    "names": names, "gomaxprocs": runtime.scheduler.gomaxprocs, "processors": [p.id for p in runtime.scheduler.processors],
    "in_c": machine.in_c, "frame": machine.frame.function, "machines": sorted(m.procid for m in runtime.machines if m.procid)}))
"""


def test_sched(release, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCHED, encoding="utf-8")
    with locks_running(release, "callback") as (process, _, _):
        status, out, err = tool.run_tool("script", script, "--pid", process.pid)
        document = tool.json_of("sched", "--pid", process.pid)
        tids = {int(name) for name in os.listdir(f"/proc/{process.pid}/task")}
    assert status == 0, err
    answer = json.loads(out)
    # The values of these keys are tested above.
    assert answer["mutex"] == [[int(w["mutex"], 16), "guard", w["owner_tid"], False, w["owner_tid"]] for w in document["mutex_waits"]]
    assert len(answer["mutex"]) == 2 and answer["gomaxprocs"] == len(answer["processors"]) == 2
    assert answer["names"].index("main.goInside") < answer["names"].index("hold_and_call_back")
    assert answer["in_c"] and answer["frame"] == "take" and set(answer["machines"]) <= tids


SIGNALS = """
import json, lldb_cgo
asked = lldb_cgo.signals(call=True)
noted = lldb_cgo.signals()
print(json.dumps({
    "table": {s.number: [s.action, s.owner, s.handler.address if s.handler else None, s.flags is not None] for s in asked.signals},
    "noted": [noted.asked, noted["SIGURG"].owner, noted[23].flags], "asked": asked.asked,
    "threads": {t.tid: [t.blocked, t.alternate_stack.kind, t.alternate_stack.base] for t in asked.threads},
    "runtimes": [r.version for r in asked.runtimes], "go": [g.handling for g in asked["SIGURG"].go]}))
"""


def test_signals(release, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SIGNALS, encoding="utf-8")
    with signals_running(build(release)) as (process, truth):
        status, out, err = tool.run_tool("script", script, "--pid", process.pid)
        tids = {int(name) for name in os.listdir(f"/proc/{process.pid}/task")}
    assert status == 0, err
    answer = json.loads(out)
    for number in truth.table:
        action, owner, handler, flags = answer["table"][str(number)]
        assert (action, owner, flags) == (truth.action(number), truth.owner(number), True), number
        if action == "handler":
            assert handler == truth.table[number]["handler"]
    assert answer["noted"] == [None, "go", None] and answer["asked"] in tids and answer["go"] == [True]
    assert {int(tid) for tid in answer["threads"]} == tids and answer["runtimes"] == [f"go{release.version}"]
