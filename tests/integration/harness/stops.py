"""Runs fixtures to their stops: live processes, and the four kinds of core."""
import glob
import os
import resource
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager

from .paths import ARTIFACTS, LLDB

START_TIMEOUT_S = 60
CORE_TIMEOUT_S = 120


class StopError(Exception):
    """The fixture did not reach its stop; not a verdict about our program."""


def run_environment():
    env = dict(os.environ)
    # One malloc arena: gdb's gcore writes out the reserved 64 MB of every thread's.
    env.update(GOTRACEBACK="crash", LC_ALL="C.UTF-8", MALLOC_ARENA_MAX="1")
    env.pop("GODEBUG", None)
    return env


def end(process):
    """Kills one process by its handle and reaps it."""
    if process.poll() is None:
        process.kill()
    process.wait(timeout=30)


@contextmanager
def live(built, *words):
    """A process that has said READY and waits; killed at the end."""
    process = subprocess.Popen(built.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=run_environment())
    try:
        wait_until_ready(process)
        yield process
    finally:
        end(process)


def wait_until_ready(process):
    deadline, text = time.monotonic() + START_TIMEOUT_S, b""
    while b"READY" not in text:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise StopError(f"{process.args} did not get ready in {START_TIMEOUT_S} s")
        chunk = os.read(process.stdout.fileno(), 4096)
        if not chunk:
            raise StopError(f"{process.args} ended with {process.wait()} before it was ready")
        text += chunk
    # The announcement comes right before the system call in which the last thread waits.
    time.sleep(0.1)


@contextmanager
def scratch():
    """A folder for cores, gone afterwards: they are 80 MB each."""
    base = os.path.join(ARTIFACTS, "scratch")
    os.makedirs(base, exist_ok=True)
    folder = tempfile.mkdtemp(dir=base)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_checked(command, timeout, what):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise StopError(f"{what}: no end after {timeout} s") from error
    return done.stdout + done.stderr


@contextmanager
def gcore_of(built, *words):
    """gdb's gcore of the waiting process."""
    with scratch() as folder:
        with live(built, *words) as process:
            path = os.path.join(folder, "gcore")
            output = run_checked(["gdb", "-nx", "-batch", "-p", str(process.pid), "-ex", f"generate-core-file {path}"],
                                 CORE_TIMEOUT_S, "gcore")
        if not os.path.exists(path):
            raise StopError(f"gcore wrote nothing:\n{output[-2000:]}")
        yield path


@contextmanager
def minidump_of(built, *words):
    """LLDB's minidump of the waiting process."""
    with scratch() as folder:
        with live(built, *words) as process:
            path = os.path.join(folder, "minidump")
            output = run_checked([LLDB, "--no-lldbinit", "-b", "-o", f"process attach -p {process.pid}",
                                  "-o", f"process save-core --plugin-name=minidump --style=full {path}",
                                  "-o", "detach"], CORE_TIMEOUT_S, "save-core")
        if not os.path.exists(path):
            raise StopError(f"save-core wrote nothing:\n{output[-2000:]}")
        yield path


def kernel_writes_cores_here():
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as f:
        pattern = f.read().strip()
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    return not pattern.startswith(("|", "/")) and hard == resource.RLIM_INFINITY


def allow_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def crash_with_kernel_core(command, folder, send):
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=run_environment(), preexec_fn=allow_core)
    try:
        if send is not None:
            wait_until_ready(process)
            process.send_signal(send)
        _, errors = process.communicate(timeout=CORE_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise StopError(f"{command} did not die") from error
    finally:
        end(process)
    cores = glob.glob(os.path.join(folder, "core*"))
    if not cores:
        raise StopError(f"{command} ended with {process.returncode} and left no core:\n{errors.decode()[:2000]}")
    return cores[0], errors.decode(errors="replace")


def crash_under_gdb(command, folder):
    """Where the kernel writes no core for us: gdb writes one at the last SIGABRT, the one that kills."""
    errors = os.path.join(folder, "stderr")
    words = ["gdb", "-nx", "-batch", "-ex", "set pagination off", "-ex", "handle all nostop noprint pass",
             "-ex", "handle SIGABRT stop print pass", "-ex", f"run {shlex.join(command[1:])} 2>{shlex.quote(errors)}"]
    paths = [os.path.join(folder, f"core.{n}") for n in range(3)]
    for path in paths:
        words += ["-ex", f"generate-core-file {path}", "-ex", "continue"]
    previous = os.environ.get("GOTRACEBACK")
    os.environ["GOTRACEBACK"] = "crash"
    try:
        run_checked([*words, command[0]], CORE_TIMEOUT_S, "crash under gdb")
    finally:
        if previous is None:
            del os.environ["GOTRACEBACK"]
        else:
            os.environ["GOTRACEBACK"] = previous
    written = [p for p in paths if os.path.exists(p)]
    if not written:
        raise StopError(f"{command}: gdb wrote no core")
    for path in written[:-1]:
        os.unlink(path)
    with open(errors, encoding="utf-8", errors="replace") as f:
        return written[-1], f.read()


@contextmanager
def crash_core_of(built, *words, send=None):
    """(core, what the runtime printed) of a program that crashes by itself, or by `send` once it is ready."""
    with scratch() as folder:
        if kernel_writes_cores_here():
            yield crash_with_kernel_core(built.command(*words), folder, send)
        elif send is None:
            yield crash_under_gdb(built.command(*words), folder)
        else:
            raise StopError("the kernel writes no cores here, and gdb cannot stand in when a signal comes from outside")


QUIT = signal.SIGQUIT
