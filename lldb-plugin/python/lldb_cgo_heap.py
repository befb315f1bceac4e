"""Blocks of C memory and who holds them, and findings, for scripts. Part of lldb_cgo, which is loaded after this."""
from dataclasses import dataclass, field as _field
from typing import Any, Dict, Iterator, List, Optional

import _lldb_cgo

_AT_ONCE = 1000


@dataclass
class Holder:
    """A word that refers to a block: `path` leads from a variable to it, `text` is all of it for people."""

    kind: str
    address: int
    text: str
    go_type: Optional[str] = None
    field: Optional[str] = None
    path: List[str] = _field(default_factory=list)
    pointer: bool = False
    interior: bool = False
    dead: bool = False


@dataclass
class Block:
    """A block of C memory. `verdict` is "held", "leaked_go_owner_dead", "leaked_unreachable" or "unknown";
    `holders` the number of words that refer to it, of which `held_by` has the first few. `allocated_at`
    has the frames where the agent recorded them."""

    address: int
    size: int
    verdict: str
    retained_bytes: int
    holders: int
    held_by: List[Holder] = _field(default_factory=list)
    allocated_at: Optional[List[Any]] = None
    requested: Optional[int] = None
    allocated_by: Optional[Dict[str, Optional[int]]] = None

    @property
    def leaked(self) -> bool:
        return self.verdict.startswith("leaked")


@dataclass
class Owner:
    """The blocks that one field of a Go type holds."""

    go_type: str
    field: str
    kind: str
    blocks: int
    bytes: int
    retained_bytes: int


class Heap:
    """All blocks at the stop where heap() was called, by address: len(heap), and iteration that makes a block when it
    is come to. Once the process ran, CgoError: take heap() again."""

    def __init__(self, capsule):
        self._capsule = capsule
        about = self._json(_lldb_cgo.heap_about(capsule))
        totals = about["totals"]
        self._count = about["blocks"]
        self.live_bytes: int = totals["live_bytes"]
        self.by_verdict: Dict[str, Dict[str, int]] = totals["by_verdict"]
        self.owners: List[Owner] = [Owner(**keys) for keys in totals["by_go_type"]]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Block]:
        return self._blocks(False)

    def leaks(self) -> Iterator[Block]:
        """Those that are lost."""
        return self._blocks(True)

    def _blocks(self, leaks):
        next_block = 0
        while next_block < self._count:
            answer = _lldb_cgo.heap_blocks(self._capsule, next_block, _AT_ONCE, leaks)
            next_block, text = answer if answer is not None else (0, None)
            for keys in self._json(text)["blocks"]:
                yield _block(keys)

    @staticmethod
    def _json(text):
        import json
        if text is None:
            import lldb_cgo
            raise lldb_cgo.CgoError("the process ran since: take heap() again")
        return json.loads(text)


def _block(keys):
    import lldb_cgo
    block = lldb_cgo._record(Block, keys)
    block.held_by = [lldb_cgo._record(Holder, one) for one in block.held_by]
    if block.allocated_at is not None:
        block.allocated_at = [lldb_cgo._record(lldb_cgo.Gap if "gap" in one else lldb_cgo.Frame, one) for one in block.allocated_at]
    return block


def heap(*, process=None) -> Heap:
    """Every block of C memory and who holds it, now."""
    import lldb_cgo
    debugger = lldb_cgo._debugger(process)
    answer = _lldb_cgo.heap_take(debugger, process if process is not None else debugger.GetSelectedTarget().GetProcess())
    if isinstance(answer, str):
        raise lldb_cgo.CgoError(answer)
    capsule, problems = answer
    if problems:
        import warnings
        warnings.warn(problems, lldb_cgo.PartialAnswer, stacklevel=2)
    return Heap(capsule)


@dataclass
class FoundStack:
    """A stack that was recorded, and what it is of."""

    what: str
    stack: Any


@dataclass
class Finding:
    """Something that is wrong; docs/findings.md has what each `id` means. `count` is of what it is about."""

    id: str
    level: str
    title: str
    explanation: str
    evidence: List[str]
    stacks: List[FoundStack]
    address: Optional[int]
    hint: str
    go_type: Optional[str] = None
    bytes: int = 0
    count: int = 0


def findings(*, process=None) -> List[Finding]:
    """What `cgo heap hazards` finds at this stop."""
    import lldb_cgo
    out = []
    for keys in lldb_cgo._ask(process, "heap", "hazards", "--json")["findings"]:
        finding = lldb_cgo._record(Finding, keys)
        finding.stacks = [FoundStack(one["what"], lldb_cgo._stack(one["stack"], process)) for one in finding.stacks]
        out.append(finding)
    return out
