"""The stack over Go and C as LLDB's own frames (LLDB 22 and later)."""
import lldb
import _lldb_cgo

try:
    from lldb.plugins.scripted_frame_provider import ScriptedFrameProvider
    from lldb.plugins.scripted_process import ScriptedFrame
except ImportError:  # An LLDB without frame providers: nothing here is used then.
    ScriptedFrameProvider = ScriptedFrame = object


class OuterFrame(ScriptedFrame):
    """A frame LLDB did not find itself. It has no registers, so LLDB shows arguments as unavailable
    instead of wrong ones. LLDB looks its methods up in this class itself, not in a base."""

    def __init__(self, index, pc, context, inlined, artificial):
        # The base class only asks LLDB for what is not needed here.
        self.index = index
        self.pc = pc
        self.context = context
        self.inlined = inlined
        self.artificial = artificial

    def get_id(self):
        return self.index

    def get_pc(self):
        return self.pc

    def get_symbol_context(self):
        return self.context

    def is_inlined(self):
        return self.inlined

    def is_artificial(self):
        return self.artificial

    def is_hidden(self):
        return False

    def get_function_name(self):
        return None

    def get_display_function_name(self):
        return None

    def get_variables(self, filters):
        return None

    def get_register_info(self):
        return None

    def get_register_context(self):
        return None


def symbol_context(target, lookup, depth, file, line):
    """What LLDB knows of an address, `depth` inlined calls out of the innermost one there."""
    address = target.ResolveLoadAddress(lookup)
    context = target.ResolveSymbolContextForAddress(address, lldb.eSymbolContextEverything)
    for _ in range(depth):
        parent_address = lldb.SBAddress()
        parent = context.GetParentOfInlinedScope(address, parent_address)
        if not parent.IsValid():
            break
        context, address = parent, parent_address
    if file and line and context.GetLineEntry().GetLine() != line:
        entry = lldb.SBLineEntry()
        entry.SetFileSpec(lldb.SBFileSpec(file, False))
        entry.SetLine(line)
        context.SetLineEntry(entry)
    return context


def place_of(frame):
    """Where a frame is: (pc, canonical frame address, whether it shares both with the next one)."""
    return frame.GetPC(), frame.GetCFA(), frame.IsInlined() or frame.IsArtificial()


def matching_frames(input_frames, first, physical):
    """LLDB's frames that are the innermost calls of `physical`: (frames, calls)."""
    frames = calls = 0
    while calls < len(physical):
        at, shared = frames, True
        while shared:
            if at > 0:
                frame = input_frames.GetFrameAtIndex(at)
                if not frame.IsValid():
                    return frames, calls
                pc, cfa, shared = place_of(frame)
            else:
                pc, cfa, shared = first
            at += 1
        if (pc, cfa) != physical[calls]:
            return frames, calls
        frames, calls = at, calls + 1
    return frames, calls


class CgoFrames(ScriptedFrameProvider):
    """LLDB's own frames as far as they are right, ours from there on."""

    @staticmethod
    def get_description():
        return "stack over Go and C (cgo set native-bt off to hide it)"

    @staticmethod
    def applies_to_thread(thread):
        try:
            return _lldb_cgo.has_go(thread.GetProcess())
        except Exception:
            return False

    @staticmethod
    def get_priority():
        return 10

    def __init__(self, input_frames, args):
        super().__init__(input_frames, args)
        self.first = None  # What place_of says of frame 0.
        self.plan = None  # LLDB's indexes and elements of ours; False for LLDB's own list.

    def get_frame_at_index(self, index):
        try:
            if index == 0:
                self.look_at_innermost()
                return 0
            if self.plan is None:
                self.plan = self.make_plan()
            if self.plan is False:
                return index
            if index >= len(self.plan):
                return None
            entry = self.plan[index]
            return entry if isinstance(entry, int) else self.outer_frame(index, entry)
        except Exception:
            self.plan = False
            return index

    def look_at_innermost(self):
        """A frame handed back belongs to the list being made from then on, and asking it anything
        would wait for that list for ever: all that frame 0 is needed for is asked before."""
        innermost = self.input_frames.GetFrameAtIndex(0)
        self.first = place_of(innermost)
        _lldb_cgo.take_registers(self.process, self.thread.GetThreadID(), innermost)

    def make_plan(self):
        found = _lldb_cgo.native_stack(self.process, self.thread.GetThreadID())
        if found is None or self.first is None:
            return False
        complete, physical, elements = found
        frames, calls = matching_frames(self.input_frames, self.first, physical)
        if calls == 0:
            frames = calls = 1  # Frame 0 is LLDB's whatever it is.
        if calls >= len(physical) and not complete:
            return False  # LLDB agrees with all of it and may know more.
        return list(range(frames)) + [e for e in elements if e[0] >= calls]

    def outer_frame(self, index, element):
        _, depth, pc, lookup, _, file, line, inlined, artificial = element
        context = symbol_context(self.target, lookup, depth, file, line)
        return OuterFrame(index, pc, context, bool(inlined), bool(artificial))
