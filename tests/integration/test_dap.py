"""What VS Code shows: a session with lldb-dap that loads the plugin, stops several crossings deep and looks around."""
import json
import os

import pytest

import expected
from harness import matrix, tool
from harness.dap import DapError, Session
from harness.matching import match, user_elements
from harness.paths import LLDB_DAP, PLUGIN


# Functions that are on the stack several times, at the same line and at different ones.
SCENARIOS = {
    "fault_depth4": (("fault", "4"), expected.nest(4, expected.FAULT) + expected.run("run_nest")),
    "grow_fault": (("grow-fault", "1"), expected.grow(expected.FAULT) + expected.run("run_grow")),
}


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    if metafunc.config.getoption("--quick"):
        releases = releases[-1:]
    cells = [matrix.Cell(r, "O2", "exe", "lldb-dap", scenario) for r in releases for scenario in SCENARIOS]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c)) for c in cells])


def wanted_names(frames):
    return [f.function for f in frames]


@pytest.mark.skipif(not os.access(LLDB_DAP, os.X_OK), reason="no lldb-dap-22")
def test_session(cell):
    built = matrix.built(cell.release, "O2", "exe")
    words, frames = SCENARIOS[cell.scenario]
    with Session() as dap:
        dap.request("initialize", {"adapterID": "lldb-dap", "linesStartAt1": True, "columnsStartAt1": True, "pathFormat": "path"})
        launch = dap.send("launch", {"program": built.exe, "args": words, "stopOnEntry": False,
                                     "env": {"GOTRACEBACK": "crash"}, "initCommands": [f"plugin load {PLUGIN}"]})
        dap.wait_for("initialized")
        dap.request("setFunctionBreakpoints", {"breakpoints": [{"name": "leaf_fault"}]})
        dap.request("configurationDone")
        dap.answer(launch, "launch")
        stopped = dap.wait_for("stopped")
        assert stopped["reason"] in ("function breakpoint", "breakpoint"), stopped
        thread = stopped["threadId"]
        assert thread in [t["id"] for t in dap.request("threads")["threads"]]

        shown = dap.request("stackTrace", {"threadId": thread, "startFrame": 0, "levels": 200})["stackFrames"]
        users = set(wanted_names(frames))
        found = [(plain(f["name"]), f.get("source", {}).get("name"), f["line"]) for f in shown if plain(f["name"]) in users]
        assert found == [(f.function, *expected.marks("mix")[f.mark]) for f in frames]
        assert plain(shown[0]["name"]) == "leaf_fault"
        assert len({f["id"] for f in shown}) == len(shown), [f["id"] for f in shown]

        # SIGURG must not stop a program that runs under the plugin.
        answer = dap.request("evaluate", {"expression": "`cgo bt --json", "context": "repl", "frameId": shown[0]["id"]})["result"]
        line = next(text for text in answer.splitlines() if text.startswith("{"))
        document = json.loads(line)
        tool.check_stacks(document)
        names = [e["function"] for e in user_elements(document["stacks"][0])]
        assert names == wanted_names(frames)
        depth = dap.request("evaluate", {"expression": "how", "context": "watch", "frameId": shown[0]["id"]})
        assert depth["result"].startswith("1"), depth
        check_outer_frames(dap, [f for f in shown if plain(f["name"]) in users][1:])


def check_outer_frames(dap, outer):
    """`how` is 1 all the way out; where it is lost an editor is told so. LLDB must survive both. What optimized Go keeps
    of a parameter that is not used any more may be anything."""
    answered = 0
    for frame in outer:
        for context in ("hover", "watch", "repl"):
            try:
                answer = dap.request("evaluate", {"expression": "how", "context": context, "frameId": frame["id"]})
            except DapError as error:
                assert "ended" not in str(error), (frame, context)
                continue
            shown = answer["result"].rpartition("= ")[2]
            assert shown == "1" or not plain(frame["name"]).startswith("c_") and shown.lstrip("-").isdigit(), (frame, answer)
            answered += 1
        with pytest.raises(DapError, match="nothing_of_this_name|type system"):
            dap.request("evaluate", {"expression": "nothing_of_this_name", "context": "watch", "frameId": frame["id"]})
    assert answered >= 3, "no outer frame has a value"


def plain(name):
    """LLDB marks frames of a provider and may add parameters or the module."""
    name = name.replace(" [synthetic]", "").replace(" [inlined]", "").strip()
    name = name.split("`")[-1]
    return name.split("(")[0] if name.startswith(("c_", "leaf")) else name
