"""Inside LLDB 22: native bt shows the stitched stack, in cores, at a fault and through lldb-server."""
import os
import re
import select
import signal
import subprocess

import pytest

import expected
from harness import matrix, stops, tool
from harness.matching import find_stack, match, user_elements

FRAMES = expected.nest(4, expected.FAULT) + expected.run("run_nest")
USERS = {f.function for f in FRAMES}
LLDB_SERVER = "/usr/bin/lldb-server-22"


def pytest_generate_tests(metafunc):
    quick = metafunc.config.getoption("--quick")
    releases = metafunc.config.found_releases
    source = metafunc.function.__name__.removeprefix("test_")
    cells = [matrix.Cell(r, "O2", "exe", f"lldb {source}", "fault_depth4") for r in (releases[-1:] if quick else releases)]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c)) for c in cells])


def native_frames(text):
    """Function names of the frames that `bt` printed. The selected thread's list begins at the starred frame: `thread select`
    prints its one frame at a time of its own, also after the next prompt."""
    names = []
    for line in text[re.search(r"^\s+\* frame #0", text, re.M).start():].splitlines():
        found = re.match(r"\s+(?:\* )?frame #(\d+): 0x[0-9a-f]+ (?:[^`]*`)?(.*)", line)
        if found is None or int(found.group(1)) != len(names):
            break
        names.append(re.split(r" at | \[|\(| \+ ", found.group(2))[0].strip())
    return names


def users_of(names):
    return [n for n in names if n in USERS]


WANTED = [f.function for f in FRAMES]


def test_core(cell):
    """Stock bt on the crash core, with the plugin, shows what cgo bt shows."""
    built = matrix.built(cell.release, "O2", "exe")
    with stops.crash_core_of(built, "fault", 4) as (core, _):
        document = tool.stacks_of("--all", "--core", core, "--exe", built.exe, allowed=(0, 4))
        stack = find_stack(document, expected.go("main.main", "main"), "mix")
        index = stack["thread"]["index"]
        text = tool.run_lldb(f"target create {built.exe} --core {core}", f"thread select {index}", "bt", "cgo bt --json")
    assert users_of(native_frames(text)) == WANTED, text


def test_fault(cell):
    """A launched program that stops at the signal, before Go has handled it."""
    built = matrix.built(cell.release, "O2", "exe")
    text = tool.run_lldb("process handle SIGSEGV --stop true --pass true --notify true", "run", arguments=("--", *built.command("fault", 4)))
    assert "SIGURG" not in text, "the program stopped at SIGURG"
    # A batch session ends at an unexpected signal: the commands after it come from -k.
    text = run_to_crash(built, "bt", "cgo bt --json", "kill")
    assert users_of(native_frames(text)) == WANTED, text
    document = tool.json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    tool.check_stacks(document)
    assert match(FRAMES, user_elements(document["stacks"][0]), "mix") is None


def run_to_crash(built, *commands):
    words = [tool.LLDB, "--no-lldbinit", "-b", "-o", "settings set use-color false", "-o", f"plugin load {tool.PLUGIN}", "-o", "run"]
    for command in commands:
        words += ["-k", command]
    done = subprocess.run([*words, "--", *built.command("fault", 4)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=tool.TIMEOUT_S, check=False)
    assert done.returncode >= 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_remote(cell):
    """The same through lldb-server on loopback."""
    built = matrix.built(cell.release, "O2", "exe")
    ours, theirs = os.pipe()
    server = subprocess.Popen([LLDB_SERVER, "gdbserver", "--pipe", str(theirs), "127.0.0.1:0", "--", *built.command("fault", 4)],
                              pass_fds=(theirs,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        os.close(theirs)
        port = read_port(ours)
        text = tool.run_lldb(f"target create {built.exe}", f"gdb-remote 127.0.0.1:{port}", "breakpoint set -n leaf_fault", "continue",
                             "bt", "cgo bt --json", "kill")
    finally:
        os.close(ours)
        server.send_signal(signal.SIGKILL)
        server.wait(timeout=30)
    assert users_of(native_frames(text)) == WANTED, text
    document = tool.json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    assert [e["function"] for e in user_elements(document["stacks"][0])] == WANTED


def read_port(descriptor):
    """lldb-server chooses the port and writes it, with a NUL at the end."""
    if not select.select([descriptor], [], [], 30)[0]:
        raise stops.StopError("lldb-server did not name its port")
    return int(os.read(descriptor, 64).rstrip(b"\0"))
