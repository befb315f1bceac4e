"""Where things are."""
import os

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPO = os.path.dirname(os.path.dirname(HERE))
FIXTURES = os.path.join(HERE, "fixtures")
BUILD = os.environ.get("LLDB_CGO_BUILD", os.path.join(REPO, "build", "release"))
ARTIFACTS = os.environ.get("LLDB_CGO_ARTIFACTS", os.path.join(REPO, "build", "integration"))
CACHE = os.environ.get("LLDB_CGO_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "lldb-cgo")

PROGRAM = os.environ.get("LLDB_CGO_PROGRAM", os.path.join(BUILD, "lldb-cgo"))
PLUGIN = os.path.join(BUILD, "lldb-cgo.so")
LLDB = "/usr/bin/lldb-22"
LLDB_DAP = "/usr/bin/lldb-dap-22"
