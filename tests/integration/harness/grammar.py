"""What holds for every stack, whatever the program: no frame is repeated, each crossing is whole.

The plumbing that an expected list leaves out is checked here: between a Go function and the C function it
calls, and between a C function and the Go function it calls, the same chain of frames must always stand.
"""
import re


def physical(stack):
    return [f for f in stack["frames"] if "gap" not in f and not f["inlined"] and not f.get("tail_call")]


def name(frame):
    return frame["function"] or ""


def crossing_problems(stack):
    frames = stack["frames"]
    for index, frame in enumerate(frames):
        if "gap" in frame:
            continue
        outward = [f for f in frames[index + 1:index + 12]]
        names = [name(f) if "gap" not in f else "gap" for f in outward]
        if name(frame) == "runtime.cgocallback" and names and names[0] not in ("crosscall2", "gap", "runtime.cgocall"):
            yield f"frame {index}: runtime.cgocallback is followed by {names[0]}"
        if name(frame) == "runtime.cgocallback" and names and names[0] == "runtime.cgocall":
            yield f"frame {index}: C frames are missing without a gap"
        if name(frame) == "runtime.asmcgocall" and frame.get("crossing") == "go_to_c" and names:
            if names[0] not in ("runtime.cgocall",):
                yield f"frame {index}: a Go to C crossing in {names[0]}"
        if name(frame) == "runtime.cgocall" and names and not re.search(r"_C2?func_|^runtime\.|^syscall\.|^os/user\.|^net\.|^plugin\.", names[0]):
            yield f"frame {index}: runtime.cgocall called by {names[0]}"


def order_problems(stack):
    """On one stack SP never moves inward, and no frame comes twice."""
    frames = physical(stack)
    seen = set()
    for index, frame in enumerate(frames):
        key = (frame["pc"], frame["sp"])
        if key in seen:
            yield f"frame {frame['index']}: {name(frame)} pc={key[0]} sp={key[1]} comes twice"
        seen.add(key)
        if index and not frames[index - 1].get("crossing") and frames[index - 1]["language"] == frame["language"] == "go":
            before = frames[index - 1]
            if int(frame["sp"], 16) < int(before["sp"], 16) and name(before) not in SWITCHES:
                yield f"frame {frame['index']}: SP moves inward after {name(before)}"


SWITCHES = {"runtime.asmcgocall", "runtime.cgocallback", "crosscall2", "runtime.systemstack", "runtime.mcall",
            "runtime.morestack", "runtime.sigtramp", "runtime.cgoSigtramp", "runtime.sigreturn__sigaction",
            "runtime.nanotime1", "runtime.walltime", "runtime.sigprofNonGoWrapper"}


def index_problems(stack):
    indexes = [f["index"] for f in stack["frames"] if "gap" not in f and "index" in f]
    if indexes != sorted(set(indexes)):
        yield "the indexes are not ascending"


def end_problems(stack):
    entries = stack["end"] in ("goroutine_entry", "thread_entry")
    if stack["complete"] != entries:
        yield f"complete is {stack['complete']} with end {stack['end']}"
    if not stack["complete"] and stack["error"] is None and stack["end"] in ("bad_memory", "no_rule"):
        yield f"end {stack['end']} without an error"


def problems(stack):
    """Everything that no right stack may show."""
    found = [*crossing_problems(stack), *order_problems(stack), *index_problems(stack), *end_problems(stack)]
    who = stack["goroutine"] and f"goroutine {stack['goroutine']['id']}"
    who = who or f"thread {stack['thread'] and stack['thread']['tid']}"
    return [f"{who}: {text}" for text in found]


def document_problems(document):
    return [text for stack in document["stacks"] for text in problems(stack)]


def incomplete(document):
    """Stacks that do not reach their entry, with the reason."""
    return [f"{s['goroutine'] or s['thread']}: {s['end']}: {s['error']}" for s in document["stacks"] if not s["complete"]]
