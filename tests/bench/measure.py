"""Times commands as whole processes, in turn with a peer, so that a drift of the machine meets both."""
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field

TIMEOUT_S = 900


class BenchError(Exception):
    """A command did not do what is to be measured: there is no figure then."""


@dataclass
class Run:
    """One finished process, with the children it waited for."""
    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass
class Command:
    """What to run: `check` gets the path of the output and raises BenchError when it is not an answer."""
    words: list
    text: str = ""
    env: dict = field(default_factory=dict)
    before: callable = None
    check: callable = None
    statuses: tuple = (0,)


def run_once(command, out_path):
    """Runs it to its end, its output written to a file: writing is part of the work."""
    if command.before:
        command.before()
    with open(out_path, "wb") as out:
        started = time.monotonic()
        process = subprocess.Popen([*map(str, command.words)], stdin=subprocess.PIPE, stdout=out,
                                   stderr=subprocess.STDOUT, env={**os.environ, **command.env})
        # A short text fits into the pipe, so that nothing has to be waited for.
        process.stdin.write(command.text.encode())
        process.stdin.close()
        deadline = started + TIMEOUT_S
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG if TIMEOUT_S else 0)
            if pid:
                break
            if time.monotonic() > deadline:
                process.kill()
                os.wait4(process.pid, 0)
                raise BenchError(f"{command.words}: no end after {TIMEOUT_S} s")
            time.sleep(0.0005)
        wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.statuses:
        raise BenchError(f"{command.words}: exit {process.returncode}\n{tail(out_path)}")
    if command.check:
        command.check(out_path)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def tail(path, count=2000):
    with open(path, "rb") as f:
        f.seek(max(0, os.path.getsize(path) - count))
        return f.read().decode(errors="replace")


def in_turn(commands, rounds, folder):
    """{name: [Run, …]}: one warm-up of each, then A B A B …"""
    runs = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            run = run_once(command, os.path.join(folder, name.replace(" ", "-") + ".out"))
            if number > 0:
                runs[name].append(run)
    return runs


def median(values):
    return statistics.median(values)


def spread(values, digits=2):
    """"median (least–most)"."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def pair_ratios(over, under, what):
    return [getattr(a, what) / getattr(b, what) for a, b in zip(over, under)]
