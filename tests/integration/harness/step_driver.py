"""Runs inside LLDB: single-steps one thread and writes its stack after each instruction, one JSON line each.

command script import step_driver.py; step_stacks OUTPUT COUNT
"""
import json
import time

import lldb


def step_stacks(debugger, command, result, internal_dict):
    path, count = command.split()
    interpreter = debugger.GetCommandInterpreter()
    process = debugger.GetSelectedTarget().GetProcess()
    thread = process.GetSelectedThread()
    with open(path, "w", encoding="utf-8") as out:
        for _ in range(int(count)):
            started = time.monotonic()
            answer = lldb.SBCommandReturnObject()
            interpreter.HandleCommand("cgo bt --json", answer)
            took = time.monotonic() - started
            lines = [line for line in (answer.GetOutput() or "").splitlines() if line.startswith("{")]
            pc = thread.GetFrameAtIndex(0).GetPC()
            out.write(json.dumps({"pc": hex(pc), "ms": took * 1000, "error": answer.GetError() or "",
                                  "document": json.loads(lines[0]) if lines else None}) + "\n")
            thread.StepInstruction(False)
            if process.GetState() != lldb.eStateStopped:
                break
            process.SetSelectedThread(thread)
            if lines and '"main.run"' not in lines[0] and "copystack" not in lines[0]:
                break
    result.AppendMessage("stepped")


def __lldb_init_module(debugger, internal_dict):
    debugger.HandleCommand(f"command script add -o -f {__name__}.step_stacks step_stacks")
