"""Builds the fixtures: lazily, once per release, flags and source text, safe under parallel workers."""
import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass

from .paths import ARTIFACTS, FIXTURES, HERE

BUILD_TIMEOUT_S = 600
# Build modes of the mix fixture.
KINDS = ["exe", "pie", "stripped", "strip", "static", "pie-stripped", "c-shared", "c-archive", "plugin"]


@dataclass(frozen=True)
class Built:
    """A program that is ready to run: `exe` is what a core of it is opened with."""
    exe: str
    arguments: tuple = ()

    def command(self, *words):
        return [self.exe, *self.arguments, *map(str, words)]


@contextmanager
def locked(path):
    """One worker at a time builds what belongs to `path`."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".lock", "w", encoding="utf-8") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


# What several fixtures include.
SHARED = ["stop"]


@functools.lru_cache(None)
def source_hash(*folders):
    digest = hashlib.sha256()
    for folder in [*folders, *SHARED]:
        for root, folders_below, files in os.walk(os.path.join(FIXTURES, folder)):
            folders_below.sort()
            for name in sorted(files):
                path = os.path.join(root, name)
                digest.update(os.path.relpath(path, FIXTURES).encode() + b"\0")
                with open(path, "rb") as f:
                    digest.update(f.read())
    return digest.hexdigest()[:12]


def run_build(command, cwd, env):
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=BUILD_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} in {cwd}:\n{done.stdout}{done.stderr}")


def artifact(folder, name, sources, make):
    """Path of a file under the artifacts; `make(path)` writes it when its sources changed."""
    path = os.path.join(ARTIFACTS, folder, f"{name}-{source_hash(*sources)}")
    with locked(path):
        if not os.path.exists(path):
            with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as work:
                temporary = os.path.join(work, os.path.basename(path))
                make(temporary)
                header = os.path.splitext(temporary)[0] + ".h"
                if os.path.exists(header):
                    os.unlink(header)
                os.rename(temporary, path)
    return path


def c_flags(optimization):
    return ["-g", f"-{optimization}"]


def go_build(release, optimization, fixture, name, arguments, sources=None, suffix="", env_extra=None):
    env = release.environment()
    flags = " ".join(c_flags(optimization))
    env.update(CGO_CFLAGS=flags, CGO_CXXFLAGS=flags)
    env.update(env_extra or {})

    def make(path):
        run_build([release.go, "build", *arguments, "-o", path, "."], os.path.join(FIXTURES, fixture), env)

    folder = f"{release.version}/{fixture.replace('/', '-')}-{optimization}"
    return artifact(folder, name + suffix, sources or [fixture], make)


def compile_c(release, optimization, name, source, extra):
    def make(path):
        command = ["gcc", *c_flags(optimization), "-o", path, os.path.join(FIXTURES, source), *extra]
        run_build(command, FIXTURES, dict(os.environ))

    return artifact(f"{release.version}/hosts-{optimization}", name, ["hosts", "mix"], make)


def build_mix(release, optimization="O2", kind="exe"):
    """The mix fixture in one of KINDS."""
    def go(name, *arguments):
        return go_build(release, optimization, "mix", name, arguments)

    if kind == "exe":
        return Built(go("mix"))
    if kind == "pie":
        return Built(go("mix-pie", "-buildmode=pie"))
    if kind == "stripped":
        return Built(go("mix-stripped", "-ldflags=-s -w"))
    if kind == "static":  # Has no .eh_frame_hdr.
        return Built(go("mix-static", "-tags=netgo,osusergo", "-ldflags=-extldflags=-static"))
    if kind == "pie-stripped":
        return Built(go("mix-pie-stripped", "-buildmode=pie", "-ldflags=-s -w"))
    if kind == "strip":
        whole = go("mix")

        def strip(path):
            shutil.copy(whole, path)
            run_build(["strip", path], FIXTURES, dict(os.environ))

        return Built(artifact(f"{release.version}/mix-{optimization}", "mix-strip", ["mix"], strip))
    if kind == "c-shared":
        library = go("mix-shared", "-tags=lib", "-buildmode=c-shared")
        host = compile_c(release, optimization, "dlopen_host", "hosts/dlopen_host.c", ["-ldl"])
        return Built(host, (library,))
    if kind == "c-archive":
        library = go("mix-archive", "-tags=lib", "-buildmode=c-archive")
        host = compile_c(release, optimization, "archive_host", "hosts/archive_host.c", [library, "-lpthread", "-lresolv"])
        return Built(host)
    if kind == "plugin":
        library = go("mix-plugin", "-tags=plug", "-buildmode=plugin")
        host = go_build(release, optimization, "hosts/plugin", "pluginhost", ())
        return Built(host, (library,))
    raise ValueError(kind)


def build_module(release, fixture):
    """A fixture on a pinned module with bundled C: that C is compiled once for all releases where it can be."""
    wrapper = os.path.join(HERE, "harness", "cached-gcc")
    env = {"CC": wrapper} if shutil.which("ccache") else {}
    return Built(go_build(release, "O2", fixture, fixture, (), env_extra=env))


def build_cxx(release, optimization="O2"):
    return Built(go_build(release, optimization, "cxx", "cxx", ()))


def build_two(host_release, library_release, optimization="O2"):
    """A Go program of one release with a c-shared Go library of another."""
    library = build_mix(library_release, optimization, "c-shared").arguments[0]
    return Built(go_build(host_release, optimization, "two", "two", ()), (library,))
