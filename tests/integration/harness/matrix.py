"""The cells of the test matrix: release × optimization × build × source × scenario."""
import functools
from dataclasses import dataclass
from typing import Any

from . import builds, stops, tool

WAIT_SOURCES = ("live", "gcore", "minidump")
# LLDB's minidump leaves out what lies below SP in a mapping that holds a thread's SP. A thread that is stopped in Go
# code or in a signal handler has its SP in the arena of Go's heap: half of the heap would not be in the file.
NOT_IN_MINIDUMP = ("busy", "signal")


def actor_words(source):
    return ("wait", 4, "calm" if source == "minidump" else "actors")


@dataclass(frozen=True)
class Cell:
    release: Any
    optimization: str
    kind: str
    source: str
    scenario: str

    def __str__(self):
        return f"{self.release}-{self.optimization}-{self.kind}-{self.source}-{self.scenario}"

    @property
    def group(self):
        """Tests with the same group run in one worker and share the process or core."""
        return f"{self.release}-{self.optimization}-{self.kind}-{self.source}"

    def describe(self):
        return {"release": self.release.minor, "version": self.release.version, "optimization": self.optimization,
                "kind": self.kind, "source": self.source, "scenario": self.scenario}


def optimizations(quick):
    return ("O2",) if quick else ("O2", "O0")


def remembered(function):
    """The last few results by arguments; a failure is remembered as well, so that it costs its time once."""
    @functools.lru_cache(4)
    def outcome(*arguments):
        try:
            return function(*arguments), None
        except Exception as error:  # pylint: disable=broad-except
            return None, error

    @functools.wraps(function)
    def wrapper(*arguments):
        value, error = outcome(*arguments)
        if error is not None:
            raise error
        return value
    return wrapper


@remembered
def waiting_stacks(built, source, words):
    """All stacks of a waiting process, read in one of WAIT_SOURCES; the core is deleted afterwards."""
    if source == "live":
        with stops.live(built, *words) as process:
            return tool.stacks_of("--all", "--pid", process.pid, allowed=(0, 4))
    snapshot = {"gcore": stops.gcore_of, "minidump": stops.minidump_of}[source]
    with snapshot(built, *words) as path:
        return tool.stacks_of("--all", "--core", path, "--exe", built.exe, allowed=(0, 4))


@remembered
def crashed_stacks(built, words, send=None):
    """(all stacks of the core, what the runtime printed) of a program that crashes."""
    with stops.crash_core_of(built, *words, send=send) as (path, printed):
        return tool.stacks_of("--all", "--core", path, "--exe", built.exe, allowed=(0, 4)), printed


@functools.lru_cache(64)
def built(release, optimization, kind):
    if kind == "cxx":
        return builds.build_cxx(release, optimization)
    if kind in ("sqlite", "audio", "zstd"):
        return builds.build_module(release, kind)
    return builds.build_mix(release, optimization, kind)
