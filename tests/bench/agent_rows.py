"""The rows about the agent: what recording costs a program that replaces blocks, against the program by itself."""
import os

import inputs
from break_rows import says
from measure import Command, in_turn, median, pair_ratios, spread

AGENT = os.path.join(inputs.BUILD, "liblldb-cgo-agent.so")


def churn(report, options):
    exe = inputs.program("churn")
    times = 10_000 if options.smoke else 6_000_000
    ways = {"plain": {}, "every one": {"LD_PRELOAD": AGENT}, "sampled": {"LD_PRELOAD": AGENT, "LLDB_CGO_AGENT": "sample=512k"}}
    for threads in (1, 4):
        commands = {f"{name} {threads}": Command([exe, threads, times // threads], env=env, check=says("done"))
                    for name, env in ways.items()}
        runs = in_turn(commands, options.long_rounds, options.folder)
        plain = runs[f"plain {threads}"]
        for name, most in (("every one", 1.7), ("sampled", 1.05)):
            ours = runs[f"{name} {threads}"]
            ratios = pair_ratios(ours, plain, "wall_s")
            report.add(f"6 million blocks replaced by {threads} thread{'s' if threads > 1 else ''}, recorded: {name}",
                       f"by itself {report.seconds(plain)}", report.seconds(ours), f"{spread(ratios)} times", f"at most {most}",
                       median(ratios) <= most)
