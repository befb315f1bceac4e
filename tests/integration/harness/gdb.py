"""What gdb says of a core, for comparison."""
import json
import os
import subprocess

from .stops import CORE_TIMEOUT_S, StopError, run_environment

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gdb_values.py")


def ask(exe, core, *calls):
    """The answers of calls of gdb_values.py: ask(exe, core, "frames(3)")."""
    words = ["gdb", "-nx", "-batch", "-ex", "set language c", "-ex", f"source {SCRIPT}"]
    for call in calls:
        words += ["-ex", f"python {call}"]
    done = subprocess.run([*words, exe, core], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          timeout=CORE_TIMEOUT_S, check=False)
    answers = [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("GDB ")]
    if len(answers) != len(calls):
        raise StopError(f"gdb answered {len(answers)} of {calls}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return answers


def core_at(command, place, skip, path):
    """Writes a core of a program that gdb stops the (skip+1)th time it comes to `place`."""
    words = ["gdb", "-nx", "-batch", "-ex", "handle all nostop noprint pass", "-ex", f"break {place}", "-ex", f"ignore 1 {skip}",
             "-ex", "run", "-ex", f"generate-core-file {path}", "-ex", "kill", "--args", *command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          env=run_environment(), timeout=CORE_TIMEOUT_S, check=False)
    if not os.path.exists(path):
        raise StopError(f"gdb wrote no core at {place}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
