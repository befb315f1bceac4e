"""Run by `lldb-cgo script stub_check.py STUB yes|no`: compares lldb_cgo with its stub, names first, then the types of what
real answers hold. Prints [what is wrong, classes seen] as JSON. The second word: whether signals are asked of the kernel."""
import dataclasses
import inspect
import json
import sys
import types
import typing

import lldb_cgo

MODULE = sys.modules["stub"] = types.ModuleType("stub")
STUB = vars(MODULE)
with open(sys.argv[1], encoding="utf-8") as source:
    exec(compile("from __future__ import annotations\n" + source.read(), sys.argv[1], "exec"), STUB)  # pylint: disable=exec-used
CLASSES = {name: one for name, one in STUB.items() if inspect.isclass(one) and one.__module__ == "stub"}
FUNCTIONS = {name: one for name, one in STUB.items() if inspect.isfunction(one) and one.__module__ == "stub"}
WRONG, SEEN = [], set()


def has_default(field):
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def fields_of(kind):
    return [(f.name, has_default(f)) for f in dataclasses.fields(kind) if not f.name.startswith("_")]


def parameters_of(function):
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default is not p.empty) for p in found if p.kind != p.VAR_KEYWORD]


def compare_names():
    for name, ours in CLASSES.items():
        theirs = getattr(lldb_cgo, name, None)
        if theirs is None:
            WRONG.append(f"the module has no {name}")
        elif dataclasses.is_dataclass(ours) and fields_of(ours) != fields_of(theirs):
            WRONG.append(f"{name}: {fields_of(ours)}, the module has {fields_of(theirs)}")
    for name, ours in FUNCTIONS.items():
        theirs = getattr(lldb_cgo, name, None)
        if theirs is None:
            WRONG.append(f"the module has no {name}")
        elif not set(parameters_of(theirs)) <= set(parameters_of(ours)):  # The module takes limits as **limits.
            WRONG.append(f"{name}: {parameters_of(ours)}, the module has {parameters_of(theirs)}")
    for name, one in vars(lldb_cgo).items():
        own = getattr(one, "__module__", "").startswith("lldb_cgo") and not name.startswith("_")
        if own and (inspect.isclass(one) and name not in CLASSES or inspect.isfunction(one) and name not in FUNCTIONS):
            WRONG.append(f"the stub has no {name}")


def fits(value, hint, where):
    """Whether a value is what the stub says; complains where it is told where that is."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in (typing.Any, object):
        return True
    if origin is typing.Union:
        if any(fits(value, one, None) for one in inner):
            return True
    elif origin is list:
        if isinstance(value, list):
            return all([fits(one, inner[0], where) for one in value])
    elif origin is dict:
        if isinstance(value, dict):
            return all([fits(k, inner[0], where) and fits(v, inner[1], where) for k, v in value.items()])
    elif dataclasses.is_dataclass(hint):
        if type(value).__name__ == hint.__name__:
            return fields_fit(value, hint)
    elif type(value) is hint:  # A bool is no int here.
        return True
    if where is not None:
        WRONG.append(f"{where}: {value!r} is no {hint}")
    return False


def fields_fit(value, kind):
    SEEN.add(kind.__name__)
    hints = typing.get_type_hints(kind, STUB)
    return all([fits(getattr(value, f.name), hints[f.name], f"{kind.__name__}.{f.name}") for f in dataclasses.fields(kind)])


def check(value, function):
    fits(value, typing.get_type_hints(FUNCTIONS[function], STUB)["return"], function)


def check_answers(call):
    stacks = lldb_cgo.stacks()
    check(stacks, "stacks")
    for stack in stacks:
        for frame in stack.user_frames()[:3]:
            for values in (frame.locals(), frame.args()):
                fits(values, typing.List[CLASSES["Value"]], "Frame.locals and args")
    check(lldb_cgo.goroutines(), "goroutines")
    check(lldb_cgo.crossings(), "crossings")
    check(lldb_cgo.sched(), "sched")
    check(lldb_cgo.signals(call=call), "signals")
    check(lldb_cgo.findings(), "findings")
    heap = lldb_cgo.heap()
    fits(list(heap)[:200], typing.List[CLASSES["Block"]], "heap")
    fits(heap.owners, typing.List[CLASSES["Owner"]], "Heap.owners")
    fits(heap.by_verdict, typing.get_type_hints(CLASSES["Heap"], STUB)["by_verdict"], "Heap.by_verdict")


compare_names()
if not WRONG:
    check_answers(sys.argv[2] == "yes")
print(json.dumps([WRONG, sorted(SEEN)]))
