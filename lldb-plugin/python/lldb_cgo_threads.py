"""Parked goroutines as threads of LLDB: the operating system plugin behind `cgo set goroutine-threads`."""
import struct

import _lldb_cgo

# By DWARF number, which is also their order in the data given for a thread.
_AMD64 = ("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
          "r14", "r15", "rip")
_GENERIC = {"rbp": "fp", "rsp": "sp", "rip": "pc"}


def _register(number, name):
    register = {"name": name, "bitsize": 64, "offset": 8 * number, "encoding": "uint", "format": "hex",
                "set": 0, "gcc": number, "dwarf": number}
    if name in _GENERIC:
        register["generic"] = _GENERIC[name]
    return register


class OperatingSystemPlugIn:
    """What LLDB asks at every stop. A goroutine's thread has the registers it was parked with."""

    def __init__(self, process):
        self.process = process
        self.registers = {"sets": ["Saved by the Go runtime"],
                          "registers": [_register(n, name) for n, name in enumerate(_AMD64)]}
        self.data = {}

    def get_register_info(self):
        return self.registers

    def get_thread_info(self):
        try:
            found = _lldb_cgo.goroutine_threads(self.process)
        except Exception:
            found = []
        threads, self.data = [], {}
        for tid, name, pc, sp, bp in found:
            values = [0] * len(_AMD64)
            values[_AMD64.index("rbp")], values[_AMD64.index("rsp")], values[_AMD64.index("rip")] = bp, sp, pc
            self.data[tid] = struct.pack("<%dQ" % len(values), *values)
            threads.append({"tid": tid, "name": name, "queue": "go", "state": "stopped", "stop_reason": "none"})
        return threads

    def get_register_data(self, tid):
        return self.data.get(tid)

    def create_thread(self, tid, context):
        return None
