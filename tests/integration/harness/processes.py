"""What tests ask of processes that run."""
import time


def status_line(pid, key):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next(line.split(":", 1)[1].strip() for line in f if line.startswith(key + ":"))


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.001)
