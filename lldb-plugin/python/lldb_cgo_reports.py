"""What handles signals, and Go's scheduler, for scripts. Part of lldb_cgo, which is loaded after this."""
from dataclasses import dataclass, field
from typing import Any, List, Optional


@dataclass
class Place:
    """A function, and where it is."""

    address: int
    function: Optional[str] = None
    module: Optional[str] = None
    file: Optional[str] = None
    line: Optional[int] = None


@dataclass
class Runtime:
    """A Go runtime in the process."""

    version: str
    module: str


@dataclass
class GoSignal:
    """What a runtime (by its index) noted of a signal: `found` is what was there before Go's handler."""

    runtime: int
    handling: bool
    found: Optional[str] = None
    found_handler: Optional[Place] = None
    forwards: bool = False
    notify: Optional[bool] = None
    ignored: Optional[bool] = None


@dataclass
class Signal:
    """`action` is "default", "ignored", "handler" or None, `owner` "go", "other" or None. `flags`, `mask`,
    `restorer`, `on_stack` and `breaks_go` are known where the kernel was asked."""

    number: int
    name: str
    action: Optional[str] = None
    owner: Optional[str] = None
    certainty: Optional[str] = None
    runtime: Optional[int] = None
    handler: Optional[Place] = None
    flags: Optional[List[str]] = None
    mask: Optional[List[str]] = None
    restorer: Optional[Place] = None
    on_stack: Optional[bool] = None
    breaks_go: Optional[bool] = None
    blocked_in_go: bool = False
    replaced: bool = False
    go: List[GoSignal] = field(default_factory=list)


@dataclass
class AlternateStack:
    """`kind` is "go", "other", "none", or None where it is not known; `why` says why."""

    kind: Optional[str] = None
    certainty: Optional[str] = None
    base: Optional[int] = None
    bytes: Optional[int] = None
    what: Optional[str] = None
    on_it_now: bool = False
    why: Optional[str] = None


@dataclass
class ThreadSignals:
    index: int
    tid: int
    name: str = ""
    runtime: Optional[int] = None
    machine: Optional[int] = None
    got: Optional[str] = None
    blocked: Optional[List[str]] = None
    pending: Optional[List[str]] = None
    alternate_stack: Optional[AlternateStack] = None


@dataclass
class Signals:
    """`asked` is the tid of the thread that asked the kernel, None where none did."""

    signals: List[Signal]
    threads: List[ThreadSignals]
    runtimes: List[Runtime]
    asked: Optional[int] = None
    process_pending: Optional[List[str]] = None

    def __getitem__(self, which) -> Signal:
        """A signal by its name or number."""
        for signal in self.signals:
            if which in (signal.name, signal.number):
                return signal
        raise KeyError(which)


@dataclass
class Processor:
    """A P of Go's."""

    id: int
    status: str
    machine: Optional[int] = None
    schedtick: int = 0
    syscalltick: int = 0
    queue_length: int = 0
    queue: List[int] = field(default_factory=list)


@dataclass
class Scheduler:
    gomaxprocs: int
    idle_processors: int
    threads: int
    idle_threads: int
    spinning_threads: int
    idle_locked_threads: int
    stop_wait: int
    gc_waiting: bool
    sysmon_waiting: bool
    queue_length: int
    queue: List[int] = field(default_factory=list)
    processors: List[Processor] = field(default_factory=list)


@dataclass
class Machine:
    """An M of Go's: a thread as the runtime sees it. `thread` and `frame` are those of lldb_cgo."""

    id: int
    procid: int
    thread: Optional[Any] = None
    processor: Optional[int] = None
    goroutine: Optional[int] = None
    locked_goroutine: Optional[int] = None
    in_c: bool = False
    extra: bool = False
    extra_in_c: bool = False
    frame: Optional[Any] = None
    spinning: Optional[bool] = None
    blocked: Optional[bool] = None
    locks: Optional[int] = None
    cgo_calls: Optional[int] = None


@dataclass
class RuntimeScheduler:
    """`scheduler` is None without debug information."""

    version: str
    module: str
    scheduler: Optional[Scheduler] = None
    machines: List[Machine] = field(default_factory=list)


@dataclass
class Party:
    """Who waits for a mutex, or holds it."""

    thread: Optional[Any] = None
    goroutine: Optional[int] = None


@dataclass
class MutexWait:
    mutex: int
    what: Optional[str]
    owner_tid: Optional[int] = None
    waiter: Optional[Party] = None
    holder: Optional[Party] = None
    deadlock: bool = False


@dataclass
class Sched:
    """`stacks` are those of the parties of `mutex_waits`."""

    runtimes: List[RuntimeScheduler]
    mutex_waits: List[MutexWait]
    stacks: List[Any]


def _place(keys):
    import lldb_cgo
    return lldb_cgo._record(Place, keys)


def _signal(keys):
    import lldb_cgo
    signal = lldb_cgo._record(Signal, {**keys, "go": []})
    signal.handler, signal.restorer = _place(keys["handler"]), _place(keys.get("restorer"))
    for noted in keys["go"]:
        one = lldb_cgo._record(GoSignal, noted)
        one.found_handler = _place(noted["found_handler"])
        signal.go.append(one)
    return signal


def _thread_signals(keys):
    import lldb_cgo
    thread = lldb_cgo._record(ThreadSignals, keys)
    thread.alternate_stack = lldb_cgo._record(AlternateStack, keys["alternate_stack"])
    return thread


def signals(*, call=False, process=None) -> Signals:
    """What each signal does, and what each thread blocks. With `call` stopped threads of the process ask the
    kernel, as `cgo signals --call` does."""
    import lldb_cgo
    keys = lldb_cgo._ask(process, "signals", "--json", *(["--call"] if call else []))
    return Signals([_signal(one) for one in keys["signals"]], [_thread_signals(one) for one in keys["threads"]],
                   [lldb_cgo._record(Runtime, one) for one in keys["runtimes"]], keys["asked"], keys["process_pending"])


def _machine(keys):
    import lldb_cgo
    machine = lldb_cgo._record(Machine, keys)
    machine.thread = lldb_cgo._record(lldb_cgo.Thread, keys["thread"])
    machine.frame = lldb_cgo._record(lldb_cgo.Frame, keys["frame"])
    return machine


def _runtime_scheduler(keys):
    import lldb_cgo
    runtime = lldb_cgo._record(RuntimeScheduler, keys)
    runtime.scheduler = lldb_cgo._record(Scheduler, keys["scheduler"])
    if runtime.scheduler is not None:
        runtime.scheduler.processors = [lldb_cgo._record(Processor, one) for one in keys["scheduler"]["processors"]]
    runtime.machines = [_machine(one) for one in keys["machines"]]
    return runtime


def _party(keys):
    import lldb_cgo
    party = lldb_cgo._record(Party, keys)
    if party is not None:
        party.thread = lldb_cgo._record(lldb_cgo.Thread, keys["thread"])
    return party


def _mutex_wait(keys):
    import lldb_cgo
    wait = lldb_cgo._record(MutexWait, keys)
    wait.waiter, wait.holder = _party(keys["waiter"]), _party(keys["holder"])
    return wait


def sched(*, process=None) -> Sched:
    """Go's scheduler: every M with its thread and what it does, every P, the run queues; who waits for which
    mutex of C's, and who holds it."""
    import lldb_cgo
    keys = lldb_cgo._ask(process, "sched", "--json")
    return Sched([_runtime_scheduler(one) for one in keys["runtimes"]], [_mutex_wait(one) for one in keys["mutex_waits"]],
                 [lldb_cgo._stack(one, process) for one in keys["stacks"]])
