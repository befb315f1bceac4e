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


class Names:
    """Symbols for names LLDB does not know itself: inlined Go calls, Go without a symbol table, gaps.
    LLDB names a frame by a symbol and by nothing else, so they are made: a file of symbols, loaded as
    a module into a debugger of its own that nobody sees."""

    def __init__(self):
        self.debugger = lldb.SBDebugger.Create(False)
        self.target = None
        self.symbols = {}

    def make(self, names, triple):
        missing = sorted(set(names) - self.symbols.keys())
        if not missing:
            return
        import json  # Together they take longer to import than most stacks to show.
        import tempfile
        import uuid
        if self.target is None:
            error = lldb.SBError()
            self.target = self.debugger.CreateTarget("", triple, None, False, error)
        symbols = [{"name": name, "type": "code", "value": i, "size": 16}
                   for i, name in enumerate(missing)]
        text = {"triple": triple, "uuid": str(uuid.uuid4()).upper(), "type": "sharedlibrary",
                "sections": [{"name": ".text", "type": "code", "address": 0, "size": 16 * len(missing) + 16}],
                "symbols": symbols}
        with tempfile.NamedTemporaryFile("w", prefix="lldb-cgo-names-", suffix=".json") as file:
            json.dump(text, file)
            file.flush()
            module = self.target.AddModule(file.name, triple, None)
            for i in range(module.GetNumSymbols()):  # All are read now: the file goes away.
                symbol = module.GetSymbolAtIndex(i)
                self.symbols[symbol.GetName()] = symbol

    def symbol(self, name):
        return self.symbols.get(name)


NAMES = Names() if hasattr(lldb, "SBFrameList") else None


class Contexts:
    """What LLDB knows of the places of elements, while the images of a process stay the same."""

    def __init__(self, program, target):
        self.program, self.target = program, target
        self.known = {}

    @staticmethod
    def key(element):
        return (element.lookup, element.from_outermost)

    def known_of(self, element):
        return self.known.get(self.key(element))

    def of(self, element):
        context = self.known_of(element)
        if context is None:
            context = self.known[self.key(element)] = self.make(element)
        return context

    def make(self, element):
        if element.lookup == 0 and element.function:  # A gap; without text it is a call of address zero.
            NAMES.make([element.function], self.target.GetTriple())
            context = lldb.SBSymbolContext()
            context.SetSymbol(NAMES.symbol(element.function))
            return context
        chain = self.chain(element.lookup)
        context = chain[max(0, len(chain) - 1 - element.from_outermost)]
        if element.is_go and element.function != name_in(context):
            NAMES.make([element.function], self.target.GetTriple())
            symbol = NAMES.symbol(element.function)
            if symbol is not None:
                context.SetSymbol(symbol)
        if element.file and element.line and context.GetLineEntry().GetLine() != element.line:
            entry = lldb.SBLineEntry()
            entry.SetFileSpec(lldb.SBFileSpec(element.file, False))
            entry.SetLine(element.line)
            context.SetLineEntry(entry)
        return context

    def chain(self, lookup):
        """The inlined calls at an address, innermost first, and the function they were inlined into."""
        address = self.target.ResolveLoadAddress(lookup)
        context = self.target.ResolveSymbolContextForAddress(address, lldb.eSymbolContextEverything)
        chain = [context]
        while context.GetBlock().GetContainingInlinedBlock().IsValid():
            outer_address = lldb.SBAddress()
            context = context.GetParentOfInlinedScope(address, outer_address)
            if not context.IsValid():
                break
            address = outer_address
            chain.append(context)
        return chain


def name_in(context):
    """The Go name LLDB has; the symbols of functions in assembly end in .abi0."""
    function = context.GetFunction()
    name = function.GetName() if function.IsValid() else context.GetSymbol().GetName()
    return name.removesuffix(".abi0") if name else ""


class Element:
    """One line of a stack, from _lldb_cgo.native_stack."""

    def __init__(self, fields):
        (self.call, self.from_outermost, self.pc, self.lookup, self.function, self.file, self.line,
         self.inlined, self.tail_call, self.is_go) = fields


def shares_its_call(frame):
    """Whether the next outer frame is of the same call, inlined or reached by a tail call."""
    return frame.IsInlined() or frame.IsArtificial()


def matching_frames(input_frames, first_shared, physical, of_call):
    """LLDB's frames that show the innermost calls of `physical` as well as ours do: (frames, calls).
    `of_call` has our elements of each call."""
    frames = calls = 0
    while calls < len(physical):
        at, frame = frames, None
        shared = first_shared if at == 0 else True
        if at == 0:
            at = 1  # LLDB and we begin at the same registers.
        while shared:
            frame = input_frames.GetFrameAtIndex(at)
            if not frame.IsValid():
                return frames, calls
            shared = shares_its_call(frame)
            at += 1
        if frame is not None and (frame.GetPC(), frame.GetCFA()) != physical[calls]:
            break
        ours = of_call.get(calls, [])
        if calls > 0 and (len(ours) > at - frames or not named_alike(frame, ours)):
            break  # LLDB does not know Go's inlined calls, nor names that were stripped.
        frames, calls = at, calls + 1
    return frames, calls


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
        self.thread = self.process = self.target = None
        self.innermost = None  # LLDB's frame 0.
        self.looked_at = False  # Whether its registers were taken before it was handed back.
        self.shared = False  # What shares_its_call says of it.
        self.plan = None  # LLDB's indexes and elements of ours; False for LLDB's own list.

    def get_frame_at_index(self, index):
        if self.plan is False:
            return index
        if self.plan is not None:
            ready = self.ready_frame(index)
            if ready is not None or index >= len(self.plan):
                return ready
        if index == 0:
            # A frame handed back belongs to the list being made from then on, and asking it most
            # things would wait for that list for ever: this refers to it as it was before.
            self.innermost = self.input_frames.GetFrameAtIndex(0)
        lock = _lldb_cgo.lock(self.target_number)  # Let go of when this returns.
        try:
            if lock is not None:
                return self.frame_at_index(index)
        except Exception:
            lock = None
        if index == 0:
            return 0
        if self.plan:
            return None  # Ends the list: LLDB's own frames do not go on where ours began.
        self.plan = False
        return index

    def ready_frame(self, index):
        """What LLDB need not be asked for any more, nor locked: most frames of most steps."""
        entry = self.plan[index] if index < len(self.plan) else None
        if not isinstance(entry, Element):
            return entry
        context = self.contexts.known_of(entry)
        return None if context is None else self.outer_frame(index, entry, context)

    def frame_at_index(self, index):
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
        return entry if isinstance(entry, int) else self.outer_frame(index, entry, self.contexts.of(entry))

    def look_at_innermost(self):
        self.find_process()
        self.shared = shares_its_call(self.innermost)
        _lldb_cgo.take_registers(self.process, self.thread.GetThreadID(), self.innermost, False)
        self.looked_at = True

    def find_process(self):
        self.thread = self.input_frames.GetThread()
        self.process = self.thread.GetProcess()
        self.target = self.process.GetTarget()

    def make_plan(self):
        if not self.looked_at:
            self.find_process()
            _lldb_cgo.take_registers(self.process, self.thread.GetThreadID(), self.innermost, True)
        found = _lldb_cgo.native_stack(self.process, self.thread.GetThreadID())
        if found is None:
            return False
        program, complete, physical, fields = found
        elements = [Element(f) for f in fields]
        of_call = {}
        for element in elements:
            of_call.setdefault(element.call, []).append(element)
        frames, calls = matching_frames(self.input_frames, self.shared, physical, of_call)
        if calls == 0:
            frames = calls = 1  # Frame 0 is LLDB's whatever it is.
        if calls >= len(physical) and not complete:
            return False  # LLDB agrees with all of it and may know more.
        self.contexts = self.contexts_of(program)
        return list(range(frames)) + [e for e in elements if e.call >= calls]

    def contexts_of(self, program):
        key = (self.process.GetUniqueID(), program)
        if CgoFrames.kept is None or CgoFrames.kept.program != key:
            CgoFrames.kept = Contexts(key, self.target)
        return CgoFrames.kept

    @staticmethod
    def outer_frame(index, element, context):
        return OuterFrame(index, element.pc, context, bool(element.inlined), bool(element.tail_call))
