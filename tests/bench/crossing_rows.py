"""The row about crossings: the catalogue of a program with 5,000 of them."""
import json
import os

import inputs
from inputs import PROGRAM
from measure import BenchError, Command, in_turn, median, spread

TARGET_MS = 100


def all_of(count):
    def check(path):
        with open(path, encoding="utf-8") as f:
            document = json.load(f)
        calls = [c for c in document["crossings"] if c["package"] == "main" and c["function"] != "ready"]
        if len(calls) != count or any(len(c["call_sites"]) != 1 or c["c_function"]["line"] is None for c in calls):
            raise BenchError(f"{len(calls)} crossings, or call sites are missing")
    return check


def catalogue(report, options):
    """`lldb-cgo crossings` as a whole process, core opened and all: every crossing with its lines in Go and C."""
    count = 50 if options.smoke else 5000
    exe = inputs.crossings(count)
    core = inputs.core(exe)
    words = [PROGRAM, "crossings", "--json", "--core", core, "--exe", exe]
    cache = {"XDG_CACHE_HOME": os.path.join(options.folder, "cache")}
    runs = in_turn({"ours": Command(words, env=cache, check=all_of(count))}, options.rounds, options.folder)
    times = [run.wall_s * 1000 for run in runs["ours"]]
    report.add(f"the catalogue of {count} crossings as JSON, core, whole process", "–", f"{spread(times, 0)} ms", "–",
               f"{TARGET_MS} ms", median(times) <= TARGET_MS)
