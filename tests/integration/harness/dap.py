"""A small client of the Debug Adapter Protocol: what VS Code says to lldb-dap, and what it hears."""
import json
import os
import select
import subprocess
import time

from .paths import LLDB_DAP

TIMEOUT_S = 60


class DapError(AssertionError):
    pass


class Session:
    """One lldb-dap process. Use as a context manager: it is ended whatever happens."""

    def __init__(self):
        self.sequence = 0
        self.buffer = b""
        self.events = []
        self.process = subprocess.Popen([LLDB_DAP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, LC_ALL="C.UTF-8"))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        try:
            self.request("disconnect", {"terminateDebuggee": True}, timeout=10)
        except (DapError, OSError):
            pass
        self.process.kill()
        self.process.wait(timeout=30)

    def send(self, command, arguments):
        self.sequence += 1
        body = json.dumps({"seq": self.sequence, "type": "request", "command": command, "arguments": arguments or {}}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()
        return self.sequence

    def read(self, deadline):
        """The next message."""
        while True:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if mark:
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                if len(rest) >= length:
                    self.buffer = rest[length:]
                    return json.loads(rest[:length])
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise DapError("lldb-dap does not answer")
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise DapError(f"lldb-dap ended with {self.process.wait(timeout=10)}")
            self.buffer += chunk

    def request(self, command, arguments=None, timeout=TIMEOUT_S):
        """The body of the answer; events are kept for `wait_for`."""
        return self.answer(self.send(command, arguments), command, timeout)

    def answer(self, number, command, timeout=TIMEOUT_S):
        deadline = time.monotonic() + timeout
        while True:
            message = self.read(deadline)
            if message["type"] == "event":
                self.events.append(message)
            elif message["type"] == "response" and message["request_seq"] == number:
                if not message.get("success"):
                    raise DapError(f"{command}: {message.get('message')} {message.get('body')}")
                return message.get("body") or {}

    def wait_for(self, event, timeout=TIMEOUT_S):
        deadline = time.monotonic() + timeout
        while True:
            for message in self.events:
                if message["event"] == event:
                    self.events.remove(message)
                    return message.get("body") or {}
            message = self.read(deadline)
            if message["type"] == "event":
                self.events.append(message)
