"""Attaching with LLDB 22, again and again: LLDB's own thread prints the stop while commands run already."""
import re

import pytest

import expected
from harness import matrix, stops, tool
from harness.paths import PLUGIN

WANTED = [f.function for f in expected.nest(4, expected.WAIT) + expected.run("run_nest")]
ROUNDS = 6
# Where the plugin is loaded, and how LLDB gets to know the process: before it attaches, after it, and with the program's file.
WAYS = {
    "pid": (f"plugin load {PLUGIN}", "process attach -p {pid}"),
    "late": ("process attach -p {pid}", f"plugin load {PLUGIN}"),
    "program": (f"plugin load {PLUGIN}", "target create {exe}", "process attach -p {pid}"),
}


def pytest_generate_tests(metafunc):
    quick = metafunc.config.getoption("--quick")
    releases = metafunc.config.found_releases
    chosen = releases[-1:] if quick else (releases[0], releases[-1])
    cells = [(release, way) for release in chosen for way in WAYS]
    metafunc.parametrize("release, way", [pytest.param(*c, id=f"{c[0]}-{c[1]}") for c in cells])


def frames_of_last_bt(text):
    found = re.findall(r"^\s+(?:\* )?frame #(\d+): 0x[0-9a-f]+ (?:[^`\n]*`)?(.*)$", text, re.M)
    last = max(i for i, (number, _) in enumerate(found) if number == "1") - 1
    return [re.split(r" at | \[|\(| \+ ", name)[0].strip() for _, name in found[last:]]


def test_attach(release, way):
    built = matrix.built(release, "O2", "exe")
    with stops.live(built, "wait") as process:
        for commands in [("bt", "detach"), ("detach",), ("bt",)] * (ROUNDS // 3):
            lines = [line.format(pid=process.pid, exe=built.exe) for line in WAYS[way]]
            text = tool.run_lldb(*lines, *commands, plugin=False)
            assert f"Process {process.pid} " in text, text
            if "bt" in commands:
                names = [n for n in frames_of_last_bt(text) if n in WANTED]
                assert names == WANTED, text
        assert process.poll() is None
