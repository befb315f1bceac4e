"""The stack over Go and C as LLDB's own frames (LLDB 22 and later)."""
import inspect
import sys
import threading

import lldb
import _lldb_cgo
from lldb_cgo_breaks import CROSSINGS, GOING_ON
from lldb_cgo_names import NAMES
from lldb_cgo_values import VALUES

try:
    from lldb.plugins.scripted_frame_provider import ScriptedFrameProvider
    from lldb.plugins.scripted_process import ScriptedFrame
except ImportError:  # An LLDB without frame providers: nothing here is used then.
    ScriptedFrameProvider = ScriptedFrame = object


BUSY = "frames are missing here: LLDB was busy with this process when it asked for them; 'cgo bt' shows them"
NOT_THESE = "LLDB showed the frames before this one while it was busy: not all of them are right; 'cgo bt' has the stack"


class OuterFrame(ScriptedFrame):
    """A frame LLDB did not find itself. It has no registers, so LLDB shows arguments as unavailable
    instead of wrong ones. LLDB looks its methods up in this class itself, not in a base."""

    def __init__(self, index, context, element, provider):
        # The base class only asks LLDB for what is not needed here.
        self.index = index
        self.pc = element.pc
        self.context = context
        self.inlined = bool(element.inlined)
        # LLDB steps out of a frame to the next one that is not artificial: not to another level of
        # the same call, which has the same pc.
        self.artificial = bool(element.tail_call or element.of_innermost)
        self.element = element
        self.provider = provider

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

    def get_variables(self, filters=None):
        """None at all, but a list: LLDB 22 asks without filters, and crashes where an expression has a
        name of the program and no list is there to look into."""
        none = lldb.SBValueList()
        none.Append(lldb.SBValue())
        return none

    def get_value_for_variable_expression(self, expression, options, error):
        """What `frame variable NAME`, and an editor's hover, watch and console ask for."""
        try:
            return VALUES.value(self.provider, self.element, expression)
        except Exception as failed:
            error.SetErrorString(str(failed))
            return None

    def get_register_info(self):
        return None

    def get_register_context(self):
        return None


class Contexts:
    """What LLDB knows of the places of elements, while the images of a process stay the same."""

    MOST_PLANNED = 4096  # Frames in all plans that are kept.

    def __init__(self, program, target):
        self.program, self.target = program, target
        self.known, self.places = {}, {}
        self.plans = {}  # By what they were made from: most stacks are, but for frame 0, as they were.
        self.planned = 0

    def plan_for(self, made_from, make):
        plan = self.plans.get(made_from)
        if plan is None:
            plan = make()
            if self.planned + len(plan) > self.MOST_PLANNED:
                self.plans, self.planned = {}, 0
            self.plans[made_from] = plan
            self.planned += len(plan)
        return plan

    @staticmethod
    def key(element):
        return (element.lookup, element.from_outermost, element.copy, element.function)

    def known_of(self, element):
        return self.known.get(self.key(element))

    def of(self, element):
        context = self.known_of(element)
        if context is None:
            context = self.known[self.key(element)] = self.make(element)
        return context

    def make(self, element):
        if element.is_gap:
            return without_lldb(element)
        context = lldb.SBSymbolContext(self.place_of(element))
        if element.is_go and element.function != name_in(context):
            context.SetSymbol(NAMES.symbol(element.function, element.copy))
        elif element.copy > 0:
            context = self.another(context, element)
        if element.file and element.line and context.GetLineEntry().GetLine() != element.line:
            context.SetLineEntry(line_entry(element))
        return context

    @staticmethod
    def another(context, element):
        """The same place with an identity of its own: for a function that is on the stack again."""
        if context.GetFunction().IsValid() or context.GetBlock().IsValid():
            function = NAMES.function(element.function, element.copy)
            context.SetFunction(function)
            context.SetBlock(function.GetBlock())
        else:
            name = context.GetSymbol().GetName() or element.function
            context.SetSymbol(NAMES.symbol(name, element.copy))
        return context

    def place_of(self, element):
        """What LLDB says of the place: the same for all copies of a function."""
        key = (element.lookup, element.from_outermost)
        place = self.places.get(key)
        if place is None:
            chain = self.chain(element.lookup)
            place = self.places[key] = chain[max(0, len(chain) - 1 - element.from_outermost)]
        return place

    def chain(self, lookup):
        """The inlined calls at an address, innermost first, and the function they were inlined into."""
        address = self.target.ResolveLoadAddress(lookup)
        context = self.target.ResolveSymbolContextForAddress(address, lldb.eSymbolContextEverything)
        chain = [context]
        while (inlined := context.GetBlock().GetContainingInlinedBlock()).IsValid():
            outer_address = lldb.SBAddress()
            outer = context.GetParentOfInlinedScope(address, outer_address)
            if not outer.IsValid():
                # LLDB does not find the address where gcc wrote empty ranges beside the right one.
                outer, outer_address = lldb.SBSymbolContext(context), address
                outer.SetBlock(inlined.GetParent())
            context, address = outer, outer_address
            chain.append(context)
        return chain


def without_lldb(element):
    """Name and line alone, for which LLDB need not be asked."""
    context = lldb.SBSymbolContext()
    if element.function:
        context.SetSymbol(NAMES.symbol(element.function, element.copy))
    if element.file and element.line:
        context.SetLineEntry(line_entry(element))
    return context


def line_entry(element):
    entry = lldb.SBLineEntry()
    entry.SetFileSpec(lldb.SBFileSpec(element.file, False))
    entry.SetLine(element.line)
    return entry


def name_in(context):
    """The Go name LLDB has; the symbols of functions in assembly end in .abi0."""
    function = context.GetFunction()
    name = function.GetName() if function.IsValid() else context.GetSymbol().GetName()
    return name.removesuffix(".abi0") if name else ""


class Element:
    """One line of a stack, from _lldb_cgo.native_stack."""

    def __init__(self, fields):
        self.fields = fields
        (self.call, self.from_outermost, self.pc, self.lookup, self.function, self.file, self.line,
         self.inlined, self.tail_call, self.is_go, self.is_gap) = fields
        self.copy = 0  # How many elements before it in the list have its name.
        self.from_end = 0  # How many frames there are from it to the stack's outermost, itself included.
        self.of_innermost = False  # An outer inlined level of the call that LLDB's frame 0 is in.


class FoundStack:
    """What _lldb_cgo.native_stack found of a thread. Elements are made where they are looked at: most
    are as they were at the step before."""

    def __init__(self, program, complete, physical, fields):
        self.program, self.complete, self.physical, self.fields = program, complete, physical, fields

    def of_call(self, call):
        return [Element(f) for f in self.fields if f[0] == call]

    def from_call(self, call):
        return tuple(f for f in self.fields if f[0] >= call)


def gap_element(call, why):
    return Element((call, 0, 0, 0, why, "", 0, 0, 0, 0, 1))


def number_copies(elements):
    seen = {}
    for element in elements:
        element.copy = seen.get(element.function, 0)
        seen[element.function] = element.copy + 1


def shares_its_call(frame):
    """Whether the next outer frame is of the same call, inlined or reached by a tail call."""
    return frame.IsInlined() or frame.IsArtificial()


def more_of_innermost(input_frames, found):
    """How many of LLDB's frames beyond the innermost are of the same call, which the innermost frame
    cannot be asked any more."""
    cfa = found.physical[0][1]
    levels = 0
    while levels + 1 < len(found.of_call(0)) and input_frames.GetFrameAtIndex(levels + 1).GetCFA() == cfa:
        levels += 1
    return levels


def matching_frames(input_frames, first_shared, found):
    """LLDB's frames that show the innermost calls of a found stack as well as ours do: (frames, calls)."""
    frames = calls = 0
    ours = found.of_call(0)
    while calls < len(found.physical):
        if calls == 1 and frames == 1 and outer_levels(ours):
            break
        if calls > 0 and any(e.is_gap for e in ours):
            break  # What LLDB has beyond is not what we know.
        at, frame = frames, None
        shared = True
        if at == 0:
            at = 1  # LLDB and we begin at the same registers.
            shared = more_of_innermost(input_frames, found) > 0 if first_shared is None else first_shared
        while shared:
            frame = input_frames.GetFrameAtIndex(at)
            if not frame.IsValid():
                return frames, calls
            shared = shares_its_call(frame)
            at += 1
        if frame is not None and (frame.GetPC(), frame.GetCFA()) != found.physical[calls]:
            break
        ours = found.of_call(calls)
        levels = [e for e in ours if not e.is_gap]
        if calls > 0 and (len(levels) > at - frames or not named_alike(frame, levels)):
            break  # LLDB does not know Go's inlined calls, nor names that were stripped.
        frames, calls = at, calls + 1
    return frames, calls


def outer_levels(innermost_call):
    """The functions that the innermost one was inlined into, in Go. LLDB knows the last of them only,
    and shows it as frame 0, with the line of the innermost."""
    levels = [e for e in innermost_call if not e.is_gap and not e.tail_call]
    return levels[1:] if levels and levels[-1].is_go else []


def last_levels(innermost_call, count):
    levels = [e for e in innermost_call if not e.is_gap and not e.tail_call]
    return levels[len(levels) - count:] if 0 < count < len(levels) else []


def named_alike(frame, ours):
    if not ours or not ours[-1].is_go or frame is None:
        return True
    return (frame.GetFunctionName() or "").removesuffix(".abi0") == ours[-1].function


class CgoFrames(ScriptedFrameProvider):
    """LLDB's own frames as far as they are right, ours from there on."""

    kept = None  # The contexts of the process asked last.

    @staticmethod
    def get_description():
        return "stack over Go and C (cgo set native-bt off to hide it)"

    @staticmethod
    def applies_to_thread(thread):
        return True  # Registered for targets with Go only; a thread must not be asked anything here.

    @staticmethod
    def get_priority():
        return 10

    def __init__(self, input_frames, args):
        # The base class asks LLDB for more than can be had without the target's lock.
        self.input_frames = input_frames
        self.target_number = args.GetValueForKey("target").GetUnsignedIntegerValue(0)
        self.thread = self.process = None
        self.innermost = None  # LLDB's frame 0.
        self.looked_at = False  # Whether its registers were taken before it was handed back.
        self.shared = None  # What shares_its_call says of it; None while it was not asked.
        self.frames_in_all = 0  # Of the stack, without gaps.
        self.plan = None  # LLDB's indexes and elements of ours; False for LLDB's own list.
        self.handed = []  # LLDB's frames that were handed back without a plan, as they were before.
        self.gave_up = None  # The thread on which LLDB's lock was not to be had.

    def get_frame_at_index(self, index):
        if self.plan is False:
            return index
        if self.plan is not None:
            ready = self.ready_frame(index)
            if ready is not None or index >= len(self.plan):
                return ready
        if index == 0:
            self.innermost = self.input_frames.GetFrameAtIndex(0)
            if self.makes_a_step():
                return self.own_frame(0)
        elif self.plan is None and self.gave_up == threading.get_ident():
            return self.own_frame(index)
        lock = _lldb_cgo.lock(self.target_number)  # Let go of when this returns.
        try:
            if lock:
                return self.frame_at_index(index)
            return self.frame_without_lock(index, lock is None)
        except Exception as error:
            if index == 0:
                return self.own_frame(index)  # What fails again is said at the next frame.
            return self.end_with(index, f"frames are missing here: lldb-cgo failed ({type(error).__name__}: {error})")

    def makes_a_step(self):
        """Whether LLDB takes the thread over a breakpoint that it went on from: nobody is going to look at
        the stop, unless something else stops it there. Then there is a plan all the same."""
        tid = self.input_frames.GetThread().GetThreadID()
        if tid not in GOING_ON:
            return False
        GOING_ON.discard(tid)
        return True

    def own_frame(self, index):
        """A frame handed back belongs to the list being made from then on, and asking it most things
        would wait for that list for ever; what is kept here refers to it as it was before."""
        self.handed[index:] = [self.innermost if index == 0 else self.input_frames.GetFrameAtIndex(index)]
        return index

    def frame_without_lock(self, index, to_see):
        """`to_see`: somebody will look at the frames; otherwise LLDB needs them to step."""
        if self.plan is not None:
            return self.unkept_frame(index)
        if index > 0 and to_see:
            return self.end_with(index, BUSY)
        if index > 0:
            self.gave_up = threading.get_ident()
        return self.own_frame(index)

    def end_with(self, index, why):
        """A gap, which needs nothing of this target, as the outermost frame."""
        try:
            gap = gap_element(0, why)
            frame = OuterFrame(index, without_lldb(gap), gap, self)
        except Exception as error:
            print(f"lldb-cgo: {why}; {error}", file=sys.stderr)
            self.plan = list(range(index))
            return None
        self.plan = (self.plan[:index] if self.plan else list(range(index))) + [gap]
        return frame

    def unkept_frame(self, index):
        """For once: with the lock at hand LLDB will be asked for the place."""
        entry = self.plan[index]
        return OuterFrame(index, without_lldb(entry), entry, self)

    def ready_frame(self, index):
        """What LLDB need not be asked for any more, nor locked: most frames of most steps."""
        entry = self.plan[index] if index < len(self.plan) else None
        if not isinstance(entry, Element):
            return entry
        context = self.contexts.known_of(entry)
        return None if context is None else OuterFrame(index, context, entry, self)

    def frame_at_index(self, index):
        if index == 0:
            # Most arrivals at a crossing go on at once, and from there few registers lead outward.
            if self.innermost.GetPC() not in CROSSINGS:
                self.look_at_innermost()
            return self.own_frame(0)
        if self.plan is None:
            self.plan = self.make_plan()
        if self.plan is False:
            return index
        if index >= len(self.plan):
            return None
        entry = self.plan[index]
        return entry if isinstance(entry, int) else OuterFrame(index, self.contexts.of(entry), entry, self)

    def look_at_innermost(self):
        self.find_process()
        self.shared = shares_its_call(self.innermost)
        _lldb_cgo.take_registers(self.process, self.thread.GetThreadID(), self.innermost, False)
        self.looked_at = True

    def find_process(self):
        self.thread = self.input_frames.GetThread()
        self.process = self.thread.GetProcess()

    def make_plan(self):
        if not self.looked_at:
            self.find_process()
            _lldb_cgo.take_registers(self.process, self.thread.GetThreadID(), self.innermost, True)
        stack = _lldb_cgo.native_stack(self.process, self.thread.GetThreadID())
        if stack is None:
            return False
        found = FoundStack(*stack)
        self.frames_in_all = sum(not f[-1] for f in found.fields)
        self.contexts = self.contexts_of(found.program)
        if len(self.handed) > 1:
            return self.plan_after_handed([Element(f) for f in found.fields])
        frames, calls = matching_frames(self.input_frames, self.shared, found)
        ours = []
        if calls == 0:
            # Frame 0 is LLDB's whatever it is. After a step, others of its call have the pc of before.
            frames = calls = 1
            ours = last_levels(found.of_call(0), more_of_innermost(self.input_frames, found))
        if calls == 1 and frames == 1:
            ours = ours or outer_levels(found.of_call(0))
            for element in ours:
                element.of_innermost = True
        if calls > 0:
            ours += [e for e in found.of_call(calls - 1) if e.is_gap]
        if calls >= len(found.physical) and not found.complete and not ours:
            return False  # LLDB agrees with all of it and may know more.
        outer = found.from_call(calls)
        made_from = frames, tuple((e.of_innermost, e.fields) for e in ours), outer
        return self.contexts.plan_for(
            made_from, lambda: self.plan_of(frames, ours + [Element(f) for f in outer]))

    @staticmethod
    def plan_of(frames, ours):
        number_copies(ours)
        for from_end, element in enumerate((e for e in reversed(ours) if not e.is_gap), 1):
            element.from_end = from_end
        NAMES.expect(ours)
        return list(range(frames)) + ours

    def plan_after_handed(self, elements):
        """When LLDB's frames beyond the first were handed back before there was a plan. They can be
        asked for little more than their pc."""
        for index, frame in enumerate(self.handed):
            if index >= len(elements) or elements[index].pc != frame.GetPC():
                return self.plan_of(len(self.handed), [gap_element(0, NOT_THESE)])
        return self.plan_of(len(self.handed), elements[len(self.handed):])

    def contexts_of(self, program):
        key = (self.process.GetUniqueID(), program)
        if CgoFrames.kept is None or CgoFrames.kept.program != key:
            CgoFrames.kept = Contexts(key, self.process.GetTarget())
        return CgoFrames.kept


def declare_parameters(function, *names):
    """LLDB asks inspect.signature for these at every stop, which takes it a tenth of a millisecond to
    find out."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    function.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])


declare_parameters(CgoFrames, "input_frames", "args")
declare_parameters(CgoFrames.get_frame_at_index, "self", "index")
