"""What the benchmarks run on: programs, cores and the peers. Built once, kept until their sources change."""
import hashlib
import os
import select
import subprocess
import sys
import time
from contextlib import contextmanager

from measure import BenchError

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(REPO, "tests", "integration"))
from harness import dlv as delve  # noqa: E402
BUILD = os.environ.get("LLDB_CGO_BUILD", os.path.join(REPO, "build", "release"))
ARTIFACTS = os.environ.get("LLDB_CGO_BENCH", os.path.join(REPO, "build", "bench"))
PROGRAM = os.path.join(BUILD, "lldb-cgo")
PLUGIN = os.path.join(BUILD, "lldb-cgo.so")
LLDB = "/usr/bin/lldb-22"
GO = os.environ.get("LLDB_CGO_GO", "go")
LARGE_AT_LEAST = 37 << 20
READY_TIMEOUT_S = 120


def run_checked(words, cwd=None, env=None, timeout=1200):
    done = subprocess.run(list(map(str, words)), cwd=cwd, env={**os.environ, **(env or {})}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def digest_of(folder):
    digest = hashlib.sha256(run_checked([GO, "version"]).encode())
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            digest.update(name.encode() + b"\0" + f.read())
    return digest.hexdigest()[:12]


def program(fixture, *flags):
    """Path of the built fixture."""
    source = os.path.join(HERE, "fixtures", fixture)
    path = os.path.join(ARTIFACTS, "-".join([fixture, digest_of(source), *flags]), fixture)
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        print(f"building {fixture}", flush=True)
        run_checked([GO, "build", *flags, "-o", path + ".part", "."], cwd=source)
        os.rename(path + ".part", path)
    return path


def large(small):
    """The program of realistic size; when `small`, the same without its library."""
    path = program("large", *(["-tags=small"] if small else []))
    if not small and os.path.getsize(path) < LARGE_AT_LEAST:
        raise BenchError(f"{path} has only {os.path.getsize(path)} bytes")
    return path


MANY_CALLS = """package main

/*
#include <stdio.h>
#include <unistd.h>
static void ready(void) {{ puts("READY"); fflush(stdout); for (;;) pause(); }}
{functions}
*/
import "C"

func main() {{
	x := C.int(1)
	for _, part := range []func(C.int) C.int{{{parts}}} {{
		x = part(x)
	}}
	println(int(x))
	C.ready()
}}
{bodies}"""


def crossings(count):
    """A program that calls `count` C functions (and one more), each once."""
    folder = os.path.join(ARTIFACTS, f"crossings-{count}-{hashlib.sha256(MANY_CALLS.encode()).hexdigest()[:12]}")
    path = os.path.join(folder, "crossings")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        print(f"building a program with {count} crossings", flush=True)
        starts = range(0, count, 500)
        functions = "\n".join(f"__attribute__((noinline)) static int f{i}(int a) {{ return a + {i}; }}" for i in range(count))
        bodies = "".join(f"\nfunc part{start}(x C.int) C.int {{\n"
                         + "".join(f"\tx = C.f{i}(x)\n" for i in range(start, min(start + 500, count)))
                         + "\treturn x\n}\n" for start in starts)
        with open(os.path.join(folder, "main.go"), "w", encoding="utf-8") as f:
            f.write(MANY_CALLS.format(functions=functions, parts=", ".join(f"part{start}" for start in starts), bodies=bodies))
        with open(os.path.join(folder, "go.mod"), "w", encoding="utf-8") as f:
            f.write("module crossings\n\ngo 1.21\n")
        run_checked([GO, "build", "-o", path + ".part", "."], cwd=folder)
        os.rename(path + ".part", path)
    return path


def dlv():
    """Delve, of a version that knows this Go."""
    run_checked([os.path.join(REPO, "scripts", "fetch-dlv")])
    return delve.program_for(int(run_checked([GO, "env", "GOVERSION"]).split(".")[1]))


@contextmanager
def live(exe, *words):
    """The pid of a process that has said READY and waits; killed at the end."""
    # One malloc arena: gdb's gcore writes out the reserved 64 MB of every thread's.
    process = subprocess.Popen([exe, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env={**os.environ, "MALLOC_ARENA_MAX": "1"})
    try:
        text, deadline = b"", time.monotonic() + READY_TIMEOUT_S
        while b"READY" not in text:
            if not select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise BenchError(f"{exe} did not get ready")
            chunk = os.read(process.stdout.fileno(), 4096)
            if not chunk:
                raise BenchError(f"{exe} ended before it was ready")
            text += chunk
        yield process.pid
    finally:
        process.kill()
        process.wait()


def core(exe, *words):
    """Path of a core of the waiting program, written by gdb."""
    path = os.path.join(os.path.dirname(exe), "-".join(["core", *map(str, words)]))
    if not os.path.exists(path):
        print(f"writing a core of {os.path.basename(exe)} {' '.join(map(str, words))}", flush=True)
        with live(exe, *words) as pid:
            run_checked(["gdb", "-nx", "-batch", "-p", pid, "-ex", f"generate-core-file {path}.part"])
        if not os.path.exists(path + ".part"):
            raise BenchError("gdb wrote no core")
        os.rename(path + ".part", path)
    return path
