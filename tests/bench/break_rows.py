"""The rows about breakpoints on crossings: arrivals a second, against LLDB's own callback and dlv trace."""
import glob
import os

import inputs
from inputs import LLDB, PLUGIN, PROGRAM
from measure import BenchError, Command, in_turn, median, spread

STUB = "^_cgo_[0-9a-f]+_Cfunc_work$"


def callback_hits():
    """The program in C++ that counts with LLDB's own callback."""
    source = os.path.join(inputs.HERE, "callback_hits.cpp")
    path = os.path.join(inputs.ARTIFACTS, "callback_hits")
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(source):
        headers = next(iter(sorted(glob.glob("/usr/lib/llvm-22/include"))), None)
        if headers is None:
            raise BenchError("the headers of LLDB 22 are not there")
        library = os.path.join(os.path.dirname(headers), "lib")
        inputs.run_checked(["g++", "-O2", "-std=c++20", f"-I{headers}", source, "-o", path + ".part", f"-L{library}", "-llldb",
                            f"-Wl,-rpath,{library}"])
        os.rename(path + ".part", path)
    return path


def says(*texts):
    def check(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            said = f.read()
        for text in texts:
            if text not in said:
                raise BenchError(f"{path} does not say '{text}'")
    return check


def ours(exe, count, breakpoint, native=True):
    """`target list` has the frame provider there before the program runs; the event of a new target comes too early for that."""
    words = [LLDB, "--no-lldbinit", "-b", "-o", f"plugin load {PLUGIN}", *([] if native else ["-o", "cgo set native-bt off"]),
             "-o", f"target create {exe}", "-o", "target list", "-o", breakpoint, "-o", f"run {count}",
             "-o", "target frame-provider list", "-o", "cgo break"]
    return Command(words, check=says(f": {count} arrivals", "1 frame provider(s)" if native else "no frame providers"))


def arrivals(report, options):
    """Each way twice, with few and with many calls: the difference is the arrivals' own time."""
    exe, few, many = inputs.program("calls"), 10, 60 if options.smoke else 3000
    server = {"LLDB_DEBUGSERVER_PATH": os.path.realpath("/usr/lib/llvm-22/bin/lldb-server")}
    log, condition = "cgo break enter '^work$' --log", "cgo break enter '^work$' --if 'args.number < 0'"
    ways = {"ours, a log": lambda n: ours(exe, n, log), "ours, a condition": lambda n: ours(exe, n, condition),
            "ours, a log, native-bt off": lambda n: ours(exe, n, log, False),
            "callback": lambda n: Command([callback_hits(), exe, n, STUB], env=server, check=says("exit 0"))}
    ways["lldb-cgo trace"] = lambda n: Command([PROGRAM, "trace", "^work$", "--", exe, n], check=says('"function":"work"'))
    if not options.smoke:
        ways["dlv trace"] = lambda n: Command([inputs.dlv(), "trace", "--exec", exe, "main._Cfunc_work", "--", n], check=says(f"called {n}"))
    commands = {f"{name} {n}": make(n) for name, make in ways.items() for n in (few, many)}
    runs = in_turn(commands, options.long_rounds, options.folder)
    rates = {name: [(many - few) / (long.wall_s - short.wall_s)
                    for long, short in zip(runs[f"{name} {many}"], runs[f"{name} {few}"])] for name in ways}
    if options.smoke:
        report.add("arrivals at breakpoints on crossings", "", "", "", "", True)
        return

    def row(work, name, peer, least):
        ratios = [a / b for a, b in zip(rates[name], rates[peer])]
        report.add(work, f"{peer} {spread(rates[peer], 0)} a second", f"{spread(rates[name], 0)} a second", f"{spread(ratios)} times",
                   f"{least}", median(ratios) >= least)
    row("a log of 3,000 calls from Go to C", "ours, a log", "dlv trace", 2)
    row("the same", "ours, a log", "callback", 1)
    row("the same, with `cgo set native-bt off`", "ours, a log, native-bt off", "callback", 1)
    row("a condition that never holds", "ours, a condition", "ours, a log", 0.5)
    row("`lldb-cgo trace -- PROGRAM`: calls and their returns, with results", "lldb-cgo trace", "dlv trace", 2)
