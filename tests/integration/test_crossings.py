"""`cgo crossings` against the fixtures' sources, read as text: every C.name( there is a crossing at that line, and there
are no others. Symbol tables (nm) say where functions and data words are."""
import os
import re
import subprocess

import pytest

from harness import builds, matrix, stops, tool
from harness.paths import FIXTURES

# Not calls of C functions: conversions to C types, and helpers that stay in Go.
NOT_CALLS = {"int", "long", "uint", "char", "uintptr_t", "size_t", "GoString", "GoBytes", "struct_pair"}
# What these helpers of cgo call for their caller.
HELPERS = {"CString": "malloc", "CBytes": "malloc"}
STRIPPED = {"stripped", "strip", "pie-stripped"}
PLUGIN_MINORS = ("1.19", "1.27")


def pytest_generate_tests(metafunc):
    quick = metafunc.config.getoption("--quick")
    releases = metafunc.config.found_releases
    if "release" in metafunc.fixturenames:
        metafunc.parametrize("release", releases, ids=str, scope="module")
    if "cell" in metafunc.fixturenames:
        kinds = ("exe", "strip", "c-shared") if quick else builds.KINDS
        cells = [matrix.Cell(release, "O2", kind, "crash-core", "crossings") for release in releases for kind in kinds
                 if kind != "plugin" or release.minor in PLUGIN_MINORS and metafunc.function is test_kinds]
        metafunc.parametrize("cell", [pytest.param(c, id=str(c), marks=pytest.mark.xdist_group(f"{c.release}-{c.kind}"))
                                      for c in cells])


def go_files(fixture, left_out):
    folder = os.path.join(FIXTURES, fixture)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))
            if name.endswith(".go") and name not in left_out]


def code_lines(path):
    """(number, line) of a Go file without its comments."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return [(number, line.split("//")[0]) for number, line in enumerate(text.split("\n"), 1)]


def calls_in_source(fixture, left_out):
    """{(C function, returns errno, file, line, helper)} of all Go files that are built."""
    found = set()
    for path in go_files(fixture, left_out):
        for number, line in code_lines(path):
            for name in re.findall(r"\bC\.(\w+)\(", line):
                if name not in NOT_CALLS:
                    errno = re.match(r"\s*\w+, \w+ :?= C\.", line) is not None
                    helper = name if name in HELPERS or name == "malloc" else None
                    found.add((HELPERS.get(name, name), errno, os.path.basename(path), number, helper))
    return found


def exports_in_source(fixture, left_out):
    """{(name, file, line of its func)}."""
    found = set()
    for path in go_files(fixture, left_out):
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        for number, line in enumerate(lines, 1):
            if line.startswith("//export "):
                found.add((line.split()[1], os.path.basename(path), number + 1))
    return found


def calls_reported(document):
    found = set()
    for one in document["crossings"]:
        if one["form"] in ("Cfunc", "C2func"):
            assert one["direction"] == "go_to_c"
            for site in one["call_sites"]:
                found.add((one["function"], one["form"] == "C2func", os.path.basename(site["file"]), site["line"], site["via"]))
    return found


def of_package(document, *packages):
    return {**document, "crossings": [c for c in document["crossings"] if c["package"] in packages]}


def nm(path):
    """{name: address} of a file's symbols."""
    out = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    return {words[2]: int(words[0], 16) for words in map(str.split, out.splitlines()) if len(words) == 3}


def check_exports(document, fixture, left_out):
    wanted = exports_in_source(fixture, left_out)
    exports = [c for c in document["crossings"] if c["form"] == "export"]
    assert {c["function"] for c in exports} == {name for name, _, _ in wanted}
    by_name = {name: (file, line) for name, file, line in wanted}
    for one in exports:
        assert one["direction"] == "c_to_go"
        assert one["package"] in ("main", "mix", "local.mix")
        if one["function"] == "goEmpty" and not one["call_sites"]:
            continue  # Nothing of it is left.
        assert one["go_name"].rsplit(".", 1)[1] == one["function"]
        [site] = one["call_sites"]
        file, line = by_name[one["function"]]
        assert os.path.basename(site["file"]) == file
        # Where the whole function was inlined, a line of its body.
        assert line <= site["line"] <= line + 8, one


@pytest.fixture(scope="module", name="forms")
def all_forms(release):
    """(document, executable, release) of a waiting process."""
    built = builds.Built(builds.go_build(release, "O2", "crossings", "crossings", ()))
    with stops.live(built, "wait") as process:
        yield tool.json_of("crossings", "--pid", process.pid), built.exe, release


def left_out_for(release):
    return {"newer_old.go"} if release.number >= 24 else {"newer_go124.go"}


def left_out_for_kind(kind):
    """Files of the mix fixture that other build tags choose."""
    return {"c-shared": {"main_exe.go", "main_plug.go"}, "c-archive": {"main_exe.go", "main_plug.go"},
            "plugin": {"main_exe.go", "main_lib.go"}}.get(kind, {"main_lib.go", "main_plug.go"})


def test_every_call_in_the_source_is_a_crossing(forms):
    document, _, release = forms
    assert document["schema"] == "lldb-cgo/crossings/1"
    assert "partial" not in document
    assert calls_reported(document) == calls_in_source("crossings", left_out_for(release))
    check_exports(document, "crossings", left_out_for(release))
    assert len(document["crossings"]) == document["total"] == document["matching"]


def test_words_and_functions_are_where_the_symbol_table_says(forms):
    document, exe, _ = forms
    symbols = nm(exe)
    checked = 0
    for one in of_package(document, "main")["crossings"]:
        assert one["known_by"] == "symbols"
        if one["form"] == "export":
            assert int(one["stub"], 16) == symbols[one["function"]]
            continue
        form, name = one["form"], "_Cmalloc" if one["function"] == "malloc" else one["function"]
        stub = f"_cgo_{one['unit']}_{form}_{name}"
        assert int(one["stub"], 16) == symbols[stub]
        assert int(one["word"], 16) == symbols[f"main.{stub}"]
        place = one["c_function"]["place"]
        if one["function"] in ("in_stub", "with_macro", "formats", "address"):
            assert place == "inlined"
        elif one["function"] in ("malloc", "free", "strlen", "sqrt"):
            assert one["c_function"]["module"] in ("libc.so.6", "libm.so.6")
        else:
            assert place == "found"
            assert int(one["c_function"]["address"], 16) == symbols[one["function"]]
            with open(one["c_function"]["file"], encoding="utf-8") as f:
                lines = f.read().split("\n")
            # The first line of its code, which may be that of its first statement.
            assert one["function"] in "\n".join(lines[one["c_function"]["line"] - 4:one["c_function"]["line"]])
        checked += 1
    assert checked >= 14


def test_a_stripped_program_names_no_c_function_that_is_not(release):
    """Only what the dynamic linker resolves by name is known there: none of the program's own functions."""
    flags = ("-ldflags=-s -w",)
    built = builds.Built(builds.go_build(release, "O2", "crossings", "crossings-stripped", flags))
    with stops.live(built, "wait") as process:
        document = tool.json_of("crossings", "--pid", process.pid)
    assert calls_reported(document) == calls_in_source("crossings", left_out_for(release))
    for one in of_package(document, "main")["crossings"]:
        if one["form"] == "export":
            continue
        found = one["c_function"]
        if one["function"] in ("malloc", "free", "strlen", "sqrt"):
            assert found["module"] in ("libc.so.6", "libm.so.6")
        else:  # Go 1.19 exports all symbols of an executable.
            assert found["place"] in ("unknown", "inlined") or found["module"] == os.path.basename(built.exe), one


def test_directives(forms):
    document, _, release = forms
    said = {c["function"]: (c["nocallback"], c["noescape"]) for c in document["crossings"] if c["form"] == "Cfunc"}
    newer = release.number >= 24
    assert said["quiet"] == (newer, newer)
    assert said["calm"] == (newer, False)
    assert said["plain"] == (False, False)


def test_kinds(cell):
    """All ways to build, from crash cores; stripped ones have names all the same, from Go's function table."""
    built = matrix.built(cell.release, cell.optimization, cell.kind)
    with stops.crash_core_of(built, "fault", 2) as (core, _):
        document = tool.json_of("crossings", "--core", core, "--exe", built.exe)
        ours = of_package(document, *(("mix", "local.mix") if cell.kind == "plugin" else ("main",)))
        left_out = left_out_for_kind(cell.kind)
        assert calls_reported(ours) == calls_in_source("mix", left_out)
        check_exports(ours, "mix", left_out)
        for one in ours["crossings"]:
            assert one["known_by"] == ("code" if cell.kind in STRIPPED and one["form"] != "export" else "symbols")
            assert one["stub"] is not None


def test_a_program_that_does_not_run(cell):
    """The file alone says the same as a core. A plugin has no runtime of its own, so it is not among these."""
    built = matrix.built(cell.release, cell.optimization, cell.kind)
    exe = built.arguments[0] if cell.kind == "c-shared" else built.exe
    document = tool.json_of("crossings", "--exe", exe)
    ours = of_package(document, "main")
    assert calls_reported(ours) == calls_in_source("mix", left_out_for_kind(cell.kind))
    check_exports(ours, "mix", left_out_for_kind(cell.kind))
    symbols = nm(exe) if cell.kind not in STRIPPED else {}
    for one in ours["crossings"]:
        assert one["stub"] is not None
        if symbols and one["form"] == "Cfunc":
            assert int(one["stub"], 16) == symbols[f"_cgo_{one['unit']}_Cfunc_{one['function']}"]
            assert one["c_function"]["place"] == "found"
            assert int(one["c_function"]["address"], 16) == symbols[one["function"]]


def test_go_sqlite3(request):
    """Real software: each reported call stands in the module's source at that line."""
    release = request.config.found_releases[-1]
    built = builds.build_module(release, "sqlite")
    with stops.crash_core_of(built, "fault") as (core, _):
        document = tool.json_of("crossings", "--core", core, "--exe", built.exe)
    module = of_package(document, "github.com/mattn/go-sqlite3")["crossings"]
    to_c = [c for c in module if c["direction"] == "go_to_c"]
    assert len(to_c) > 40
    sites = 0
    for one in to_c:
        for site in one["call_sites"]:
            with open(site["file"], encoding="utf-8") as f:
                lines = f.read().split("\n")
            # The compiler gives a call of several lines one of them.
            written = "\n".join(lines[max(site["line"] - 6, 0):site["line"]])
            assert f"C.{site['via'] or one['function']}(" in written, (one["function"], site)
            sites += 1
    assert sites > 60
    exported = {c["function"] for c in module if c["form"] == "export"}
    folder = os.path.dirname(next(s["file"] for c in to_c for s in c["call_sites"] if s["file"].endswith("sqlite3.go")))
    with open(os.path.join(folder, "callback.go"), encoding="utf-8") as f:
        assert exported == set(re.findall(r"^//export (\w+)", f.read(), re.M))


def test_text_and_selection(request):
    release = request.config.found_releases[-1]
    built = builds.Built(builds.go_build(release, "O2", "crossings", "crossings", ()))
    with stops.crash_core_of(built) as (core, _):
        where = ("--core", core, "--exe", built.exe)
        status, out, _ = tool.run_tool("crossings", "fails", *where)
        assert status == 0
        assert "Go → C fails  errno dropped" in out and "Go → C fails  errno returned" in out
        assert out.endswith("2 from Go to C (1 of them with errno), 0 from C to Go\n")
        by_line = tool.json_of("crossings", "exports.go", *where)
        assert {c["function"] for c in by_line["crossings"]} == {"goPlain", "goSmall", "go_underscore_name"}
        status, out, _ = tool.run_tool("crossings", "no such thing", *where)
        assert status == 0 and out.startswith("0 crossings found (looked at ")
        status, out, _ = tool.run_tool("crossings", "--limit", 2, *where)
        assert out.count("Go → C ") == 2 and "2 shown, --limit N shows more" in out
        inside = tool.run_lldb("cgo crossings fails", "script import lldb_cgo", "script c = lldb_cgo.crossings('plain')[0]",
                               "script print(c.form, c.call_sites[0].line, hex(c.entry)[:2], c.c_function.place)",
                               arguments=("-c", core, built.exe))
        [line] = [line for name, _, _, line, _ in calls_in_source("crossings", left_out_for(release)) if name == "plain"]
        assert f"Cfunc {line} 0x found" in inside
        assert "Go → C fails  errno returned" in inside
