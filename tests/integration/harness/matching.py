"""Holds a stack of ours against a hand-written list."""
import os
import re

from expected import Call, Library, Lost, MayBeLost, marks


def user_elements(stack, crashed=False):
    """The elements of a stack that an expected list speaks of.

    After a crash the innermost frames are the runtime's own: it prints and raises before the core is written.
    """
    elements = [e for e in stack["frames"] if "gap" in e or not (e["plumbing"] or is_stub(e))]
    if crashed:
        while elements and "gap" not in elements[0] and (elements[0]["function"] or "").startswith("runtime."):
            elements.pop(0)
    return elements


def is_stub(frame):
    """main._Cfunc_f carries a crossing as well, whether it is called plumbing or not."""
    return frame["language"] == "go" and re.search(r"\._C2?func_\w+$", frame["function"] or "") is not None


def show(element):
    if "gap" in element:
        return f"gap: {element['gap']}"
    flags = "".join(word for key, word in (("inlined", " inlined"), ("tail_call", " tail"), ("plumbing", " plumbing"))
                    if element.get(key))
    place = f"{os.path.basename(element['file'] or '?')}:{element['line']}"
    return f"{element['language']:7} {element['function']} {place} [{element['module']}]{flags}"


def without_parameters(name):
    """"int ns::f<T>(int) const" → "ns::f<T>": a template's return type and all parameters left out."""
    name = re.sub(r" const$", "", name)
    if name.endswith(")") and "(anonymous namespace)" != name[-21:]:
        depth = 0
        for index in range(len(name) - 1, -1, -1):
            depth += {")": 1, "(": -1}.get(name[index], 0)
            if depth == 0:
                name = name[:index]
                break
    return re.sub(r"^(?:int|void|long|double) (?=\w)", "", name)


def same_name(wanted, got):
    got = got or ""
    if wanted.startswith("?"):
        return got == "" or same_name(wanted[1:], got)
    if wanted.startswith("re:"):
        return re.fullmatch(wanted[3:], got) is not None
    return wanted == got or without_parameters(wanted) == without_parameters(got)


def mark_place(fixture, mark):
    if "/" in mark:
        fixture, mark = mark.rsplit("/", 1)
    elif ":" in mark:
        fixture = "hosts"
        mark = mark
    places = marks(fixture)
    if mark not in places:
        raise KeyError(f"no mark @{mark} in fixture {fixture}")
    return places[mark]


def call_differs(wanted, element, fixture, optimization):
    """Why an element is not the wanted call, or None."""
    if "gap" in element:
        return "a gap"
    if wanted.language not in ("*", element["language"]):
        # An extern "C" function of a C++ file, or a C frame without debug information.
        if not (wanted.language == "c++" and element["language"] == "c"):
            return f"language {element['language']}"
    if not same_name(wanted.function, element["function"]):
        return f"function {element['function']}"
    if wanted.mark:
        place = (os.path.basename(element["file"] or ""), element["line"])
        if place != mark_place(fixture, wanted.mark):
            return f"place {place}, wanted {mark_place(fixture, wanted.mark)}"
    if wanted.inlined and not element["inlined"]:
        return "not marked as inlined"
    tail = wanted.tail and optimization != "O0"
    if tail != bool(element.get("tail_call", tail)):
        return f"tail_call {element.get('tail_call')}"
    if element["certainty"] != "exact":
        return "a guess"
    return None


def library_length(wanted, elements, at):
    """(number of elements that belong to the library, why it does not fit or None)."""
    count = at
    while count < len(elements) and "gap" not in elements[count] and (
            elements[count]["module"] or "").startswith(wanted.module):
        count += 1
    block = elements[at:count]
    physical = sum(1 for e in block if not e["inlined"] and not e.get("tail_call"))
    if not block or (wanted.physical is not None and physical != wanted.physical):
        return count - at, f"{physical} frames of {wanted.module}, wanted {wanted.physical or 'some'}"
    outermost = block[-1]["function"]
    if wanted.outermost and (outermost or "").split("@")[0] not in {n.split("@")[0] for n in wanted.outermost}:
        return count - at, f"{wanted.module} ends in {outermost}, wanted {wanted.outermost[0]}"
    return count - at, None


def match(expected, elements, fixture, optimization="O2"):
    """None when the elements are exactly the expected ones; else what is wrong, with both lists."""
    problem, at, index = None, 0, 0
    wanted_list = list(expected)
    while index < len(wanted_list) and problem is None:
        wanted = wanted_list[index]
        index += 1
        if isinstance(wanted, MayBeLost):
            if at < len(elements) and "gap" in elements[at]:
                at += 1
            else:
                wanted_list[index:index] = list(wanted.frames)
            continue
        if at >= len(elements):
            problem = f"ends before {wanted}"
        elif isinstance(wanted, Lost):
            problem = None if "gap" in elements[at] else f"element {at}: wanted a gap"
            at += 1
        elif isinstance(wanted, Library):
            length, why = library_length(wanted, elements, at)
            at, problem = at + length, why
        else:
            why = call_differs(wanted, elements[at], fixture, optimization)
            problem = why and f"element {at}: {why}; wanted {wanted.function} @{wanted.mark}"
            at += 1
    if problem is None and at != len(elements):
        problem = f"{len(elements) - at} elements too many from {at}: {show(elements[at])}"
    if problem is None:
        return None
    wanted_text = "\n".join("  " + (f"{w.language:7} {w.function} @{w.mark}" if isinstance(w, Call) else str(w)) for w in wanted_list)
    got_text = "\n".join("  " + show(e) for e in elements)
    return f"{problem}\nwanted:\n{wanted_text}\ngot:\n{got_text}"


def find_stack(document, key, fixture):
    """The one stack with a frame of the key call at the key's line."""
    found = []
    place = mark_place(fixture, key.mark) if key.mark else None
    for stack in document["stacks"]:
        for element in stack["frames"]:
            if "gap" in element or not same_name(key.function, element["function"]):
                continue
            if place is None or (os.path.basename(element["file"] or ""), element["line"]) == place:
                found.append(stack)
                break
    if len(found) == 1:
        return found[0]
    known = sorted({e["function"] or "?" for s in document["stacks"] for e in s["frames"][-3:] if "gap" not in e})
    raise AssertionError(f"{len(found)} stacks with {key.function} @{key.mark} among {len(document['stacks'])}; "
                         f"outermost functions: {known}")
