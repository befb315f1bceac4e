"""`cgo heap track`: the agent in programs that LLDB starts, and in those that run; held against what the program wrote down itself."""
import json
import os
import re

import pytest

from harness import builds, stops, tool
from harness.paths import BUILD
from test_break import run

AGENT = os.path.join(BUILD, "liblldb-cgo-agent.so")
MINORS = ("1.19", "1.27")


def pytest_generate_tests(metafunc):
    if "release" not in metafunc.fixturenames:
        return
    releases = [r for r in metafunc.config.found_releases if r.minor in MINORS] or metafunc.config.found_releases[-1:]
    if metafunc.config.getoption("--quick"):
        releases = releases[-1:]
    metafunc.parametrize("release", releases, ids=str)


def tracked(release, *arguments):
    return builds.go_build(release, "O2", "tracked", "tracked" + "".join(arguments), arguments)


def document(answer):
    [line] = [line for line in answer.splitlines() if line.startswith("{")]
    return json.loads(line)


def live_rows(path):
    """{address: bytes} of the live blocks that the fixture wrote down."""
    with open(path, encoding="utf-8") as f:
        rows = [line.split("\t") for line in f][:-1]
    return {int(address, 16): int(size) for _, address, size, live in rows if live.strip() == "1"}


STATUS, BLOCKS, SHOW = "cgo heap track status --json", "cgo heap blocks --json --limit 100000", "settings show target.env-vars"


@pytest.mark.parametrize("flags", [(), ("-buildmode=pie",)], ids=["exe", "pie"])
def test_a_program_that_is_launched_has_the_agent(release, flags):
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        answers = run(tracked(release, *flags), "cgo heap track on", "breakpoint set -n stop_here", f"run crash {path}", STATUS, BLOCKS,
                      "cgo heap track status", "cgo heap track off", SHOW)
        truth = live_rows(path)
    status = document(answers[STATUS])
    assert status["next_launch"] == {"agent": AGENT, "options": ""}
    process = status["process"]
    assert process["agent"] == "recording" and not process["late"] and process["sample_bytes"] == 0 and process["lost"] == 0
    assert process["allocator"].endswith("/libc.so.6")
    blocks = {int(block["address"], 16): block for block in document(answers[BLOCKS])["blocks"]}
    assert len(truth) > 50
    for address, size in truth.items():  # The answer has all that malloc gave; cut out for an alignment, that is more.
        assert size <= blocks[address]["size"] < size + 64
    assert all(blocks[address]["allocated_at"] for address in truth)
    assert process["live_blocks"] >= len(truth) and process["stacks"] >= 40
    text = answers["cgo heap track status"]
    assert f"next launch: loads {AGENT}\n" in text and "records every allocation since 20" in text
    assert answers["cgo heap track off"].strip() == "next launch: without the agent"
    assert "LD_PRELOAD" not in answers[SHOW]


def shown(text):
    return dict(re.findall(r"^  (\w+)=(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("own", ["/a/b.so", "/a/b.so:/c/d.so /e.so"])
def test_what_the_user_has_in_the_environment_stays(release, own):
    user = {"LD_PRELOAD": own, "LLDB_CGO_AGENT": "frees=16", "OTHER": "1"}
    answers = run(tracked(release), *(f"settings append target.env-vars '{name}={value}'" for name, value in user.items()),
                  "cgo heap track on --sample 64k --quarantine 1m", SHOW, "cgo heap track status", "cgo heap track off",
                  SHOW + " ")
    with_agent = shown(answers[SHOW])
    assert with_agent["OTHER"] == "1" and with_agent["LLDB_CGO_AGENT"] == "frees=16,lldb,sample=64k,quarantine=1m"
    assert re.split("[: ]", with_agent["LD_PRELOAD"]) == [AGENT, *re.split("[: ]", own)]
    assert shown(answers[SHOW + " "]) == {**user, "LD_PRELOAD": own}


def test_options_reach_the_agent(release):
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        answers = run(tracked(release), "cgo heap track on --sample 64k", "breakpoint set -n stop_here", f"run crash {path}", STATUS,
                      "cgo heap track status", "cgo heap owners")
    process = document(answers[STATUS])["process"]
    assert process["sample_bytes"] == 65536 and process["live_blocks"] < 40
    assert "samples, one in 65536 bytes" in answers["cgo heap track status"]
    assert "allocations are sampled" in answers["cgo heap owners"]


def test_programs_without_a_loader_are_told(release):
    static = builds.build_mix(release, kind="static")
    answers = run(static.exe, "cgo heap track on", "cgo heap track status")
    assert "linked statically" in answers["cgo heap track on"]


def test_status_of_processes_and_cores_that_LLDB_did_not_start(release):
    exe = tracked(release)
    with_agent = builds.Built("/usr/bin/env", (f"LD_PRELOAD={AGENT}", exe))
    with stops.scratch() as folder:
        path = os.path.join(folder, "rows")
        with stops.live(with_agent, "wait", path) as process:
            live = tool.json_of("heap", "track", "status", "--pid", process.pid)["process"]
            truth = live_rows(path)
        assert live["agent"] == "recording" and live["live_blocks"] >= len(truth) > 50
        with stops.crash_core_of(with_agent, "crash", path) as (core, _):
            process = tool.json_of("heap", "track", "status", "--core", core)["process"]
            assert process["agent"] == "recording" and process["live_blocks"] >= len(truth)
        with stops.live(builds.Built(exe), "wait", path) as process:
            assert tool.json_of("heap", "track", "status", "--pid", process.pid)["process"]["agent"] == "absent"
            status, out, err = tool.run_tool("heap", "track", "on", "--pid", process.pid)
            assert status == 2 and out == "" and "track status" in err
