"""Stacks, goroutines, values and crossings of programs that mix Go and C, as Python objects.

The objects carry the keys of the JSON that `cgo bt --json` and `cgo goroutines --json` print as
attributes. Every function looks at LLDB's selected process unless it is given another one.
"""
from dataclasses import dataclass, field, fields
from typing import List, Optional, Union

import lldb as _lldb
import _lldb_cgo
from lldb_cgo_crossings import CrossingEvent, on_crossing
from lldb_cgo_heap import Block, Finding, FoundStack, Heap, Holder, Owner, findings, heap
from lldb_cgo_reports import (AlternateStack, GoSignal, Machine, MutexWait, Party, Place, Processor, Runtime, RuntimeScheduler,
                              Sched, Scheduler, Signal, Signals, ThreadSignals, sched, signals)


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
    _where: tuple = field(default=(), repr=False, compare=False)  # Words that lead back to it.
    _process: object = field(default=None, repr=False, compare=False)

    def locals(self, **limits) -> List["Value"]:
        """The parameters and local variables; see evaluate for the limits."""
        return self._values("locals", (), limits)

    def args(self, **limits) -> List["Value"]:
        """The parameters, and Go's results."""
        return self._values("args", (), limits)

    def evaluate(self, text, **limits) -> "Value":
        """What an expression is worth in this frame."""
        return self._values("print", ("--", text), limits)[0]

    def _values(self, command, words, limits):
        if not self._where:
            raise CgoError("this frame does not come from stacks()")
        return _values(self._process, command, (*self._where, "--frame", self.index), words, limits)


@dataclass
class Value:
    """A value of the debuggee: a tree. `value` is its short text, `address` where it lies."""

    name: str
    type: str
    address: Optional[int]
    value: str
    shape: str = "scalar"
    summary: Optional[str] = None
    length: Optional[int] = None
    children: List["Value"] = field(default_factory=list)
    key: Optional["Value"] = None
    notes: List[str] = field(default_factory=list)
    error: Optional[str] = None
    points_to: Optional[dict] = None

    @property
    def fields(self) -> dict:
        """Parts by name, of a structure or of what a pointer or an interface leads to."""
        if self.shape in ("pointer", "interface") and self.children:
            return self.children[0].fields
        return {child.name: child for child in self.children}

    def __getitem__(self, which):
        """A field by name, an element by index, an element of a map by its key."""
        if self.shape in ("pointer", "interface") and self.children:
            return self.children[0][which]
        if self.shape == "entries":
            for child in self.children:
                if child.key is not None and child.key.python() == which:
                    return child
            raise KeyError(which)
        if isinstance(which, str):
            return self.fields[which]
        return self.children[which]

    def __iter__(self):
        return iter(self.children)

    def __len__(self):
        """How many there are; `children` may have fewer, and `notes` says so."""
        return self.length if self.length is not None else len(self.children)

    def __bool__(self):
        return True  # A value, whatever it holds.

    def __int__(self):
        return int(self.python())

    def __float__(self):
        return float(self.python())

    def python(self, partial=False):
        """Python's own int, float, complex, bool, str, bytes, list or dict (pairs where keys are there
        more than once); None for nil and for an empty std::optional. CgoError where the value could not be read, and, unless `partial`, where parts of it were cut: then ask
        for more with depth=, elements= or string=."""
        if self.error is not None:
            raise CgoError(f"{self.name}: {self.error}")
        cut = next((note for note in self.notes if note.startswith("cut")), None)
        if cut is not None and not partial:
            raise CgoError(f"{self.name}: {cut}")
        if self.shape in ("pointer", "interface"):
            return self.children[0].python(partial) if self.children else _scalar(self.value, self.type)
        if self.shape == "fields":
            return {child.name: child.python(partial) for child in self.children}
        if self.shape == "elements":
            values = [child.python(partial) for child in self.children]
            is_bytes = self.type.endswith(("]uint8", "]byte")) and len(values) == len(self)
            return bytes(values) if is_bytes else values
        if self.shape == "entries":
            pairs = [(_hashable(child.key.python(partial)), child.python(partial)) for child in self.children]
            # C++ has maps with several elements of one key.
            return dict(pairs) if len(dict(pairs)) == len(pairs) else pairs
        if self.value == "nullopt" and self.type.startswith("std::optional<"):
            return None
        return _scalar(self.value, self.type)


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
    fault: Optional[dict] = None

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


@dataclass
class CallSite:
    """A line of Go that crosses; of an exported function, where it is."""

    function: str
    file: str
    line: int
    pc: int
    via: Optional[str] = None


@dataclass
class CFunction:
    place: str
    address: Optional[int] = None
    module: Optional[str] = None
    file: Optional[str] = None
    line: Optional[int] = None


@dataclass
class Crossing:
    """A way between Go and C. `direction` is "go_to_c" or "c_to_go"; `form` "Cfunc" (errno is
    dropped), "C2func" (errno is returned), "export" or "cgocall"."""

    function: Optional[str]
    go_name: str
    direction: str
    form: str
    module: str
    known_by: str
    entry: int
    package: Optional[str] = None
    unit: Optional[str] = None
    word: Optional[int] = None
    stub: Optional[int] = None
    c_function: Optional[CFunction] = None
    nocallback: bool = False
    noescape: bool = False
    call_sites: List[CallSite] = field(default_factory=list)


_ADDRESSES = {"pc", "sp", "cfa", "address", "entry", "word", "stub", "base", "mutex"}


def _record(kind, keys):
    """An object of `kind` from JSON; keys of later releases are left out."""
    if keys is None:
        return None
    known = {f.name for f in fields(kind)}
    return kind(**{k: int(v, 16) if k in _ADDRESSES and v is not None else v
                   for k, v in keys.items() if k in known})


def _stack(keys, process):
    stack = _record(Stack, keys)
    stack.thread = _record(Thread, stack.thread)
    stack.goroutine = _record(GoroutineSummary, stack.goroutine)
    stack.frames = [_record(Gap if "gap" in f else Frame, f) for f in stack.frames]
    where = ()
    if stack.thread is not None:
        where = ("--thread", stack.thread.index)
    elif stack.goroutine is not None:
        where = ("--goroutine", stack.goroutine.id)
    for frame in stack.frames:
        if isinstance(frame, Frame):
            frame._where, frame._process = where, process
    return stack


def _hashable(value):
    if isinstance(value, list):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, dict):
        return tuple((key, _hashable(item)) for key, item in value.items())
    return value


_FLOATS = ("float", "float32", "float64", "double", "long double")


def _scalar(text, type_name):
    """Python's value for the text of one that has no parts."""
    if text in ("nil", "NULL"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"'):
        return _quoted(text)
    # Of an enumeration, or of an integer type of Go with named constants: "Warn (1)".
    name, _, number = text.rpartition(" (")
    first = number[:-1] if name[:1].isalpha() and number.endswith(")") else text.split(" ")[0]
    whole = () if type_name in _FLOATS else (lambda t: int(t, 0),)
    for kind in (*whole, float, lambda t: complex(t.replace("i", "j").replace("+j", "+1j"))):
        try:
            return kind(first)
        except ValueError:
            continue
    return text


def _quoted(text):
    """The str of a quoted text; bytes where it is not UTF-8. The text ends at its last quote: what
    was cut is said behind it."""
    import re
    raw = bytearray()
    for byte, short, long, letter, plain in re.findall(
            r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|\\(.)|([^\\]+)", text[1:text.rindex('"')]):
        if byte:
            raw.append(int(byte, 16))
        elif letter:
            raw += _ESCAPES.get(letter, letter).encode()
        else:
            raw += (chr(int(short or long, 16)) if short or long else plain).encode()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return bytes(raw)


_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}


def _value(keys):
    value = _record(Value, keys)
    value.children = [_value(child) for child in value.children]
    value.key = _value(value.key) if value.key is not None else None
    return value


def _values(process, command, where, words, limits):
    flags = []
    for name, limit in limits.items():
        if name not in ("depth", "elements", "string", "raw"):
            raise TypeError(f"no limit is called {name!r}: depth, elements, string, raw")
        if name == "raw":
            flags += ["--raw"] if limit else []
        elif limit is not None:
            flags += ["--" + name, limit]
    answer = _ask(process, command, "--json", *where, *flags, *words)
    return [_value(keys) for keys in answer["values"]]


def _goroutine(keys):
    goroutine = _record(Goroutine, keys)
    goroutine.thread = _record(Thread, goroutine.thread)
    goroutine.created_by = _record(Creator, goroutine.created_by)
    goroutine.user_frame = _record(Frame, goroutine.user_frame)
    return goroutine


def _crossing(keys):
    crossing = _record(Crossing, keys)
    crossing.c_function = _record(CFunction, crossing.c_function)
    crossing.call_sites = [_record(CallSite, site) for site in crossing.call_sites]
    return crossing


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
    return [_stack(keys, process) for keys in _ask(process, *words)["stacks"]]


def evaluate(text, *, frame=None, process=None, **limits) -> Value:
    """What an expression of Go or C is worth in `frame`, a Frame of stacks(); without one, in the
    selected frame. Limits: depth (levels), elements (of an array, slice or map), string (bytes),
    raw=True (well-known types with all their fields). No code of the debuggee is run."""
    if frame is not None:
        return frame.evaluate(text, **limits)
    return _values(process, "print", (), ("--", text), limits)[0]


def goroutines(*, where=None, process=None) -> List[Goroutine]:
    """All goroutines that are alive, or those with `where` in state, reason, function or file."""
    words = ["goroutines", "--json"] + (["--where", where] if where is not None else [])
    return [_goroutine(keys) for keys in _ask(process, *words)["goroutines"]]


def crossings(text=None, *, process=None) -> List[Crossing]:
    """Every way between Go and C in the program, or those with `text` in a name, package, module or
    call site (file:line)."""
    words = ["crossings", "--json"] + (["--", text] if text is not None else [])
    return [_crossing(keys) for keys in _ask(process, *words)["crossings"]]


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
