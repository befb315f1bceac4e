"""The frames that each stop must show, written by hand from the sources of the fixtures; innermost first.

A line is named by a comment "// @name" in the source. Plumbing (what only carries a crossing or a signal) is
not listed here: harness/grammar.py checks it.

What depends on the C compiler is marked: TAIL is a frame that exists at -O0 and is a jump at -O2, where it is
known from the call site entries of DWARF; INLINED is inlined at any level (always_inline).
"""
import functools
import os
import re
from dataclasses import dataclass, field, replace

from harness.paths import FIXTURES


@dataclass(frozen=True)
class Call:
    language: str
    function: str
    mark: str = ""
    inlined: bool = False
    tail: bool = False  # at -O2 only


@dataclass(frozen=True)
class Library:
    """Frames of a system library: how many real ones (None: any number, at least one), and the outermost's name."""
    module: str
    physical: object
    outermost: tuple = ()


@dataclass(frozen=True)
class MayBeLost:
    """C frames that the printing of a panic overwrites: all of them are there, or one gap is."""
    frames: tuple


@dataclass(frozen=True)
class Lost:
    """A gap that has to be there."""


def c(function, mark, **options):
    return Call("c", function, mark, **options)


def cpp(function, mark, **options):
    return Call("c++", function, mark, **options)


def go(function, mark="", **options):
    return Call("go", function, mark, **options)


@functools.lru_cache(None)
def marks(fixture):
    """{name: (file, line)} of one fixture."""
    found = {}
    for root, _, files in os.walk(os.path.join(FIXTURES, fixture)):
        for name in files:
            if not name.endswith((".go", ".c", ".cpp", ".h")):
                continue
            with open(os.path.join(root, name), encoding="utf-8") as f:
                for number, line in enumerate(f, 1):
                    for mark in re.findall(r"(?://|/\*) @(\w+)", line):
                        key = f"{name}:{mark}"
                        found[key] = (name, number)
                        found.setdefault(mark, (name, number))
    return found


# ------------------------------------------------------------------------------------------ mix

WAIT = (c("leaf_wait", "wait"), c("leaf", "leaf_wait"))
FAULT = (c("leaf_fault", "fault"), c("leaf", "leaf_fault"))
# abort() → raise → pthread_kill's implementation.
ABORT = (Library("libc.so.6", 3, ("abort", "__GI_abort")), c("leaf_abort", "abort"), c("leaf", "leaf_abort"))
# __assert_fail → its base → abort …
ASSERT = (Library("libc.so.6", 5, ("__assert_fail", "__GI___assert_fail")), c("leaf_assert", "assert"),
          c("leaf", "leaf_assert"))
GO_PANIC = (go("main.failWithPanic", "panic"), go("main.goPanic", "go_panic"))
GO_NIL = (go("main.failWithNil", "nil"), go("main.goNil", "go_nil"))
# Nothing says what called it, up to the Go code below this crossing.
ZEROED = (c("leaf_zeroed", "zeroed"), Lost())
START_THREAD = (Library("libc.so.6", 2),)
C_MAIN_BOTTOM = (Library("libc.so.6", 2, ("__libc_start_main", "__libc_start_main_impl", "__libc_start_main@@GLIBC_2.34")),
                 Call("*", "_start"))

MAIN = (go("main.main", "main"),)


def c_level(innermost, lost=False):
    """One crossing of the nest: Go calls c_outer, whose innermost part makes the call that follows."""
    frames = (c("c_inner", innermost, inlined=True), c("c_middle", "middle"), c("c_outer", "outer"))
    return (MayBeLost(frames),) if lost else frames


def nest(depth, leaf, lost=False):
    """main.nest at a depth, down to the leaf. With `lost` a panic was printed below these C frames."""
    frames = ()
    for level in range(1, depth + 1):
        innermost = "inner_leaf" if level == 1 else "inner_call"
        if level > 1:
            frames += (go("main.stepDown", "step_down"), go("main.goNest", "go_nest"))
        frames += c_level(innermost, lost) + (go("main.nest", "nest"),)
    return tuple(leaf) + frames


def nest_with_lost_leaf(depth, go_leaf, mark):
    """The nest whose innermost C leaf called Go, which panicked: every C segment may be gone."""
    frames = tuple(go_leaf)
    for level in range(1, depth + 1):
        if level == 1:
            segment = (c("leaf", mark), c("c_inner", "inner_leaf", inlined=True), c("c_middle", "middle"), c("c_outer", "outer"))
        else:
            frames += (go("main.stepDown", "step_down"), go("main.goNest", "go_nest"))
            segment = (c("c_inner", "inner_call", inlined=True), c("c_middle", "middle"), c("c_outer", "outer"))
        frames += (MayBeLost(segment), go("main.nest", "nest"))
    return frames


def run(mark):
    return (go("main.run", mark),) + MAIN


def tail(leaf):
    return tuple(leaf) + (c("tail_last", "tail_last"), c("tail_middle", "tail_middle", tail=True),
                          c("tail_first", "tail_first"), go("main.callTail", "call_tail"))


def grow(leaf):
    down = (go("main.crossAtDepth", "cross_down"),) * 3
    return tuple(leaf) + (go("main.crossAtDepth", "cross_leaf"),) + down + (
        go("main.goGrow", "go_grow"), c("grow_then_call", "grow_call"), go("main.callGrow", "call_grow"))


def alloca(leaf):
    return nest(1, leaf) + (go("main.goAfterAlloca", "go_after_alloca"), c("with_alloca", "alloca_call"),
                            go("main.callAlloca", "call_alloca"))


def interrupted(leaf, handler_mark):
    return tuple(leaf) + (c("on_usr1", handler_mark), c("interrupted_by_signal", "raised"),
                          go("main.callInterrupted", "call_interrupted"))


def from_thread(leaf):
    return tuple(leaf) + (go("main.threadWork", "thread_work"), go("main.goFromThread", "from_thread"),
                          c("thread_body", "thread_body")) + START_THREAD


PARKED = (go("runtime.gopark"), go("runtime.chanrecv"), go("runtime.chanrecv1"))


@dataclass(frozen=True)
class Actor:
    """A place in the waiting mix fixture: known by its outermost user function and, for several of one, by its line."""
    name: str
    frames: tuple
    goroutine: bool = True
    fixture: str = "mix"

    @property
    def key(self):
        calls = [f for f in self.frames if isinstance(f, Call)]
        return calls[-1]


def actor_nest(depth):
    order = [1, 2, 3, 5, 6, 7, 8].index(depth) + 1
    return Actor(f"nest{depth}", nest(depth, WAIT) + (go(f"main.startActors.func{order}", f"actor_nest{depth}"),))


ACTORS = [
    Actor("main", nest(4, WAIT) + run("run_nest")),
    *[actor_nest(depth) for depth in (1, 2, 3, 5, 6, 7, 8)],
    Actor("tail", tail(WAIT) + (go("main.actorTail", "actor_tail"),)),
    Actor("grow", grow(WAIT) + (go("main.actorGrow", "actor_grow"),)),
    Actor("alloca", alloca(WAIT) + (go("main.actorAlloca", "actor_alloca"),)),
    Actor("signal", interrupted(WAIT, "handler_wait") + (go("main.actorSignal", "actor_signal"),)),
    Actor("read", (Library("libc.so.6", 1, ("read", "__read", "__GI___libc_read", "__libc_read")), c("block_in_read", "read"),
                   go("main.actorRead", "actor_read"))),
    Actor("cond_wait", (Library("libc.so.6", 2, ("pthread_cond_wait", "___pthread_cond_wait", "pthread_cond_wait@@GLIBC_2.3.2")),
                        c("block_in_cond_wait", "cond_wait"), go("main.actorCondWait", "actor_cond_wait"))),
    Actor("parked", PARKED + (go("main.goPark", "park"), c("call_park", "call_park"), go("main.actorParked", "actor_parked"))),
    Actor("busy", (go("main.spin", "spin"), go("main.actorBusy", "actor_busy"))),
    Actor("channel", PARKED + (go("main.actorChannel", "actor_channel"),)),
    Actor("locked", (go("runtime.gopark"), go("time.Sleep"), go("main.actorLocked", "actor_locked"))),
    Actor("thread", from_thread(WAIT)),
    Actor("parking_thread", PARKED + (go("main.goPark", "park"), c("parking_thread", "parking_thread")) + START_THREAD),
    Actor("visitor", (c("visitor_thread", "visitor_wait"),) + START_THREAD, goroutine=False),
]


@dataclass(frozen=True)
class Crash:
    """A way in which a fixture dies, and the whole stack of what died."""
    name: str
    words: tuple  # the command line
    frames: tuple
    fixture: str = "mix"
    first: int = 0  # the first Go minor on which the runtime itself survives long enough to print
    why: str = ""
    key: Call = field(default=None)


def died_in_thread(name, words, frames):
    return Crash(name, words, frames, key=c("thread_body", "thread_body"))


CRASHES = [
    *[Crash(f"fault_depth{n}", ("fault", n), nest(n, FAULT) + run("run_nest")) for n in (1, 2, 4, 8)],
    Crash("abort", ("abort", 3), nest(3, ABORT) + run("run_nest")),
    Crash("assert", ("assert", 3), nest(3, ASSERT) + run("run_nest")),
    Crash("panic", ("panic", 3), nest_with_lost_leaf(3, GO_PANIC, "leaf_panic") + run("run_nest")),
    Crash("nil", ("nil", 3), nest_with_lost_leaf(3, GO_NIL, "leaf_nil") + run("run_nest")),
    Crash("zeroed_return", ("zeroed", 2), ZEROED + nest(2, ())[3:] + run("run_nest")),
    Crash("tail_fault", ("tail-fault",), tail(FAULT) + run("run_tail")),
    Crash("grow_fault", ("grow-fault",), grow(FAULT) + run("run_grow")),
    Crash("alloca_fault", ("alloca-fault",), alloca(FAULT) + run("run_alloca")),
    Crash("signal_fault", ("signal-fault",), interrupted(FAULT, "handler_fault") + run("run_signal"), first=21,
          why="its runtime dies of «morestack on g0» when a C signal handler faults"),
    Crash("recovered_fault", ("recovered-fault",), nest(2, FAULT) + (go("main.afterRecover", "after_recover"),) + run("run_recovered")),
    died_in_thread("thread_fault", ("thread-fault",), from_thread(FAULT)),
    died_in_thread("thread_panic", ("thread-panic",), (
        go("main.failWithPanic", "panic"), go("main.goFromThread", "thread_panic"),
        c("thread_body", "thread_body")) + START_THREAD),
    died_in_thread("thread_go_panic", ("threadgo-panic",), GO_PANIC + (
        MayBeLost((c("leaf", "leaf_panic"),)), go("main.threadWork", "thread_work"), go("main.goFromThread", "from_thread"),
        c("thread_body", "thread_body")) + START_THREAD),
]

# ------------------------------------------------------------------------------------------ cxx

CXX_LEAF = {
    "wait": (cpp("shop::wait_here(int)", "wait"), cpp("shop::(anonymous namespace)::hidden_leaf(int)", "hidden_wait")),
    "fault": (cpp("shop::fault_here(int)", "fault"), cpp("shop::(anonymous namespace)::hidden_leaf(int)", "hidden_fault")),
    # __cxa_throw → std::terminate → __terminate → __verbose_terminate_handler → abort
    "throw": (Library("libc.so.6", 3, ("abort", "__GI_abort")), Library("libstdc++.so.6", 4, ("__cxa_throw",)),
              cpp("shop::throw_here(int)", "throw"), cpp("shop::(anonymous namespace)::hidden_leaf(int)", "hidden_throw")),
}


def cxx(leaf, guarded=False):
    kind = "long" if guarded else "double"
    frames = CXX_LEAF[leaf] + (
        cpp("shop_leaf", "leaf"), go("main.pay", "pay"), go("main.goCheckout", "go_checkout"),
        cpp(f"shop::Cart<{kind}>::inspect(int)", "inspect", inlined=True),
        cpp(f"int shop::Cart<{kind}>::checkout(int)", "checkout"))
    if guarded:
        frames += (cpp("shop_enter", "enter_guarded"),)
    else:
        frames += (LAMBDA, RECEIPT, cpp("shop_enter", "enter"))
    return frames + MAIN


# A lambda has no name of its own: gcc's debug information has less of it than its symbol.
LAMBDA = cpp("re:shop_enter(\\(int\\))?::\\{lambda.*\\}::operator\\(\\).*", "lambda")
RECEIPT = cpp("re:(int )?shop::with_receipt<.*>.*", "with_receipt")

CXX_WAIT = Actor("cxx_wait", cxx("wait"), fixture="cxx")
CXX_CRASHES = [
    Crash("cxx_fault", ("fault",), cxx("fault"), fixture="cxx"),
    Crash("cxx_throw", ("throw",), cxx("throw"), fixture="cxx"),
    Crash("cxx_throw_guarded", ("throw-guarded",), cxx("throw", guarded=True), fixture="cxx"),
]


def without_debug_information(frames):
    """What a stripped binary can show: no inlined or tail-call C frames, no C lines; C names only if exported."""
    kept = []
    for frame in frames:
        if isinstance(frame, Call) and frame.language != "go":
            if not frame.inlined and not frame.tail:
                kept.append(replace(frame, language="*", mark="", function="?" + frame.function))
        else:
            kept.append(frame)
    return tuple(kept)


# ------------------------------------------------------------------------------------------ other ways to build

def library_frames(frames, host):
    """mix as a C library: what calls it is C."""
    assert frames[-1] == MAIN[0]
    enter = Call("c", "host_enter", f"{host}:enter")
    main = Call("c", "main", f"{host}:main")
    return frames[:-1] + (go("main.MixRun", "lib_run"), enter, main) + C_MAIN_BOTTOM


def plugin_frames(frames):
    """mix as a Go plugin: its package has the plugin's path, and the host's main below."""
    renamed = tuple(replace(f, function=re.sub(r"^main\.", "mix.", f.function)) if isinstance(f, Call) and f.language == "go"
                    else f for f in frames[:-1])
    return renamed + (go("mix.Run", "plug_run"), go("main.main", "hosts/plugin/main"))


def two_frames(frames):
    """mix as a library inside a Go program with a runtime of its own."""
    return frames[:-1] + (go("main.MixRun", "lib_run"), c("enter_library", "two/enter"), go("main.enter", "two/enter_go"),
                          go("main.main", "two/main"))
