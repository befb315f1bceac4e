"""The rows: what is run, against what, and the target."""
import json
import mmap
import os
import re
import shutil

import agent_rows
import break_rows
import crossing_rows
import heap_rows
import inputs
import value_rows
from inputs import LLDB, PLUGIN, PROGRAM
from measure import BenchError, Command, in_turn, median, pair_ratios, spread, tail

LLDB_BATCH = [LLDB, "--no-lldbinit", "-b"]


class Report:
    """Lines of one Markdown table; of a smoke run only that there are figures."""

    def __init__(self, smoke):
        self.smoke = smoke
        self.lines = ["| work | peer | ours | ratio | target | |", "| --- | --- | --- | --- | --- | --- |"]

    @staticmethod
    def seconds(runs):
        return seconds(runs)

    def add(self, work, peer, ours, ratio, target, met):
        if self.smoke:
            print("works:", work, flush=True)
            return
        self.lines.append(f"| {work} | {peer} | {ours} | {ratio} | {target} | {'met' if met else '**missed**'} |")
        print(self.lines[-1], flush=True)


def seconds(runs):
    return f"{spread([r.wall_s for r in runs])} s, CPU {median([r.cpu_s for r in runs]):.2f} s"


def has_cut_stacks(least):
    def check(path):
        with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as answer:
            found = sum(1 for _ in re.finditer(rb'"complete":', answer))
        if found < least:
            raise BenchError(f"{found} stacks; {least} expected")
    return check


def has_stacks(least):
    def check(path):
        # Searched, not parsed: a hundred thousand stacks are some gigabytes of Python objects.
        with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as answer:
            whole, cut = (sum(1 for _ in re.finditer(rb'"complete":' + word, answer)) for word in (b"true", b"false"))
            ended = answer[-3:] == b"]}\n"
        if whole < least or cut or not ended:
            raise BenchError(f"{whole} whole stacks, {cut} that are not; {least} expected")
    return check


def has_goroutines(least):
    def check(path):
        for line in tail(path).splitlines():
            if line.endswith(" goroutines]") and int(line[1:].split()[0]) >= least:
                return
        raise BenchError(f"dlv did not list {least} goroutines:\n{tail(path)}")
    return check


def has_text(text):
    def check(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            if text not in f.read():
                raise BenchError(f"no {text!r} in the answer:\n{tail(path)}")
    return check


def many(report, options):
    """All stacks of many goroutines, from a core and live, against delve; and the memory both take."""
    exe, count = inputs.program("many"), options.goroutines
    dlv = None if options.smoke else inputs.dlv()
    interactive = "--allow-non-terminal-interactive=true"
    script = "goroutines -t 10\nexit\n"
    for kind in options.kinds:
        def measure(what, peer, words):
            commands = {"ours": Command(words, check=has_stacks(count))}
            if kind == "varied":  # dlv prints ten frames of a stack.
                commands["ours cut"] = Command([*words, "--limit", "10"], check=has_cut_stacks(count))
            if options.smoke:  # Building dlv takes longer than all else.
                in_turn(commands, 0, options.folder)
                print(f"works: all stacks of {count} goroutines ({kind}), {what}", flush=True)
                return
            runs = in_turn({"dlv": peer, **commands}, options.long_rounds, options.folder)
            for name in commands:
                ratios = pair_ratios(runs["dlv"], runs[name], "wall_s")
                work = pair_ratios(runs["dlv"], runs[name], "cpu_s")
                cut = ", cut at 10 frames as dlv does" if name == "ours cut" else ""
                report.add(f"all stacks of {count:,} goroutines ({kind}{cut}), {what}", "dlv " + seconds(runs["dlv"]),
                           seconds(runs[name]), f"{spread(ratios, 0)} times faster, CPU {median(work):.0f} times less",
                           "20 times faster", median(ratios) >= 20)
            peaks = {name: median([r.peak_mb for r in runs[name]]) for name in runs}
            report.add(f"memory: the same ({kind}), {what}", f"dlv {peaks['dlv']:.0f} MB", f"{peaks['ours']:.0f} MB",
                       f"{peaks['ours'] / peaks['dlv']:.2f}", "less", peaks["ours"] < peaks["dlv"])

        core = inputs.core(exe, kind, count)
        measure("core",
                Command([dlv, "core", exe, core, interactive], script, check=has_goroutines(count)),
                [PROGRAM, "bt", "--all", "--json", "--core", core, "--exe", exe])
        with inputs.live(exe, kind, count) as pid:
            measure("live",
                    Command([dlv, "attach", pid, exe, interactive], script + "n\n", check=has_goroutines(count)),
                    [PROGRAM, "bt", "--all", "--json", "--pid", pid])


def first_bt(report, options):
    """The first stack after a core of a large program was opened, against LLDB alone."""
    exe = inputs.large(options.smoke)
    core = inputs.core(exe, "wait")
    cache = os.path.join(options.folder, "cache")
    open_core = ["-o", f"target create {exe} --core {core}"]

    def empty():
        shutil.rmtree(cache, ignore_errors=True)

    def ours(words, before, text):
        return Command(words, env={"XDG_CACHE_HOME": cache}, before=before, check=has_text(text))

    plugin = [*LLDB_BATCH, "-o", f"plugin load {PLUGIN}", *open_core, "-o"]
    headless = [PROGRAM, "bt", "--core", core, "--exe", exe]
    for state, before, target in (("cold", empty, 1.5), ("warm", None, 1.1)):
        runs = in_turn({
            "lldb": Command([*LLDB_BATCH, *open_core, "-o", "bt"], check=has_text("runtime.cgocall")),
            "cgo bt": ours([*plugin, "cgo bt"], before, "main.main"),
            "native bt": ours([*plugin, "bt"], before, "main.main"),
            "headless": ours(headless, before, "main.main"),
        }, options.rounds, options.folder)
        for name, words in (("cgo bt", "`cgo bt` in LLDB"), ("native bt", "native `bt`"), ("headless", "`lldb-cgo bt`")):
            ratios = pair_ratios(runs[name], runs["lldb"], "wall_s")
            work = pair_ratios(runs[name], runs["lldb"], "cpu_s")
            report.add(f"open a core of a {os.path.getsize(exe) >> 20} MB program and {words}, {state}",
                       "lldb `bt` " + seconds(runs["lldb"]), seconds(runs[name]),
                       f"{spread(ratios)} times, CPU {median(work):.2f} times", f"at most {target} times",
                       median(ratios) <= target)


def steps(report, options):
    """`stepi` and `bt`, again and again, against LLDB without the plugin."""
    exe = inputs.large(options.smoke)
    script = os.path.join(inputs.HERE, "step_timer.py")

    def session(name, place, plugin):
        out = os.path.join(options.folder, f"steps-{name}.json")
        load = ["-o", f"plugin load {PLUGIN}"] if plugin else []
        words = [*LLDB_BATCH, *load, "-o", f"target create {exe}", "-o", f"command script import {script}",
                 "-o", "process handle SIGURG -p true -s false -n false", "-o", f"breakpoint set -n {place}",
                 "-o", "process launch -- run", "-o", f"time_steps {out} {options.steps}", "-o", "process kill"]
        # Preemption would move the steps of one session to another place.
        return Command(words, env={"GODEBUG": "asyncpreemptoff=1"}), out

    for place, where in (("leaf", "in C, three crossings deep"), ("main.spin", "in Go")):
        commands = {"lldb": session("lldb", place, False), "ours": session("ours", place, True)}
        sessions = {name: [] for name in commands}
        for _ in range(options.rounds + 1):
            for name, (command, out) in commands.items():
                in_turn({name: command}, 0, options.folder)
                with open(out, encoding="utf-8") as f:
                    sessions[name].append(json.load(f))
        costs = {name: least_of_each_step(of_name) for name, of_name in sessions.items()}
        more = median(costs["ours"]) - median(costs["lldb"])
        frames = {name: of_name[-1][-1]["frames"] for name, of_name in sessions.items()}
        report.add(f"`stepi` and native `bt`, {where}", f"lldb {median(costs['lldb']):.2f} ms, {frames['lldb']} frames",
                   f"{median(costs['ours']):.2f} ms, {frames['ours']} frames", f"{more:.2f} ms more",
                   "at most 1 ms more", more <= 1)


def least_of_each_step(sessions):
    """The time of each step in the session where it was shortest: the steps are the same in all, and a
    millisecond is soon lost to what else a machine does."""
    return [min(row["step_ms"] + row["bt_ms"] for row in rows) for rows in zip(*sessions)]


ROWS = {"many": many, "first-bt": first_bt, "steps": steps, "locals": value_rows.variables, "map": value_rows.map_json,
        "crossings": crossing_rows.catalogue, "break": break_rows.arrivals, "agent": agent_rows.churn,
        "heap": heap_rows.heap}
