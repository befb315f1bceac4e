"""The rows about values: the variables of one frame, and a large map as JSON, against delve."""
import json
import os
import re
import shutil

import inputs
from inputs import LLDB, PLUGIN, PROGRAM
from measure import BenchError, Command, in_turn, median, pair_ratios, run_once, spread, tail

FUNCTION = "main.ship"
VARIABLES = ("number", "label", "first", "queue", "customer")
BATCH = "--allow-non-terminal-interactive=true"


def has_all(text):
    return all(re.search(rf"^(\(dlv\) )?{name}\b.*=", text, re.M) for name in VARIABLES)


def has_variables(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    if not has_all(text):
        raise BenchError(f"not the variables of {FUNCTION}:\n{text[-2000:]}")


def our_frame(exe, core):
    [stack] = json.loads(inputs.run_checked([PROGRAM, "bt", "--json", "--core", core, "--exe", exe]))["stacks"]
    return next(frame["index"] for frame in stack["frames"] if frame.get("function") == FUNCTION)


def dlv_frame(dlv, exe, core, folder):
    out = os.path.join(folder, "dlv-frame")
    run_once(Command([dlv, "core", exe, core, BATCH], "goroutine 1\nstack 60\nexit\n"), out)
    with open(out, encoding="utf-8", errors="replace") as f:
        return int(re.search(rf"^ *(\d+) .*{re.escape(FUNCTION)}\b", f.read(), re.M).group(1))


def variables(report, options):
    """`cgo locals` of one frame, against delve's locals and args of the same; programs of two sizes."""
    for small in ((True,) if options.smoke else (False, True)):
        exe = inputs.large(small)
        core = inputs.core(exe, "wait", options.entries)
        size = f"{os.path.getsize(exe) / (1 << 20):.0f} MB program"
        frame = our_frame(exe, core)
        whole_commands(report, options, exe, core, size, frame)
        in_a_session(report, options, exe, core, size)


def whole_commands(report, options, exe, core, size, frame):
    cache = os.path.join(options.folder, "cache")
    dlv = None if options.smoke else inputs.dlv()
    number = None if options.smoke else dlv_frame(dlv, exe, core, options.folder)
    script = f"goroutine 1\nframe {number} locals\nframe {number} args\nexit\n"

    def empty():
        shutil.rmtree(cache, ignore_errors=True)

    def measure(what, peer, target):
        words = [PROGRAM, "locals", "--goroutine", 1, "--frame", frame, *target]
        for state, before, most in (("cold", empty, 2.0), ("warm", None, 2.0)):
            commands = {"dlv": peer} if peer else {}
            commands["ours"] = Command(words, env={"XDG_CACHE_HOME": cache}, before=before, check=has_variables)
            runs = in_turn(commands, options.rounds, options.folder)
            if not peer:
                report.add(f"the variables of a frame, {what}, {state}", "", "", "", "", True)
                continue
            ratios = pair_ratios(runs["ours"], runs["dlv"], "wall_s")
            report.add(f"start, and the variables of a frame, {size}, {what}, {state}", "dlv " + report.seconds(runs["dlv"]),
                       report.seconds(runs["ours"]), f"{spread(ratios)} times", f"at most {most:.0f} times", median(ratios) <= most)

    measure("core", dlv and Command([dlv, "core", exe, core, BATCH], script, check=has_variables),
            ["--core", core, "--exe", exe])
    with inputs.live(exe, "wait", options.entries) as pid:
        measure("live", dlv and Command([dlv, "attach", pid, exe, BATCH], script + "n\n", check=has_variables), ["--pid", pid])


def in_a_session(report, options, exe, core, size):
    """The command alone, in LLDB, after the first: at one stop, and each time after a step."""
    timer = os.path.join(inputs.HERE, "locals_timer.py")
    out = os.path.join(options.folder, "locals.json")
    start = [LLDB, "--no-lldbinit", "-b", "-o", f"plugin load {PLUGIN}", "-o", f"command script import {timer}", "-o"]
    run = ["-o", "process handle SIGURG -p true -s false -n false", "-o", "breakpoint set -n leaf", "-o", "process launch -- run"]
    sessions = {
        "of a core, again": [f"target create {exe} --core {core}", "-o", f"time_locals {out} {options.steps} stay {FUNCTION}"],
        "live, after each step": [f"target create {exe}", *run, "-o", f"time_locals {out} {options.steps} step {FUNCTION}",
                                  "-o", "process kill"],
    }
    for what, words in sessions.items():
        run_once(Command(start + words, env={"GODEBUG": "asyncpreemptoff=1"}), os.path.join(options.folder, "locals.out"))
        with open(out, encoding="utf-8") as f:
            rows = json.load(f)
        if len(rows) < options.steps / 4 or not all(has_all(row["text"]) for row in rows):
            raise BenchError(f"{len(rows)} answers; the last: {rows[-1:]}")
        later = [row["ms"] for row in rows[1:]]
        report.add(f"`cgo locals` {what}, {size}", "–", f"{spread(later)} ms", "–", "at most 5 ms", median(later) <= 5)


def has_entries(count, mark):
    def check(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            found = f.read().count(mark)
        if found < count:
            raise BenchError(f"{found} entries, {count} expected:\n{tail(path, 300)}")
    return check


def map_json(report, options):
    """A map of many entries as JSON, with what the entries point to, against delve's API."""
    exe = inputs.large(True)
    core = inputs.core(exe, "wait", options.entries)
    ours = Command([PROGRAM, "print", "main.ledger", "--elements", options.entries, "--json", "--core", core, "--exe", exe],
                   check=has_entries(options.entries, '"key":'))
    if options.smoke:
        in_turn({"ours": ours}, 0, options.folder)
        report.add(f"a map of {options.entries:,} entries as JSON", "", "", "", "", True)
        return
    peer = Command(["/usr/bin/python3", os.path.join(inputs.HERE, "dlv_eval.py"), inputs.dlv(), exe, core, "main.ledger",
                    options.entries], check=has_entries(options.entries, '"Currency"'))
    runs = in_turn({"dlv": peer, "ours": ours}, options.long_rounds, options.folder)
    ratios = pair_ratios(runs["dlv"], runs["ours"], "wall_s")
    report.add(f"a map of {options.entries:,} structures as JSON, core", "dlv " + report.seconds(runs["dlv"]),
               report.seconds(runs["ours"]), f"{spread(ratios, 1)} times faster", "faster", median(ratios) > 1)
