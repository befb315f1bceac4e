"""Delve over its JSON-RPC API: the second opinion about values, and the peer of the benchmarks."""
import json
import os
import socket
import subprocess
import tempfile
import time

from .paths import CACHE

# The newest Go minor that each pinned release reads, oldest first; scripts/fetch-dlv has the same. Each reads three
# releases at least. Source: pkg/goversion/compat.go, MinSupportedVersionOfGoMinor, MaxSupportedVersionOfGoMinor.
VERSIONS = {22: "v1.22.1", 24: "v1.24.2", 27: "v1.27.1"}


def program_for(go_number):
    """Path of the Delve that supports Go 1.GO_NUMBER; it may not be there."""
    version = next(version for newest, version in VERSIONS.items() if go_number <= newest)
    return os.path.join(CACHE, f"dlv-{version}", "dlv")


START_TIMEOUT_S = 60
ANSWER_TIMEOUT_S = 300


class DelveError(Exception):
    """Delve could not do it; not a verdict about our program."""


def load_config(depth=3, text=256, elements=64):
    return {"FollowPointers": True, "MaxVariableRecurse": depth, "MaxStringLen": text, "MaxArrayValues": elements,
            "MaxStructFields": -1}


class Delve:
    """A headless Delve with one target, `words` as of its command line. Use it as a context."""

    def __init__(self, program, *words):
        self.folder = tempfile.TemporaryDirectory(prefix="dlv-")
        path = os.path.join(self.folder.name, "socket")
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [program, *map(str, words), "--headless", "--api-version=2", f"--listen=unix:{path}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.socket = socket.socket(socket.AF_UNIX)
        self.number = 0
        try:
            self._connect(path)
        except BaseException:
            self.close()
            raise
        self.socket.settimeout(ANSWER_TIMEOUT_S)
        self.answers = self.socket.makefile("rb")

    def _connect(self, path):
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.socket.connect(path)
                return
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.log.seek(0)
                    raise DelveError(f"dlv did not start: {self.log.read()[-2000:]}") from error
                time.sleep(0.002)

    def raw_call(self, method, **parameters):
        """The line that Delve answers, as it is."""
        self.number += 1
        question = {"method": f"RPCServer.{method}", "params": [parameters], "id": self.number}
        self.socket.sendall(json.dumps(question).encode())
        return self.answers.readline()

    def call(self, method, **parameters):
        answer = json.loads(self.raw_call(method, **parameters))
        if answer.get("error"):
            raise DelveError(f"{method}: {answer['error']}")
        return answer["result"]

    def evaluate(self, expression, goroutine=-1, frame=0, **limits):
        return self.call("Eval", Scope={"GoroutineID": goroutine, "Frame": frame}, Expr=expression,
                         Cfg=load_config(**limits))["Variable"]

    def variables(self, goroutine, frame, **limits):
        """Arguments and locals of a frame."""
        question = {"Scope": {"GoroutineID": goroutine, "Frame": frame}, "Cfg": load_config(**limits)}
        return self.call("ListFunctionArgs", **question)["Args"] + self.call("ListLocalVars", **question)["Variables"]

    def frame_at(self, pc, goroutine):
        """The number of the frame that has this pc; of several, inlined ones, the outermost."""
        frames = self.call("Stacktrace", Id=goroutine, Depth=100)["Locations"]
        found = [number for number, frame in enumerate(frames) if frame["pc"] == pc]
        if not found:
            raise DelveError(f"dlv sees no frame at {pc:#x} in goroutine {goroutine}: {[f['pc'] for f in frames]}")
        return found[-1]

    def close(self):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
