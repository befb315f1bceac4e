"""values/frame_variables on programs that print their own variables right before they stop, through Go, C and C++ frames."""
import functools
import json
import os
import re
import select
import subprocess
import time

import pytest

from harness import builds, stops
from harness.paths import BUILD
from harness.tool import json_of, run_lldb

FRAME_VALUES = os.path.join(BUILD, "tests", "tools", "frame-values")
BUILDS = {"O0": ("-gcflags=-N -l",), "O2": ()}
# How much of what the program prints must be shown: all of it where nothing was optimized. At -O2 a variable may be
# gone, but what is shown must be right.
LEAST_SHOWN = {"O0": 1.0, "O2": 0.75}

RESTS = ["gone.list", "never.list"]
AREA = "shapes::Box::area(int const&) const"
EXPRESSIONS = [(AREA, "scale+1"), (AREA, "&scale"), ("c_outer", "&rows"), ("c_outer", "rows[1:2]")]

pytestmark = pytest.mark.needs_no_program


def pytest_generate_tests(metafunc):
    if "stopped" in metafunc.fixturenames:
        releases = metafunc.config.found_releases
        cells = [(release, kind) for release in releases for kind in BUILDS]
        metafunc.parametrize("stopped", [pytest.param(c, id=f"{c[0]}-{c[1]}") for c in cells], indirect=True)


def run_until_ready(program):
    process = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env=stops.run_environment())
    deadline, text = time.monotonic() + 60, b""
    while b"READY" not in text:
        assert time.monotonic() < deadline and select.select([process.stdout], [], [], 60)[0], "it did not get ready"
        chunk = os.read(process.stdout.fileno(), 65536)
        assert chunk, f"it ended with {process.wait()}"
        text += chunk
    time.sleep(0.1)
    return process, text.decode()


def built(release, kind):
    return builds.go_build(release, kind, "variables", "variables", BUILDS[kind])


@functools.lru_cache(1)
def read(release, kind):
    """(what the program printed, its frames with their variables)"""
    program = built(release, kind)
    with stops.scratch() as folder:
        process, printed = run_until_ready(program)
        core = os.path.join(folder, "core")
        try:
            stops.run_checked(["gdb", "-nx", "-batch", "-p", str(process.pid), "-ex", f"generate-core-file {core}"], 120, "gcore")
        finally:
            stops.end(process)
        done = subprocess.run([FRAME_VALUES, core, program], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        rests = {name: json_of("print", "--core", core, "--exe", program, name)["values"][0] for name in RESTS}
        said = run_lldb(f"target create --core {core} {program}", "cgo print --lldb box everywhere", "p $box->id",
                        "p $box->width", "p $box->height")
        where = ("--core", core, "--exe", program, "--goroutine", 1)
        numbers = {frame.get("function"): frame["index"] for frame in json_of("bt", *where)["stacks"][0]["frames"] if "index" in frame}
        worth = {text: json_of("print", *where, "--frame", numbers[function], text)["values"][0] for function, text in EXPRESSIONS}
        return printed, json.loads(done.stdout), rests, said, worth


@pytest.fixture
def stopped(request):
    printed, frames, *_ = read(*request.param)
    return printed, frames, request.param[1]


def printed_values(text):
    for line in text.splitlines():
        parts = line.split(" ", 2)
        if len(parts) == 3 and parts[0] != "global":
            yield parts[0], re.split(r"[.\[]", parts[1].replace("]", "")), parts[2]


def frame_of(frames, function):
    for frame in frames:
        name = "operator()" if "operator()" in frame["function"] else re.sub(r"\(.*", "", frame["function"])
        if name == function:
            return frame
    return None


def child(value, name):
    """A field or element, through pointers and embedded or anonymous structures."""
    for _ in range(2):
        if value.get("children") is None:
            return None
        names = {c.get("name"): c for c in value["children"]}
        found = names.get(name) or names.get(f"[{name}]")
        if found is None and name.isdigit() and int(name) < len(value["children"]):
            found = value["children"][int(name)]
        if found is not None:
            return found
        deeper = [c for c in value["children"] if c.get("name") in ("", "*", None) or c["name"].startswith("<")]
        inside = next((got for c in deeper if (got := child(c, name))), None)
        if inside is not None:
            return inside
        if len(value["children"]) != 1:
            return None
        value = value["children"][0]
    return None


def shown(frame, path):
    """The value as text; None where it is not there, with why."""
    variable = next((v for v in frame.get("variables", []) if v["name"] == path[0] and not v["shadowed"]), None)
    if variable is None:
        return None, frame.get("error", f"{path[0]} is not among {[v['name'] for v in frame.get('variables', [])]}")
    if "error" in variable:
        return None, variable["error"]
    value = variable["value"]
    for part in path[1:]:
        inner = child(value, part)
        if inner is None:
            return None, f"no {part} in {json.dumps(value)[:300]}"
        value = inner
    if value.get("type", "").endswith("&") and value.get("children"):
        value = value["children"][0]
    by_fields = [note for note in value.get("notes", ()) if note.startswith("shown by its fields")]
    if value.get("error") or by_fields:
        return None, value.get("error") or by_fields[0]
    return value.get("value"), ""


def same(wanted, got):
    if isinstance(got, bool):
        return wanted == str(got).lower()
    if isinstance(got, (int, float)):
        return float(wanted) == float(got)
    got = re.sub(r"^0x[0-9a-f]+ ", "", str(got))
    if wanted.startswith('"'):
        return got.strip('"') == wanted.strip('"')
    try:
        return float(wanted) == float(got)
    except ValueError:
        return got == wanted


def test_variables_are_what_the_program_printed(stopped):
    printed, frames, kind = stopped
    wanted, missing, wrong = 0, [], []
    for function, path, value in printed_values(printed):
        wanted += 1
        frame = frame_of(frames, function)
        assert frame is not None, f"no frame of {function} among {[f['function'] for f in frames]}"
        got, why = shown(frame, path)
        name = f"{function} {'.'.join(path)}"
        if got is None:
            missing.append(f"{name}: {why}")
        elif not same(value, got):
            wrong.append(f"{name}: {got!r}, printed {value}")
    assert wanted > 30
    assert wrong == []
    assert len(missing) <= wanted * (1 - LEAST_SHOWN[kind]), missing


def test_parameters_from_spill_slots_are_those_of_the_call(stopped):
    """main._Cfunc_c_outer(3, 1.5, …) does not use its parameters after the call: only the runtime's table has them."""
    frame = frame_of(stopped[1], "main._Cfunc_c_outer")
    for name, wanted in (("p0", "3"), ("p1", "1.5")):
        got, why = shown(frame, [name])
        assert got is None and why or same(wanted, got), (name, got)


def test_types_of_cxx_have_their_layout(stopped, request):
    """By the fixture's source; that of a virtual base is in no type. No other type is lost for one with a long name."""
    program = built(*request.node.callspec.params["stopped"])
    document = json_of("types", "--exe", program, "Shared")
    [found] = [t for t in document["types"] if t["name"] == "Shared"]
    assert found["language"] == "c++" and "partial" not in document
    places = {(f["name"], f["type"]): (f["offset"], f.get("base", False)) for f in found["fields"]}
    assert places["", "shapes::Base"] == (None, True) and places["own", "int"] == (8, False)
    [box] = [t for t in json_of("types", "--exe", program, "shapes::Box")["types"] if t["name"] == "shapes::Box"]
    assert [(f["name"], f["offset"]) for f in box["fields"]] == [("", 0), ("width", 12), ("height", 16)]


def test_rests_of_containers_are_no_values(stopped, request):
    gone, never = read(*request.node.callspec.params["stopped"])[2].values()
    assert [note for note in gone["notes"] if note.startswith("points to freed memory: freed C block of ")], gone
    assert [note for note in never["notes"] if note.startswith("shown by its fields: damaged, or not constructed yet")], never


def test_references_and_arrays_in_expressions(stopped, request):
    """A reference stands for what it refers to; types are those that C writes for such expressions."""
    worth = read(*request.node.callspec.params["stopped"])[4]
    scale = re.search(r"shapes::Box::area scale (\d+)", stopped[0])[1]
    assert worth["scale+1"]["value"] == str(int(scale) + 1)
    assert worth["&scale"]["type"] == "const int *" and worth["&scale"]["children"][0]["value"] == scale
    assert (worth["&rows"]["type"], worth["rows[1:2]"]["type"]) == ("long int (*)[2][3]", "long int [1][3]")


def test_lldb_has_all_fields_of_a_class(stopped, request):
    """By the fixture's source: what it has, and what it is made with."""
    said = read(*request.node.callspec.params["stopped"])[3]
    assert [re.search(rf"\(int\) .* ?{value}$", said, re.M) is not None for value in (5, 31, 41)] == [True] * 3, said


def test_what_is_not_shown_has_a_reason(stopped):
    for frame in stopped[1]:
        assert "variables" in frame or frame["error"], frame["function"]
        for variable in frame.get("variables", []):
            assert ("value" in variable) != bool(variable.get("error")), (frame["function"], variable["name"])
