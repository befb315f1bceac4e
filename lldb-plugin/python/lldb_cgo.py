"""Stacks and goroutines of programs that mix Go and C, as Python objects.

The objects carry the keys of the JSON that `cgo bt --json` and `cgo goroutines --json` print as
attributes. Every function looks at LLDB's selected process unless it is given another one.
"""
from dataclasses import dataclass, field, fields
from typing import List, Optional, Union

import lldb as _lldb
import _lldb_cgo


class CgoError(Exception):
    """A question that cannot be answered: what failed, why, and what to try."""


class PartialAnswer(UserWarning):
    """An answer in part: the warning's text says what is missing."""


@dataclass
class Thread:
    index: int
    tid: int
    name: str = ""


@dataclass
class Frame:
    """One line of a stack. `pc` and `sp` are numbers here."""

    index: int
    language: str
    function: str
    module: str
    pc: int
    sp: int
    file: Optional[str] = None
    line: Optional[int] = None
    inlined: bool = False
    plumbing: bool = False
    crossing: Optional[str] = None
    certainty: str = "exact"
    tail_call: bool = False
    cfa: Optional[int] = None


@dataclass
class Gap:
    """A place where frames existed but cannot be read any more."""

    gap: str


@dataclass
class GoroutineSummary:
    id: int
    state: str
    wait_reason: Optional[str] = None


@dataclass
class Stack:
    """One stack over Go and C, innermost frame first."""

    complete: bool
    end: str
    frames: List[Union[Frame, Gap]] = field(default_factory=list)
    thread: Optional[Thread] = None
    goroutine: Optional[GoroutineSummary] = None
    error: Optional[str] = None
    note: Optional[str] = None

    def user_frames(self) -> List[Frame]:
        """The frames that text shows without --raw."""
        return [f for f in self.frames if isinstance(f, Frame) and not f.plumbing]


@dataclass
class Creator:
    function: str
    file: str
    line: int
    pc: int
    goroutine: Optional[int] = None


@dataclass
class Goroutine:
    id: int
    state: str
    wait_reason: Optional[str] = None
    wait_ns: Optional[int] = None
    thread: Optional[Thread] = None
    created_by: Optional[Creator] = None
    user_frame: Optional[Frame] = None
    locked_to_thread: bool = False


_ADDRESSES = {"pc", "sp", "cfa"}


def _record(kind, keys):
    """An object of `kind` from JSON; keys of later releases are left out."""
    if keys is None:
        return None
    known = {f.name for f in fields(kind)}
    return kind(**{k: int(v, 16) if k in _ADDRESSES and v is not None else v
                   for k, v in keys.items() if k in known})


def _stack(keys):
    stack = _record(Stack, keys)
    stack.thread = _record(Thread, stack.thread)
    stack.goroutine = _record(GoroutineSummary, stack.goroutine)
    stack.frames = [_record(Gap if "gap" in f else Frame, f) for f in stack.frames]
    return stack


def _goroutine(keys):
    goroutine = _record(Goroutine, keys)
    goroutine.thread = _record(Thread, goroutine.thread)
    goroutine.created_by = _record(Creator, goroutine.created_by)
    goroutine.user_frame = _record(Frame, goroutine.user_frame)
    return goroutine


_debugger_ids = []  # Of the debuggers the plugin was loaded into; the last one is asked by default.


def _use_debugger(debugger):
    if debugger.GetID() not in _debugger_ids:
        _debugger_ids.append(debugger.GetID())


def _debugger(process):
    if process is not None:
        return process.GetTarget().GetDebugger()
    if _lldb.debugger is not None and _lldb.debugger.IsValid():
        return _lldb.debugger
    for number in reversed(_debugger_ids):
        debugger = _lldb.SBDebugger.FindDebuggerWithID(number)
        if debugger.IsValid():
            return debugger
    raise CgoError("no debugger has loaded lldb-cgo")


def _ask(process, *words):
    debugger = _debugger(process)
    if process is None:
        process = debugger.GetSelectedTarget().GetProcess()
    status, text, problems = _lldb_cgo.run(debugger, process, [str(word) for word in words])
    if not text:
        raise CgoError(problems or "no answer")
    if problems:
        import warnings
        warnings.warn(problems, PartialAnswer, stacklevel=3)
    import json  # Here, as most sessions of LLDB never ask.
    return json.loads(text)


def stacks(*, thread=None, goroutine=None, limit=None, process=None) -> List[Stack]:
    """All stacks of the process, or the one of a thread (by LLDB's index) or goroutine (by number)."""
    words = ["bt", "--json"]
    if thread is not None:
        words += ["--thread", thread]
    if goroutine is not None:
        words += ["--goroutine", goroutine]
    if thread is None and goroutine is None:
        words.append("--all")
    if limit is not None:
        words += ["--limit", limit]
    return [_stack(keys) for keys in _ask(process, *words)["stacks"]]


def goroutines(*, where=None, process=None) -> List[Goroutine]:
    """All goroutines that are alive, or those with `where` in state, reason, function or file."""
    words = ["goroutines", "--json"] + (["--where", where] if where is not None else [])
    return [_goroutine(keys) for keys in _ask(process, *words)["goroutines"]]


_PARTIAL = 4  # Exit status: the answer is not whole.


def _flush(status):
    """Everything a script printed gets out, or it is said; a reader that went away has what it wants."""
    import errno
    import os
    import sys
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes once more at its end.
        if error.errno != errno.EPIPE:
            print(f"lldb-cgo script: cannot write the output\n  why: {error.strerror}", file=sys.stderr)
            status = status or _PARTIAL
    sys.stderr.flush()
    return status


def _run_script(path, arguments, debugger):
    """Runs a script as __main__ for `lldb-cgo script`; returns the exit status."""
    import runpy
    import signal
    import sys
    import traceback
    target = debugger.GetSelectedTarget()
    _use_debugger(debugger)
    _lldb.debugger, _lldb.target = debugger, target
    _lldb.process = target.GetProcess()
    _lldb.thread = _lldb.process.GetSelectedThread()
    sys.argv = [path] + list(arguments)
    status = 0
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        if end.code is not None:
            status = end.code & 0xff if isinstance(end.code, int) else _PARTIAL
        if status == _PARTIAL and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BrokenPipeError:
        pass
    except BaseException:  # A KeyboardInterrupt too.
        traceback.print_exc()
        status = _PARTIAL
    return _flush(status)
