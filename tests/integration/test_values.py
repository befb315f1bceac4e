"""Values of every kind of type, held against what the program printed of them itself."""
import json
import os
import subprocess

import pytest

from harness import builds, stops
from harness.paths import BUILD
from harness.tool import json_of, run_tool

DUMP = os.path.join(BUILD, "tests", "tools", "value-dump")

BUILD_KINDS = {"optimized": (), "debug": ("-gcflags=all=-N -l",)}

# What no correct program has, and what must be said of it.
BROKEN = {
    "main.gBadSlice": "length is above its capacity",
    "main.gBadString": "cannot read 5 bytes at 0x10",
    "main.gBadMap": "map: ",
    "main.gBadInterface": "type descriptor",
}
# Expressions, and a part of what must be said of them.
WRONG = {
    "main.gSlice[7]": "goes up to 1",
    "main.gAnyInt.(string)": "holds int, not string",
    "main.gNil.X": "nil pointer",
    "main.gInt + main.gFloat64": "mismatched types int and float64",
    "main.gMapOne[\"two\"]": "no such key (of 1)",
    "main.namedFunction(1)": "never called",
}


def pytest_generate_tests(metafunc):
    if "cell" not in metafunc.fixturenames:
        return
    quick = metafunc.config.getoption("--quick")
    kinds = ["optimized"] if quick else list(BUILD_KINDS)
    cells = [(release, kind) for release in metafunc.config.found_releases for kind in kinds]
    metafunc.parametrize("cell", cells, ids=lambda c: f"{c[0]}-{c[1]}", scope="module")


def build(release, kind):
    name = "values" if kind == "optimized" else "values-debug"
    return builds.Built(builds.go_build(release, "O2", "values", name, BUILD_KINDS[kind]))


@pytest.fixture(scope="module")
def crash(cell):
    """(program, core, what the program printed): it faults when it has printed everything."""
    built = build(*cell)
    with stops.crash_core_of(built) as (core, printed):
        assert "VALUE\tmain.gBool\ttrue" in printed
        yield built, core, printed


def target(crash):
    built, core, _ = crash
    return "--core", core, "--exe", built.exe


def printed_values(text):
    rows = [line.split("\t") for line in text.splitlines() if line.startswith("VALUE\t")]
    return [(row[1], row[2]) for row in rows if row[1] != "locals"]


def shown(crash, expression, *flags):
    document = json_of("print", expression, *target(crash), *flags)
    assert document["schema"] == "lldb-cgo/values/1"
    [value] = document["values"]
    return value


def dumped(crash, expressions):
    """The values of many expressions at once: starting the program for each takes minutes."""
    done = subprocess.run([DUMP, crash[1]], input="".join(text + "\n" for text in expressions), capture_output=True, text=True,
                          timeout=120, check=False)
    values = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(values) == len(expressions), done.stderr
    return values


def test_values_are_what_the_program_says(crash):
    rows = printed_values(crash[2])
    assert len(rows) > 100
    values = dumped(crash, [row[0] for row in rows])
    wrong = []
    for (expression, expected), value in zip(rows, values):
        if expected not in (value["value"], value.get("summary")):
            wrong.append((expression, expected, value))
    assert wrong == []


@pytest.mark.parametrize("name, count", [("main.gMapMany", 10000), ("main.gMapGrowing", 6657), ("main.gMapDeleted", 10),
                                         ("main.gMapEight", 8), ("main.gMapNine", 9), ("main.gMapEmpty", 0)])
def test_maps_have_every_entry_once(crash, name, count):
    value = shown(crash, name, "--elements", "100000")
    entries = {child["key"]["value"]: child["value"] for child in value.get("children", [])}
    assert value["length"] == count == len(entries)
    assert "error" not in value
    if name == "main.gMapMany":
        assert all(json.loads(element) == key for key, element in entries.items())
    if name == "main.gMapGrowing":
        assert all(int(element) == 3 * int(key) for key, element in entries.items())


def test_print_says_the_same(crash):
    for expression, expected in printed_values(crash[2])[:5]:
        assert shown(crash, expression)["value"] == expected


def test_pointers_into_variables_say_how_far(crash):
    rows = [line.split("\t") for line in crash[2].splitlines() if line.startswith("PLACE\t")]
    assert len(rows) == 3
    for _, expression, expected in rows:
        assert shown(crash, expression)["value"] == expected


def test_structures_of_c_are_whole_in_go(crash):
    """Bit-fields, unions, enumerations, texts and functions, of which Go's own type has little or nothing."""
    printed = {name: text for name, text in printed_values(crash[2]) if name.startswith("first_shape.")}
    whole = shown(crash, "*main.gShape")
    assert whole["type"] == "main._Ctype_struct_shape"
    fields = {child["name"]: child for child in whole["children"]}
    for part in ("flags", "number"):
        fields |= {f"{part}.{child['name']}": child for child in fields[part]["children"]}
    names = ("name", "colour", "mode", "flags.a", "flags.b", "flags.c", "number.real", "compare")
    assert {name: fields[name]["value"] for name in names} == {name: printed["first_shape." + name] for name in names}
    assert json.loads(fields["label"]["value"].split(" ", 1)[1]) == 'a "label"\n'


def test_channels_and_their_waiters(crash):
    value = shown(crash, "main.gChan")
    assert [child["value"] for child in value["children"]] == ["2", "3", "4"]
    assert "closed" in shown(crash, "main.gClosed")["value"]
    waiting = shown(crash, "main.gWaiting")["value"]
    assert "2 senders wait (goroutines " in waiting


def test_broken_values_say_so(crash):
    for name, part in BROKEN.items():
        value = shown(crash, name)
        assert part in value.get("error", "") + " ".join(value.get("notes", [])), value


def test_mistakes_are_explained(crash):
    for expression, part in WRONG.items():
        status, _, err = run_tool("print", expression, *target(crash))
        assert status != 0
        assert part in err, (expression, err)


def test_packages_are_named_as_in_source_code(crash):
    for short, whole in (("cgo.handles", '"runtime/cgo".handles'), ("fs.ErrNotExist", '"io/fs".ErrNotExist')):
        assert {**shown(crash, short), "name": whole} == shown(crash, whole)
    assert shown(crash, "main.gPathErr.(*fs.PathError).Op")["value"] == '"open"'
    assert shown(crash, "(*big.Int)(main.gBigInt)")["type"] == "*math/big.Int"
    status, _, err = run_tool("print", "(*atomic.Int32)(16)", *target(crash))
    assert status != 0
    where = next(line for line in err.splitlines() if "several packages" in line)
    assert '"sync/atomic".Int32' in where and 'internal/' in where


def test_layers_of_a_context(crash):
    layers = shown(crash, "main.gCancelled", "--context")["children"]
    kinds = [layer["value"].split(" (")[0] for layer in layers]
    assert kinds[:4] == ["cancel", "value", "deadline", "value"] and kinds[4].startswith("background") and len(kinds) == 5
    assert [layer["type"] for layer in layers[:3]] == ["*context.cancelCtx", "*context.valueCtx", "*context.timerCtx"]
    parts = [{part["name"]: part for part in layer.get("children", [])} for layer in layers]
    assert layers[0]["value"].endswith(", cancelled") and parts[0]["error"]["summary"] == '"context canceled"'
    assert parts[1]["value"]["children"][0]["value"] == "7"
    assert layers[2]["value"].endswith(", not cancelled") and " m=+" in parts[2]["deadline"]["summary"]
    assert "error" not in parts[2] and parts[3]["key"]["children"][0]["value"] == '"user"'
    status, _, err = run_tool("print", "main.gInt", "--context", *target(crash))
    assert status == 3 and "why: int is no context.Context" in err


def test_functions_and_what_they_hold(crash, cell):
    release = int(str(cell[0]).split(".")[1])
    by_value, by_pointer, expression, plain, nil = dumped(crash, ["main.gValueMethod", "main.gPointerMethod", "main.gExpression",
                                                                  "main.gFunc", "main.gNilFunc"])
    assert by_value["value"].startswith("main.Square.Area-fm")
    [receiver] = by_value["children"]
    assert (receiver["name"], receiver["type"], receiver["children"][0]["value"]) == ("receiver", "main.Square", "5")
    assert by_pointer["value"].startswith("main.(*Circle).Area-fm")
    [receiver] = by_pointer["children"]
    assert (receiver["type"], receiver["children"][0]["children"][0]["value"]) == ("*main.Circle", "4")
    assert expression["value"].startswith("main.(*Circle).Area ") and "children" not in expression
    assert plain["value"].startswith("main.namedFunction ") and "notes" not in plain
    assert nil["value"] == "nil"
    [interface, closure] = dumped(crash, ["main.gMethod", "main.gClosure"])
    assert "Area-fm" in interface["value"]
    assert interface["children"][0]["children"][0]["type"] == "main.Square", interface
    held = {child["name"]: child["value"] for child in closure.get("children", [])}
    if release in (21, 22):
        held = {"captured": held.get("X1", "100"), "changed": closure["children"][0]["children"][0]["value"]}
    assert held["changed"] == "5" and held.get("captured", "100") == "100"


def test_what_closures_hold(crash, cell):
    """Go 1.21 and 1.22 tell the types alone, and so do optimized functions of later releases for what they have no names of."""
    release = int(str(cell[0]).split(".")[1])
    rows = [line.split("\t")[1:] for line in crash[2].splitlines() if line.startswith("HELD\t")]
    for closure in ("main.gHolder", "main.gGenericHolds", "main.gNested", "main.gNothing", "main.gComplexHolds"):
        expected = {name: text for where, name, text in rows if where == closure}
        shape = shown(crash, closure, "--depth", 4)
        # The last of a generic function's is its dictionary.
        held = [child for child in shape.get("children", []) if child["type"] != "*[2]uintptr" and child["type"] != "*[1]uintptr"]
        # Up to 1.20 they are in the order of their sizes or use, with names.
        if release < 21:
            assert {child["name"] for child in held} == set(expected), shape
        if release >= 21 and any("bytes more" in note for note in shape.get("notes", [])):
            # The code that allocates one without pointers names no type since 1.27.
            assert release >= 27 and closure == "main.gNothing" and len(held) == 1, shape
        elif release >= 21:
            assert len(held) == len(expected), shape
        for i, child in enumerate(held):
            assert child["name"] in expected or (release >= 21 and child["name"] == f"X{i}"), shape
            name = child["name"] if child["name"] in expected else list(expected)[i]
            value = child["children"][0] if child["type"].startswith("*") else child
            assert expected[name] in ("", value["value"]), shape
            if name == "wide":
                assert [part["value"] for part in value["children"][:3]] == ["5", "0", '"wide"']
            if name == "err":
                assert child["summary"] == '"file already exists"'


def test_types_of_c_as_source_code_writes_them(crash):
    texts = ["(*C.struct_point)(&gCPoint).y", "(*main._Ctype_struct_point)(&main.gCPoint).y", "(*struct point)(&gCPoint)->y",
             "C.int(gInt)", "gErrno.(error).(syscall.Errno)", "gPathErr.(interface{}).(*fs.PathError).Path"]
    values = [value["value"] for value in dumped(crash, texts)]
    assert values[:4] == ["4", "4", "4", "-42"] and values[4] == "0x2" and values[5] == '"/nowhere/at all"'


def layers_of(crash, name):
    """Kind, notes and named parts of each layer."""
    return [(layer["value"].split(" (")[0], layer["value"], {part["name"]: part for part in layer.get("children", [])})
            for layer in shown(crash, name, "--context")["children"]]


def test_contexts_of_every_kind(crash, cell):
    release = tuple(int(part) for part in str(cell[0]).removeprefix("go").split(".")[:2])
    assert [layer[0] for layer in layers_of(crash, "main.gBackground")] == ["background"]
    assert [layer[0] for layer in layers_of(crash, "main.gTodo")] == ["TODO"]
    own = layers_of(crash, "main.gOwn")
    assert [layer[0] for layer in own] == ["value", "custom", "TODO"]
    assert own[0][2]["key"]["children"][0]["value"] == '"own"' and own[0][2]["value"]["children"][0]["value"] == "true"
    loose = shown(crash, "main.gLoose", "--context")["children"]
    assert [layer["value"].split(" (")[0] for layer in loose] == ["cancel", "custom"]
    assert "what it was made from is not known" in loose[1]["notes"]
    [done, base] = layers_of(crash, "main.gDone")
    assert done[0] == "deadline" and done[1].endswith(", cancelled") and base[0] == "background"
    assert done[2]["error"]["children"][0]["type"].startswith("context.deadlineExceededError")
    assert done[2]["deadline"]["summary"] == "1970-01-01 00:00:01 +0000 UTC"
    if release < (1, 21):
        return
    [cause, _] = layers_of(crash, "main.gWithCause")
    assert cause[2]["error"]["summary"] == '"context canceled"' and cause[2]["cause"]["summary"] == '"the reason"'
    without = layers_of(crash, "main.gWithoutCancel")
    assert [layer[0] for layer in without] == ["WithoutCancel", "value", "cancel", "background"]
    [deadline, _] = layers_of(crash, "main.gDeadlineCause")
    assert deadline[2]["deadline"]["summary"] == "2030-01-02 03:04:05 +0000 UTC" and deadline[1].endswith(", not cancelled")
    children = shown(crash, "main.gDeadlineCause.(*context.timerCtx).children")["children"]
    kinds = sorted(child["key"]["children"][0]["type"] for child in children)
    assert kinds == ["*context.afterFuncCtx", "*context.cancelCtx"]


# What people mean by them, written by hand from the fixture's source.
MEANINGS = {
    "main.gMutex": "locked", "main.gUnlocked": "unlocked", "main.gRWMutex": "read-locked by 2",
    "main.gWaitGroup": "counter 3, 0 waiting", "main.gOnce": "done", "main.gBuffer": '9 bytes "read text"',
    "main.gDuration": "1.5s", "*main.gBigInt": "-123456789012345678901234567890", "main.gWrapped": '"outer: inner: plain"',
    "main.gErrno": '"no such file or directory"', "main.gTimeZero": "0001-01-01 00:00:00 +0000 UTC (zero)",
}


def test_well_known_types_have_their_meaning(crash):
    for (name, meaning), value in zip(MEANINGS.items(), dumped(crash, list(MEANINGS))):
        assert value.get("summary") == meaning, (name, value)
    [handle, header, stored] = dumped(crash, ["main.gHandle", "main.gHeader", "main.gAtomicAny"])
    assert handle["children"][0]["children"][0]["type"] == "*main.Thing", handle
    assert header["children"][0]["key"]["value"] == '"Accept"' and header["children"][0]["children"][1]["value"] == '"*/*"'
    assert '"stored"' in json.dumps(stored).replace("\\", ""), stored


def test_atomic_pointers_and_maps_of_sync(crash):
    [point, thing, by_map, once, cond] = dumped(crash, ["main.gAtomPtr", "main.gAtomThing", "main.gAtomMap", "main.gOnceLeft", "*main.gCond"])
    assert [field["value"] for field in point["children"][0]["children"]] == ["7", "8"]
    assert thing["shape"] == "pointer" and thing["children"][0]["type"] == "main.Thing"
    assert by_map["children"][0]["children"][0]["key"]["value"] == '"one"'
    assert once["summary"] == "not done" and cond["summary"] == "2 waiting"
    table = shown(crash, "main.gSyncMap", "--depth", 4)
    entries = {child["key"]["children"][0]["type"] + json.dumps([part["value"] for part in child["key"]["children"][0].get("children", [])])
               + child["key"]["children"][0]["value"]: child for child in table["children"]}
    assert len(entries) == table["length"] == 3 and table["shape"] == "entries", table
    assert entries['main.Point["1", "2"]']["children"][0]["value"] == '"point"'
    assert entries['string[]"second"']["value"] == "nil"
    assert [part["value"] for part in entries['string[]"third"']["children"][0]["children"][0]["children"]] == ["7", "8"]
    many = shown(crash, "main.gSyncMany", "--elements", 1000)
    texts = {child["key"]["children"][0]["value"]: child["children"][0]["value"] for child in many["children"]}
    assert texts == {str(i): f'"{i}"' for i in range(100, 300)}
    assert "cut after 64 of 200" in " ".join(shown(crash, "main.gSyncMany")["notes"])


def test_errors_that_wrap_several(crash, cell):
    if int(str(cell[0]).split(".")[1]) < 21:
        pytest.skip("errors that wrap several are built since Go 1.20, the fixture's since 1.21")
    joined, twice, deep = dumped(crash, ["main.gJoined", "main.gTwice", "main.gDeep"])
    assert joined["notes"] == ["wraps [*errors.errorString, syscall.Errno]"]
    assert twice["notes"] == ["wraps [*errors.errorString, *errors.joinError ← [*errors.errorString, syscall.Errno]]"]
    assert deep["notes"] == ["wraps *errors.joinError ← [*errors.errorString, syscall.Errno]"]


def without(value, *keys):
    """A value without what only debug information knows, or only the runtime."""
    out = {key: part for key, part in value.items() if key not in keys}
    for key in ("children",):
        if key in out:
            out[key] = [without(child, *keys) for child in out[key]]
    if "key" in out:
        out["key"] = without(out["key"], *keys)
    return out


@pytest.fixture(scope="module")
def stripped(crash, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("stripped") / "values")
    subprocess.run(["strip", "-s", "-o", path, crash[0].exe], check=True, timeout=60)
    return path


def test_types_of_the_runtime_alone_say_the_same(crash, stripped):
    """A stripped program has no names of variables; what interfaces hold is read by address all the same."""
    rows = [line.split("\t")[1:] for line in crash[2].splitlines() if line.startswith("ANY\t")]
    assert len(rows) == 15
    for address, index in rows:
        text = f"*(*interface{{}})({address})"
        flags = ("--depth", 6, "--elements", 20000)
        with_names = shown(crash, f"main.gAnys[{index}]", *flags)
        [bare] = json_of("print", text, "--core", crash[1], "--exe", stripped, *flags)["values"]
        assert json.dumps(without(bare, "name")) == json.dumps(without(with_names, "name")), index
    assert with_names["children"][0]["type"] == "*main.Thing"


def test_addresses_without_a_type_in_a_stripped_program(crash, stripped):
    def said(text, *where):
        [value] = json_of("print", text, "--core", crash[1], "--exe", stripped, *where)["values"]
        return value["value"]

    pointer = shown(crash, "main.gBigInt")["value"]
    # Where the heap's tables lie only debug information and symbols tell.
    assert said(f"unsafe.Pointer(uintptr({pointer}))") == f"{pointer} memory, perhaps of the Go heap"
    stack = json_of("bt", "--core", crash[1], "--exe", stripped, "--goroutine", 1, "--raw")["stacks"][0]
    frame = next(f for f in stack["frames"] if f.get("function", "").startswith("main.work"))
    assert "goroutine 1" in said(f"unsafe.Pointer(uintptr({frame['sp']}))")
    assert "main.work" in said(f"unsafe.Pointer(uintptr({frame['pc']}))")
    assert said("unsafe.Pointer(uintptr(12345))") == "0x3039 not mapped (the number 12345)"


def frame_of(crash, function):
    # The core may be of another thread: every one is sent the signal.
    stack = json_of("bt", *target(crash), "--goroutine", 1)["stacks"][0]
    return next(f["index"] for f in stack["frames"] if f.get("function", "").startswith(function))


def test_arguments_of_an_outer_frame(crash):
    document = json_of("args", *target(crash), "--goroutine", 1, "--frame", frame_of(crash, "main.work"))
    values = {value["name"]: value for value in document["values"]}
    assert values["count"]["value"] == "5"
    assert values["text"]["value"] == '"argument"'
    assert [child["value"] for child in values["list"]["children"]] == ["4", "5", "6"]
    assert values["shape"]["children"][0]["type"] == "main.Square"


def test_addresses_without_a_type_say_what_they_are(crash):
    pointer = shown(crash, "main.gBigInt")["value"]
    assert shown(crash, "unsafe.Pointer(main.gBigInt)")["value"] == f"{pointer} Go object of 32 bytes"
    assert "main.gInt" in shown(crash, "unsafe.Pointer(&main.gInt)")["value"]
    assert shown(crash, "unsafe.Pointer(uintptr(12345))")["value"] == "0x3039 not mapped (the number 12345)"
    assert shown(crash, "uintptr(12345)")["value"] == "0x3039"


def test_types_show_layout_and_c_name(crash):
    document = json_of("types", *target(crash), "main._Ctype_struct_shape")
    [found] = [t for t in document["types"] if t["name"] == "main._Ctype_struct_shape"]
    assert found["c_name"] == "struct shape"
    assert [f["name"] for f in found["fields"]][:3] == ["name", "colour", "mode"]


# Written by hand from the fixture's source, as Python has them.
IN_PYTHON = {
    "main.gBool": True, "main.gInt": -42, "main.gRune": 0x436, "main.gInf": float("-inf"), "main.gComplex": complex(1.5, -2),
    "main.gString": b'h\xc3\xa9llo\n"world"\x00\xff', "main.gLong[:4]": "0123", "main.gEmpty": "", "main.gSlice": [20, 30],
    "main.gMatrix": [[1, 2, 3], [-4, -5, -6]], "main.gBytes": b"bytes", "main.gNil": None, "main.gPoint": {"X": 7, "Y": 8},
    "main.gAnyInt": 12, "main.gAnyString": "in an interface", "main.gAnyNil": None, "main.gMapOne": {"one": 1},
    "main.gMapNested": {"a": {"b": [1, 2]}}, "main.gMapEmpty": {}, "float64(3)": 3.0,
}
SCRIPT = """
import sys, lldb_cgo
wanted = eval(sys.argv[1])
for text, value in wanted.items():
    got = lldb_cgo.evaluate(text, depth=8).python()
    if got != value or type(got) is not type(value):
        print("WRONG", text, repr(got), "wanted", repr(value))
stack = lldb_cgo.stacks(goroutine=1)[0]
frame = next(f for f in stack.frames if getattr(f, "function", "").startswith("main.work"))
arguments = {value.name: value for value in frame.args()}
print("ARGUMENTS", int(arguments["count"]), arguments["text"].python(), arguments["list"].python(), len(arguments["list"]))
print("LOCALS", set(arguments) <= {value.name for value in frame.locals()})
print("IN FRAME", frame.evaluate("count + 1").python(), lldb_cgo.evaluate("list[1]", frame=frame).python())
print("FIELD", lldb_cgo.evaluate("main.gThing")["Name"].python(), lldb_cgo.evaluate("main.gMapMany", elements=99999)[7].python())
try:
    lldb_cgo.evaluate("main.gBadString").python()
except lldb_cgo.CgoError as error:
    print("ERROR", error)
long = lldb_cgo.evaluate("main.gLong", string=6)
try:
    long.python()
except lldb_cgo.CgoError as error:
    print("ERROR", error)
print("PARTIAL", long.python(partial=True), lldb_cgo.evaluate("main.gMatrix", elements=1).python(partial=True))
try:
    frame.evaluate("nosuch")
except lldb_cgo.CgoError as error:
    print("ERROR", error)
"""


def test_values_in_python(crash, tmp_path):
    script = tmp_path / "values.py"
    script.write_text(SCRIPT)
    status, out, err = run_tool("script", script, *target(crash), "--", repr(IN_PYTHON).replace("-inf", "float('-inf')"))
    assert status == 0, err
    lines = out.splitlines()
    assert [line for line in lines if line.startswith("WRONG")] == []
    assert "ARGUMENTS 5 argument [4, 5, 6] 3" in lines, out
    assert "LOCALS True" in lines and "IN FRAME 6 5" in lines, out
    assert "FIELD thing " + printed_map_entry(crash, 7) in lines, out
    assert sum(line.startswith("ERROR") for line in lines) == 3, out
    assert "ERROR main.gLong: cut after 6 of 1000 bytes" in lines and "PARTIAL 012345 [[1]]" in lines, out


def printed_map_entry(crash, key):
    """gMapMany has the decimal text of each key."""
    assert 'VALUE\tmain.gMapMany[0]\t"0"' in crash[2]
    return str(key)


@pytest.mark.parametrize("share", [3, 12, 40])
def test_a_core_that_was_cut_short(crash, tmp_path, share):
    """An answer from a part of a core is the one from all of it, or says that it is not."""
    built, core, _ = crash
    cut = tmp_path / "cut"
    with open(core, "rb") as whole:
        cut.write_bytes(whole.read(os.path.getsize(core) // share))
    names = ["main.gCancelled", "main.gOwn", "main.gWrapped", "main.gPathErr", "main.gThing", "main.gSlice", "main.gMapNine",
             "main.gTime", "main.gBigInt", "main.gChan", "main.gInt"]
    for name in names:
        for flags in (["--context"], []) if name in ("main.gCancelled", "main.gOwn") else ([],):
            status, out, err = run_tool("print", name, *flags, "--json", "--core", str(cut), "--exe", built.exe)
            if status == 0:
                assert json.loads(out)["values"] == [shown(crash, name, *flags)], (name, out)
                assert "partial" not in json.loads(out) and "cannot read" not in out
            elif status == 4:
                assert "the core is cut" in json.loads(out)["partial"] and "the core is cut" in err
                assert "nil" not in json.loads(out)["values"][0].get("summary", ""), out
            else:
                assert status == 3 and "cannot read" in err and "the core is cut" in err, (name, err)


def test_contexts_and_errors_in_one_line(crash):
    """Against what fixtures/values/contexts.go makes them of."""
    assert shown(crash, "main.gOwn")["summary"] == 'value main.contextKey("own"): bool(true) ← main.requestContext ← todo'
    assert "(cancelled)" in shown(crash, "main.gCancelled")["summary"].split(" ← ")[0]
    assert "(cancelled" not in shown(crash, "main.gCancelled")["summary"].split(" ← ")[2]


def test_no_flag_lifts_the_bound_on_values(crash):
    """The slice says that it has far more than its capacity."""
    value = shown(crash, "main.gBadSlice", "--elements", "99999999999")
    assert len(value.get("children", [])) <= int(shown(crash, "cap(main.gBadSlice)")["value"])
