"""Runs inside LLDB: times `cgo locals` as typed. Usage: time_locals OUTPUT COUNT step|stay FUNCTION"""
import json
import time

import lldb


def answer_of(interpreter, command):
    answer = lldb.SBCommandReturnObject()
    interpreter.HandleCommand(command, answer)
    return answer.GetOutput() or ""


def time_locals(debugger, command, result, internal_dict):
    path, count, how, function = command.split()
    interpreter = debugger.GetCommandInterpreter()
    [stack] = json.loads(answer_of(interpreter, "cgo bt --goroutine 1 --json"))["stacks"]
    number = next(frame["index"] for frame in stack["frames"] if frame.get("function") == function)
    rows = []
    for _ in range(int(count)):
        if how == "step":  # What is known of the last stop is forgotten.
            answer_of(interpreter, "thread step-inst")
        started = time.perf_counter()
        text = answer_of(interpreter, f"cgo locals --goroutine 1 --frame {number}")
        took = (time.perf_counter() - started) * 1000
        # In inlined code of C the frames have other numbers; asking for them first would do a part of the work.
        if text.startswith(f"frame #{number} {function} "):
            rows.append({"ms": took, "text": text})
    with open(path, "w", encoding="utf-8") as f:
        json.dump(rows, f)


def __lldb_init_module(debugger, internal_dict):
    debugger.HandleCommand(f"command script add -o -f {__name__}.time_locals time_locals")
