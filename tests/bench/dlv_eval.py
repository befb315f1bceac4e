"""Has Delve evaluate an expression in a core and writes out its API's answer. Usage: dlv_eval.py DLV EXE CORE EXPRESSION ELEMENTS"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
from harness.dlv import Delve, load_config  # noqa: E402

program, exe, core, expression, elements = sys.argv[1:]
with Delve(program, "core", exe, core) as delve:
    sys.stdout.buffer.write(delve.raw_call("Eval", Scope={"GoroutineID": -1, "Frame": 0}, Expr=expression,
                                           Cfg=load_config(elements=int(elements))))
