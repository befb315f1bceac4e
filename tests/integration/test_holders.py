"""Who holds each block of C memory, against the fixture's source: its blocks of each kind have a size of their own."""
import json
import os
import re

import pytest

from harness import builds, stops, tool
from harness.paths import BUILD

AGENT = os.path.join(BUILD, "liblldb-cgo-agent.so")

RELEASES = ("1.19", "1.21", "1.24", "1.26", "1.27")
NODE = 56  # malloc has no smaller block for 48 bytes.
# By hand from the source: size, number, verdict, and who holds them: kind, type, field.
OBJECT, GLOBAL = "go_object", "go_global"
KINDS = [
    (104, 100, "held", (OBJECT, "main.Owner", "Blob")),
    (200, 50, "held", (OBJECT, "map[string]unsafe.Pointer", "[…]")),
    (440, 30, "held", (OBJECT, "main.Handle", "Number")),
    (1000, 1, "held", (GLOBAL, "unsafe.Pointer", None)),
    (392, 1, "held", (OBJECT, "main.Owner", "Blob")),
    (488, 1, "held", (OBJECT, "main.Wide", "Text")),
    (600, 1, "held", (GLOBAL, "unsafe.Pointer", None)),
    (2000, 1, "held", ("go_stack", None, None)),
    (1200, 15, "held", ("cleanup", None, None)),
    (1400, 1, "held", ("kernel", None, None)),
    (808, 70, "leaked_go_owner_dead", (OBJECT, None, None)),
    (904, 40, "leaked_unreachable", None),
]


# Of the lost blocks so many may still have their address in a word of a frame or of the runtime that nobody needs; they are
# not called lost then, and never held.
MOST_OLD_WORDS = 2


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    wanted = [one for one in releases if one.minor in RELEASES] or releases
    metafunc.parametrize("release", wanted[-1:] if metafunc.config.getoption("--quick") else wanted, ids=str)


def build(release, *flags):
    return builds.Built(builds.go_build(release, "O2", "holders", "holders" + "".join(flags).replace(" ", ""), flags))


def usable(bytes):
    """What malloc gives for a request of so many bytes."""
    return max((bytes + 8 + 15) // 16 * 16 - 8, 24)


def best(block):
    """The holder that says most: a typed one of Go."""
    order = [OBJECT, GLOBAL, "cleanup", "go_stack", "c_block", "c_global"]
    ranked = sorted(block["held_by"], key=lambda one: (one["dead"], one["go_type"] is None, order.index(one["kind"]) if one["kind"] in order else 9))
    return ranked[0] if ranked else None


def check_kinds(document, typed=True, over=False):
    assert "partial" not in document, document["partial"]
    blocks = document["blocks"]
    assert document["matching"] == len(blocks) == document["totals"]["live_blocks"]
    for bytes, count, verdict, holder in KINDS:
        found = [block for block in blocks if block["size"] == usable(bytes)]
        if over and holder and holder[0] == "kernel":
            assert not found
            continue
        assert len(found) == count, (bytes, len(found))
        if over and holder and holder[0] == "go_stack":
            # Nothing needs the variable behind the panic; its stack slot may still have the address.
            assert found[0]["verdict"] in ("held", "unknown")
            continue
        old = [block for block in found if block["verdict"] == "unknown"]
        assert len(old) <= (MOST_OLD_WORDS if verdict.startswith("leaked") else 0), (bytes, old[:1])
        found = [block for block in found if block not in old]
        assert {block["verdict"] for block in found} == {verdict}, (bytes, [block["held_by"] for block in found if block["verdict"] != verdict][:1])
        if holder is None:
            assert not any(block["held_by"] for block in found)
            continue
        kind, go_type, field = holder
        assert {best(block)["kind"] for block in found} == {kind}, bytes
        if typed and go_type:
            assert {(best(block)["go_type"], best(block)["field"]) for block in found} == {(go_type, field)}, bytes
    nodes = [block for block in blocks if block["size"] == NODE and best(block) and best(block)["kind"] in ("c_block", "c_global", OBJECT)]
    assert len(nodes) == 30
    # Ten hang from the one that an Owner holds, twenty from a variable of C.
    assert sorted(block["retained_bytes"] for block in nodes) == sorted([NODE * n for n in range(1, 11)] + [NODE * n for n in range(1, 21)])


def check_paths(document):
    by_size = {}
    for block in document["blocks"]:
        by_size.setdefault(block["size"], []).append("".join(best(block)["path"]) if best(block) else None)
    assert sorted(by_size[usable(104)]) == sorted(f"main.owners[{i}].Blob" for i in range(100))
    assert sorted(by_size[usable(440)]) == sorted(f"main.handles[{i}].Number" for i in range(30))
    assert by_size[usable(1000)] == ["main.single"] and by_size[usable(600)] == ["main.inside"]
    assert by_size[usable(392)] == ["main.anything.Blob"] and by_size[usable(488)] == ["main.wide.Text"]
    assert any(path == "main.owners[5].Next.Blob" for path in by_size[NODE])




def lost_of(text, words, count):
    return count - MOST_OLD_WORDS <= int(re.search(rf"(\d+) {words}", text)[1]) <= count


def blocks_of(*where):
    return tool.json_of("heap", "blocks", *where)


def test_live(release):
    with stops.live(build(release), "wait") as process:
        document = blocks_of("--pid", str(process.pid))
        check_kinds(document)
        check_paths(document)
        _, text, _ = tool.run_tool("heap", "owners", "--pid", str(process.pid))
        assert "main.Owner.Blob" in text and "main.single (unsafe.Pointer)" in text
        assert lost_of(text, "leaked with their Go owner", 70) and lost_of(text, "leaked, nothing refers to them", 40)
        leaks = tool.json_of("heap", "leaks", "--pid", str(process.pid))
        assert 110 - 2 * MOST_OLD_WORDS <= leaks["matching"] <= 110
        some = next(block for block in document["blocks"] if block["size"] == usable(1000))
        _, text, _ = tool.run_tool("heap", "find", some["address"], "--pid", str(process.pid))
        assert "1000 bytes  held" in text and "main.single" in text


def test_a_larger_object_says_its_type(release):
    """In memory alone, as the heap keeps it since Go 1.22."""
    with stops.live(build(release), "wait") as process:
        where = ("--pid", str(process.pid))
        pointer = tool.json_of("print", "main.wide", *where)["values"][0]["value"].split()[0]
        what = tool.json_of("heap", "find", hex(int(pointer, 16) + 600), *where)["what"]
    typed = int(release.minor.split(".")[1]) >= 22
    assert what == "Go object of 632 bytes+600 (main.Wide)" if typed else what.startswith("Go object of 640 bytes+600")


def test_crash_core(release):
    built = build(release)
    with stops.scratch() as folder, stops.crash_core_of(built, "crash") as (core, _):
        check_kinds(blocks_of("--core", core, "--exe", built.exe), over=True)


def test_stripped(release):
    """Types are missing; who is held, and what is lost, is the same."""
    built = build(release, "-ldflags=-s -w")
    with stops.live(built, "wait") as process:
        check_kinds(blocks_of("--pid", str(process.pid)), typed=False)


def test_words_that_make_no_sense(release):
    with stops.live(build(release), "wait") as process:
        for words, says in ((("everything",), "'everything' is no question about the heap"), (("find",), "'find' needs an address"),
                            (("find", "0x12zz"), "'find' needs an address"), (("owners", "0x12"), "says too much")):
            status, _, errors = tool.run_tool("heap", *words, "--pid", str(process.pid))
            assert status == 2 and says in errors


# Who allocates the blocks of a size, by the fixture's source: the functions of Go, innermost first, and that of C.
SITES = {
    104: ("", ["main.block", "main.hold", "main.main"]),
    808: ("", ["main.block", "main.drop", "main.main"]),
    904: ("lose", ["main.drop", "main.main"]),
}


def functions_of(frames, language):
    return [frame["function"] for frame in frames if frame.get("language") == language and not frame["plumbing"]]


def check_groups(groups):
    dead, lost = sorted(groups, key=lambda group: group["verdict"])
    assert (dead["verdict"], lost["verdict"]) == ("leaked_go_owner_dead", "leaked_unreachable")
    assert 70 - MOST_OLD_WORDS <= dead["blocks"] <= 70 and 40 - MOST_OLD_WORDS <= lost["blocks"] <= 40


def check_sites(document):
    for bytes, (of_c, of_go) in SITES.items():
        for block in [one for one in document["blocks"] if one["size"] == usable(bytes)]:
            assert block["requested"] == bytes
            go = [name for name in functions_of(block["allocated_at"], "go") if "_C" not in name and "_cgo_" not in name]
            assert go == of_go, block["allocated_at"]
            assert functions_of(block["allocated_at"], "c")[:1] == ([of_c] if of_c else [])


def test_with_the_agent(release):
    """The same holders and losses, and who allocated each, live and in a core."""
    built = build(release)
    recorded = builds.Built("/usr/bin/env", (f"LD_PRELOAD={AGENT}", built.exe))
    with stops.live(recorded, "wait") as process:
        where = ("--pid", str(process.pid))
        document = blocks_of(*where)
        check_kinds(document)
        check_sites(document)
        groups = tool.json_of("heap", "leaks", "--group", *where)["groups"]
        check_groups(groups)
        _, text, _ = tool.run_tool("heap", "leaks", "--group", *where)
        assert "allocated in main.block" in text and "allocated in main.drop" in text
    with stops.scratch() as folder, stops.crash_core_of(recorded, "crash") as (core, _):
        document = blocks_of("--core", core, "--exe", built.exe)
        check_kinds(document, over=True)
        check_sites(document)


def test_groups_without_the_agent(release):
    with stops.live(build(release), "wait") as process:
        groups = tool.json_of("heap", "leaks", "--group", "--pid", str(process.pid))["groups"]
    check_groups(groups)
    assert sorted(group["size"] for group in groups) == [usable(808), usable(904)]


SCRIPT = """
import json, lldb_cgo
heap = lldb_cgo.heap()
blocks = [[one.address, one.size, one.verdict, one.retained_bytes, [holder.text for holder in one.held_by]] for one in heap]
leaks = [one.address for one in heap.leaks()]
owners = [[one.go_type, one.field, one.blocks, one.bytes] for one in heap.owners]
print(json.dumps([len(heap), heap.live_bytes, blocks, leaks, owners]))
"""


def test_in_python(release):
    """The same blocks as the command's, in the order of their addresses."""
    with stops.scratch() as folder, stops.live(build(release), "wait") as process:
        script = os.path.join(folder, "heap.py")
        with open(script, "w", encoding="utf-8") as f:
            f.write(SCRIPT)
        document = blocks_of("--pid", str(process.pid))
        status, out, errors = tool.run_tool("script", "--pid", str(process.pid), script)
    assert status == 0, errors
    count, live_bytes, blocks, leaks, owners = json.loads(out)
    expected = sorted((int(one["address"], 16), one["size"], one["verdict"], one["retained_bytes"], [holder["text"] for holder in one["held_by"]])
                      for one in document["blocks"])
    assert count == len(blocks) == document["matching"] and live_bytes == document["totals"]["live_bytes"]
    assert blocks == [list(one) for one in expected]
    assert leaks == [address for address, _, verdict, _, _ in expected if verdict.startswith("leaked")]
    assert owners == [[one[key] for key in ("go_type", "field", "blocks", "bytes")] for one in document["totals"]["by_go_type"]]
