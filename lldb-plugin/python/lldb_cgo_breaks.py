"""Breakpoints on crossings between Go and C, as LLDB's own scripted breakpoints."""
import traceback

import lldb
import _lldb_cgo


CALLBACKS = {}  # What scripts want to be asked, by the number of a breakpoint.
CROSSINGS = set()  # Load addresses of instructions that such breakpoints were seen at.
GOING_ON = set()  # Threads that were at one and go on: LLDB has them make one step next.
MOST_GOING_ON = 1000


class CgoCrossing:
    """Puts locations into each module that LLDB loads, and decides which arrivals are hits."""

    def __init__(self, breakpoint, arguments, *_):  # LLDB 19 gives its scripts' namespace too.
        self.breakpoint = breakpoint
        self.number = arguments.GetValueForKey("number").GetUnsignedIntegerValue(0)

    def __callback__(self, context):
        module = context.module
        for address in _lldb_cgo.break_addresses(self.number, module):
            self.breakpoint.AddLocation(module.ResolveFileAddress(address))

    def __get_depth__(self):
        return lldb.eSearchDepthModule

    def get_short_help(self):
        return _lldb_cgo.break_summary(self.number)

    def was_hit(self, frame, location):
        CROSSINGS.add(location.GetLoadAddress())
        stops, event = _lldb_cgo.break_arrived(self.number, frame, location)
        if event and self.number in CALLBACKS:
            try:
                stops = any([CALLBACKS[self.number](one) for one in event.splitlines()])
            except Exception:  # What it would have said is not known.
                traceback.print_exc()
                stops = True
        if stops:
            return location
        if len(GOING_ON) >= MOST_GOING_ON:
            GOING_ON.clear()  # Nobody asks for frames: native bt is off, or threads end at once.
        GOING_ON.add(frame.GetThread().GetThreadID())
        return None
