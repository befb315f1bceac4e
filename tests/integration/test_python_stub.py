"""lldb_cgo.pyi against the module itself: the names it lists, and the types of what real answers hold."""
import json
import os

from harness import stops, tool
from harness.paths import HERE, REPO
from test_holders import build as holders_build
from test_sched import running as locks_running
from test_signals import build, running as signals_running

STUB = os.path.join(REPO, "lldb-plugin", "python", "lldb_cgo.pyi")


def checked(process, asks_kernel):
    """Names of the classes whose objects were in the answers; all of them were as the stub says."""
    status, out, err = tool.run_tool("script", "--pid", process.pid, f"{HERE}/harness/stub_check.py", STUB, asks_kernel)
    assert status == 0, err
    wrong, seen = json.loads(out)
    assert wrong == []
    return set(seen)


def test_stacks_goroutines_and_scheduler(request):
    with locks_running(request.config.found_releases[-1], "callback") as (process, _, _):
        seen = checked(process, "no")
    assert {"Stack", "Frame", "Thread", "Goroutine", "Crossing", "CallSite", "CFunction", "Value", "Machine", "MutexWait", "Party",
            "Processor", "RuntimeScheduler", "Sched", "Scheduler", "Signals"} <= seen


def test_blocks_and_findings(request):
    release = request.config.found_releases[-1]
    with stops.live(holders_build(release), "wait") as process:
        seen = checked(process, "no")
    assert {"Block", "Holder", "Owner"} <= seen


def test_signals_asked_of_the_kernel(request):
    with signals_running(build(request.config.found_releases[-1])) as (process, _):
        seen = checked(process, "yes")
    assert {"Signal", "GoSignal", "Place", "AlternateStack", "ThreadSignals", "Runtime", "Signals"} <= seen
