"""Runs inside LLDB: times `stepi` followed by `bt`, as typed. Usage: time_steps OUTPUT COUNT"""
import json
import time

import lldb


def time_steps(debugger, command, result, internal_dict):
    path, count = command.split()
    interpreter = debugger.GetCommandInterpreter()
    thread = debugger.GetSelectedTarget().GetProcess().GetSelectedThread()
    rows = []
    for _ in range(int(count)):
        answers = [lldb.SBCommandReturnObject() for _ in range(2)]
        started = time.perf_counter()
        interpreter.HandleCommand("thread step-inst", answers[0])
        stepped = time.perf_counter()
        interpreter.HandleCommand("bt", answers[1])
        ended = time.perf_counter()
        text = answers[1].GetOutput() or ""
        rows.append({"step_ms": (stepped - started) * 1000, "bt_ms": (ended - stepped) * 1000,
                     "frames": text.count("frame #"), "pc": thread.GetFrameAtIndex(0).GetPC()})
    with open(path, "w", encoding="utf-8") as f:
        json.dump(rows, f)


def __lldb_init_module(debugger, internal_dict):
    debugger.HandleCommand(f"command script add -o -f {__name__}.time_steps time_steps")
