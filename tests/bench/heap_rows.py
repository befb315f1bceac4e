"""The rows about who holds C memory: a core with many blocks, and stops at the end of collections."""
import os
import re
import shutil
import subprocess
import time

import inputs
from break_rows import says
from inputs import LLDB, PLUGIN, PROGRAM
from measure import BenchError, Command, in_turn, median, spread

AGENT = os.path.join(inputs.BUILD, "liblldb-cgo-agent.so")
MOST_S, MOST_MB, MOST_STOP_MS = 5, 1024, 50
# The first one learns the types of what lives.
LEARNING = 2
COLLECTIONS = 8


def own_memory_mb(words):
    """The most memory that a run has of its own: pages of the core file, which is mapped, are none of it."""
    most = 0
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as f:
                    most = max(most, *(int(line.split()[1]) for line in f if line.startswith("Anonymous:")))
            except (OSError, TypeError):  # It ends just now.
                pass
            time.sleep(0.02)
    return most / 1024


def owners(report, options):
    """All owners of a million blocks beside a gigabyte of Go heap, from a core."""
    megabytes, blocks = (8, 1000) if options.smoke else (1024, 1_000_000)
    exe = inputs.program("held")
    core = inputs.core(exe, megabytes, blocks)
    row = re.compile(rf"^ *{blocks} .* main\.owner\.blob$", re.MULTILINE)

    def has_all(path):
        with open(path, encoding="utf-8") as f:
            if not row.search(f.read()):
                raise BenchError(f"{path} does not have all {blocks} blocks with their owner")

    command = Command([PROGRAM, "heap", "owners", "--core", core, "--exe", exe], check=has_all)
    runs = in_turn({"owners": command}, options.long_rounds, options.folder)["owners"]
    peak = own_memory_mb(command.words)
    whole = median([one.peak_mb for one in runs])
    report.add(f"`heap owners` of a core: {megabytes} MB of Go heap, {blocks:,} blocks of C", "none says it",
               f"{report.seconds(runs)}, {peak:.0f} MB of its own ({whole:.0f} MB with the mapped core)", "", f"at most {MOST_S} s, {MOST_MB} MB",
               median([one.wall_s for one in runs]) <= MOST_S and peak <= MOST_MB)


def durations_ms(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        found = [int(text) / 1e6 for text in re.findall(r"collected in (\d+) ns", f.read())]
    if len(found) != COLLECTIONS:
        raise BenchError(f"{path} has {len(found)} collections")
    return found[LEARNING:]


def collections(report, options):
    """What a stop at the end of a collection costs the program, against LLDB's own stop there."""
    megabytes, blocks = (2, 100) if options.smoke else (200, 100_000)
    exe = inputs.program("held")
    begin = [LLDB, "--no-lldbinit", "-b", "-o", f"target create {exe}", "-o", f"settings set target.env-vars LD_PRELOAD={AGENT}"]
    # LLDB by itself would stop at the signals that Go sends to its own threads.
    launch = ["-o", f"process launch --stop-at-entry -- {megabytes} {blocks} {COLLECTIONS}",
              "-o", "process handle --stop false --notify false --pass true SIGURG", "-o", "continue"]
    lldb = Command([*begin, "-o", "breakpoint set -n runtime.gcSweep", "-o", "breakpoint modify --auto-continue true", *launch],
                   check=says("done"))
    ours = Command([*begin, "-o", f"plugin load {PLUGIN}", "-o", "cgo break leak --log", *launch],
                   check=says("done", "leak.go-owner-dead"))
    spent = {"lldb": [], "ours": []}
    for name, command in {"lldb": lldb, "ours": ours}.items():
        def kept(path, name=name, check=command.check):
            check(path)
            spent[name].append(median(durations_ms(path)))
        command.check = kept
    in_turn({"lldb": lldb, "ours": ours}, options.long_rounds, options.folder)
    # The warm-up is no round.
    peer, own = spent["lldb"][1:], spent["ours"][1:]
    more = [a - b for a, b in zip(own, peer)]
    report.add(f"`cgo break leak` at a collection: {megabytes} MB of Go heap, {blocks:,} recorded blocks",
               f"LLDB's own stop {spread(peer)} ms", f"{spread(own)} ms", f"{spread(more)} ms more", f"at most {MOST_STOP_MS} ms more",
               median(more) <= MOST_STOP_MS)


def heap(report, options):
    if shutil.which("gdb") is None:
        raise BenchError("gdb is needed for the core")
    owners(report, options)
    collections(report, options)
