"""What memory of C an address is, held against what the program knows of it: blocks of every kind, stacks, mappings."""
import json
import os
import subprocess

import pytest

from harness import builds, stops
from harness.tool import json_of, run_lldb

# How the program ended up, and what of it was kept. The modes are those of the fixture.
CELLS = [("", "core"), ("", "gcore"), ("", "live"), ("list", "core"), ("damaged", "core"), ("top", "core")]
PLAIN = [cell for cell in CELLS if not cell[0]]
# Where less than all of them tells what is asked.
CELLS_OF = {"test_pointers_of_go_say_what_c_has_there": PLAIN, "test_system_stacks_have_their_thread": PLAIN,
            "test_what_a_cut_core_lacks_is_said": CELLS[:1], "test_guard_pages_are_no_stack": [("", "live")], "test_gdb_sees_the_same_arena_and_size": CELLS[:1]}


def pytest_generate_tests(metafunc):
    if "cell" not in metafunc.fixturenames:
        return
    quick = metafunc.config.getoption("--quick")
    releases = metafunc.config.found_releases
    if quick:
        releases = releases[-1:]
    cells = [(release, mode, kind) for release in releases
             for mode, kind in CELLS_OF.get(metafunc.function.__name__, CELLS)]
    names = [f"{release}-{mode or 'plain'}-{kind}" for release, mode, kind in cells]
    metafunc.parametrize("cell", [pytest.param(cell, id=name, marks=pytest.mark.xdist_group(f"c-memory-{name}"))
                                  for cell, name in zip(cells, names)], scope="module")


class Stopped:
    """A stop of the fixture: how it is opened, and the places that it told of."""

    def __init__(self, exe, where, rows, commands):
        self.exe, self.where, self.commands = exe, where, commands
        self.rows = [line.rstrip("\n").split("\t") for line in rows]

    def shown(self, *expressions):
        """The values of many expressions, by one LLDB."""
        with stops.scratch() as folder:
            script = os.path.join(folder, "commands")
            with open(script, "w", encoding="utf-8") as f:
                f.writelines(f"cgo print --json --elements 4 -- {text}\n" for text in expressions)
            output = run_lldb(*self.commands, f"command source {script}")
        documents = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        assert len(documents) == len(expressions), output[-3000:]
        return [document["values"][0] for document in documents]


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return f.readlines()


@pytest.fixture(scope="module")
def stopped(cell):
    release, mode, kind = cell
    exe = builds.go_build(release, "O2", "blocks", "blocks", ())
    # Several arenas are wanted here.
    built = builds.Built("/usr/bin/env", ("MALLOC_ARENA_MAX=8", exe))
    with stops.scratch() as folder:
        path = os.path.join(folder, "places")
        if kind == "live":
            with stops.live(built, mode, path, "wait") as process:
                yield Stopped(exe, ("--pid", process.pid), lines_of(path), (f"process attach -p {process.pid}",))
            return
        make = stops.gcore_of(built, mode, path, "wait") if kind == "gcore" else stops.crash_core_of(built, mode, path, "crash")
        with make as made:
            core = made if kind == "gcore" else made[0]
            yield Stopped(exe, ("--core", core, "--exe", exe), lines_of(path),
                          (f"target create --core {core} {exe}",))


def same_place(row, told, damaged):
    name, kind, address, base, count = row
    if damaged and told["kind"] == "c_heap" and "damaged at 0x" in told["text"] and not name.endswith("the damage"):
        return True  # It lies behind the place of the damage.
    if told["kind"] != kind:
        return False
    if count == "0":
        return kind != "c_heap" or "damaged at 0x" in told["text"]
    begin, size = int(base, 16), int(count)
    if kind == "c_freed":  # It may have been joined with what was free next to it.
        found = int(told["base"], 16)
        return found <= begin and begin + size <= found + told["bytes"]
    return told["base"] == base and told["bytes"] == size and told["offset"] == int(address, 16) - begin


def test_an_address_of_c_is_what_the_program_says(cell, stopped):
    assert len(stopped.rows) > 55
    values = stopped.shown(*(f"unsafe.Pointer(uintptr({row[2]}))" for row in stopped.rows))
    # A thread that the runtime starts later may get its cache from a freed block of an arena that it shares.
    given_out = {row[3] for row, value in zip(stopped.rows, values) if row[1] == "c_freed" and row[2] == row[3]
                 and value["points_to"]["text"] == "C heap, what malloc keeps for itself"}
    assert len(given_out) <= 1
    wrong = [(row, value["value"], value.get("points_to")) for row, value in zip(stopped.rows, values)
             if not same_place(row, value["points_to"], cell[1] == "damaged")
             and not (row[1] == "c_freed" and row[3] in given_out)]
    assert wrong == []


def test_pointers_of_go_say_what_c_has_there(stopped):
    [holder, freed, numbers, hidden, old, wide] = stopped.shown(
        "main.gHolder", "main.gFreed", "main.gSlice", "main.gHidden", "main.gOld", "unsafe.Pointer(uintptr(1<<46))")
    fields = {child["name"]: child for child in holder["children"]}
    assert fields["Pointer"]["points_to"]["kind"] == "c_block" and fields["Pointer"]["points_to"]["bytes"] == 24
    assert fields["Number"]["points_to"]["offset"] == 8 and fields["Number"]["value"].endswith("C block of 24 bytes+8")
    assert "points_to" not in fields["Node"] and "notes" not in fields["Node"]
    assert fields["Gone"]["notes"] == ["points to freed memory: freed C block of 1000 bytes"]
    assert fields["Gone"]["points_to"]["kind"] == "c_freed"
    assert fields["Small"]["value"] == "0x1234" and "points_to" not in fields["Small"]
    assert wide["value"].endswith("not mapped")
    # 57 numbers have 456 bytes, which the size class of 480 holds; 100 that of 896.
    assert freed["notes"] == ["points to freed memory: Go heap, free slot of 480 bytes"], freed
    assert "points to freed memory: Go heap, free slot of 896 bytes" in numbers["notes"], numbers
    assert hidden["points_to"]["kind"] == "go_freed" and hidden["points_to"]["bytes"] == 480
    assert old["points_to"]["kind"] in ("go_freed", "goroutine_stack"), old


def test_what_a_cut_core_lacks_is_said(cell, stopped):
    """Its headers have all mappings, but the end of the file is not there."""
    core = stopped.where[1]
    with stops.scratch() as folder:
        cut = os.path.join(folder, "cut")
        with open(core, "rb") as source, open(cut, "wb") as f:
            f.write(source.read(os.path.getsize(core) // 50))
        rows = [row for row in stopped.rows if row[0] == "mapped too"]
        less = Stopped(stopped.exe, ("--core", cut, "--exe", stopped.exe), [], (f"target create --core {cut} {stopped.exe}",))
        values = less.shown(*(f"unsafe.Pointer(uintptr({row[2]}))" for row in rows))
    assert {value["points_to"]["text"] for value in values} == {"anonymous mapping, rw-; what is there is missing here"}


def test_system_stacks_have_their_thread(stopped):
    stack = json_of("bt", *stopped.where, "--goroutine", 1, "--raw")["stacks"][0]
    inner = next(f for f in stack["frames"] if f.get("function") == "end")
    outer = next(f for f in stack["frames"] if f.get("function") == "main.main")
    [system, goroutine] = stopped.shown(f"unsafe.Pointer(uintptr({inner['sp']}))", f"unsafe.Pointer(uintptr({outer['sp']}))")
    assert system["points_to"]["kind"] == "system_stack"
    assert system["points_to"]["thread"] == stack["thread"]["tid"]
    assert goroutine["points_to"]["kind"] == "goroutine_stack" and goroutine["points_to"]["goroutine"] == 1
    # What is behind its last byte belongs to nobody, or to the next stack.
    begin, size = int(goroutine["points_to"]["base"], 16), goroutine["points_to"]["bytes"]
    [end] = stopped.shown(f"(*int8)(unsafe.Pointer(uintptr({begin + size})))")
    assert not [note for note in end.get("notes", []) if "freed" in note], end


def test_guard_pages_are_no_stack(cell, stopped):
    """The runtime believes that the stacks of its threads reach over the pages that guard them."""
    rows = [line.split() for line in lines_of(f"/proc/{stopped.where[1]}/maps")]
    spans = [([int(end, 16) for end in row[0].split("-")], row[1], len(row)) for row in rows]
    guards = [begin + 16 for (begin, end), permissions, words in spans
              if permissions == "---p" and words == 5 and end - begin == 4096]
    assert guards, cell
    values = stopped.shown(*(f"unsafe.Pointer(uintptr({guard}))" for guard in guards))
    assert {value["points_to"]["text"] for value in values} == {"anonymous mapping, ---"}


def test_gdb_sees_the_same_arena_and_size(stopped):
    """gdb has the C library's own types where its debug information is installed: the size field and the top chunk."""
    rows = [row for row in stopped.rows if row[0] in ("small", "calloc", "other arena, large") and row[2] == row[3]]
    words = ["gdb", "-nx", "-batch", "-ex", "set pagination off", "-ex", "set language c"]
    for row in rows:
        words += ["-ex", f"printf \"SIZE %lu\\n\", (*(unsigned long *)({row[2]} - 8) & ~7ul) - 8"]
    done = subprocess.run([*words, stopped.exe, stopped.where[1]], capture_output=True, text=True, timeout=120, check=False)
    sizes = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("SIZE")]
    values = stopped.shown(*(f"unsafe.Pointer(uintptr({row[2]}))" for row in rows))
    assert sizes == [str(value["points_to"]["bytes"]) for value in values] == [row[4] for row in rows]
