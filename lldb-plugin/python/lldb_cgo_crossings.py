"""Crossings between Go and C as scripts are told of them. Part of lldb_cgo, which is loaded after this."""
from dataclasses import dataclass
from typing import Any, Dict, Optional

import _lldb_cgo
from lldb_cgo_breaks import CALLBACKS


@dataclass
class CrossingEvent:
    """A thread at a crossing. `event` is "enter" or "return", `direction` "go_to_c" or "c_to_go"; `thread` a
    tid, `time_ns` the time of day; `arguments` by name, None where they are not known. Of a return: `result`,
    the name of what errno was set to (`errno_unchanged`: or left at, nobody can tell), whether Go is given it, "errno.lost", "errno.on-success" or
    "python.pending" as `verdict`, what exception of Python is pending (`python`, by "type", "message", "file", "line", "function", and
    "before": whether one was before the call, too), and the time it took, with the debugger's own stops in it."""

    sequence: int
    time_ns: int
    event: str
    direction: str
    function: str
    go_name: str
    form: str
    thread: int
    depth: int
    goroutine: Optional[int] = None
    m: Optional[int] = None
    moved_from_thread: Optional[int] = None
    caller: Optional[str] = None
    arguments: Optional[Dict[str, Any]] = None
    result: Optional[Any] = None
    errno: Optional[str] = None
    errno_unchanged: bool = False
    errno_seen_by_go: bool = False
    verdict: Optional[str] = None
    python: Optional[Dict[str, Any]] = None
    duration_ns: Optional[int] = None


def _crossing_event(keys):
    import lldb_cgo
    event = lldb_cgo._record(CrossingEvent, keys)
    if event.arguments is not None:
        event.arguments = {one["name"]: lldb_cgo._value(one) for one in event.arguments}
    if event.result is not None:
        event.result = lldb_cgo._value(event.result)
    return event


def on_crossing(regex, callback, *, when="enter", condition=None, target=None):
    """Calls `callback` with a CrossingEvent whenever Go calls a C function whose name has `regex` in it
    (when="enter"), or it returns ("return"), or C calls such a Go function ("callback"). The process stops where
    the callback returns a true value or raises, and goes on otherwise. `condition` is tested before, as `cgo break
    --if` does. Returns the lldb.SBBreakpoint. LLDB 22 and later."""
    import json  # Here, as most sessions of LLDB never ask.
    import lldb_cgo
    if target is None:
        target = lldb_cgo._debugger(None).GetSelectedTarget()
    if not target.IsValid():
        raise lldb_cgo.CgoError("no target is selected")
    words = [when] + (["--if", condition] if condition is not None else []) + ["--", regex]
    made = _lldb_cgo.break_telling(target, words)
    if isinstance(made, str):
        raise lldb_cgo.CgoError(made)
    number, own = made
    CALLBACKS[own] = lambda text: callback(_crossing_event(json.loads(text)))
    return target.FindBreakpointByID(number)
