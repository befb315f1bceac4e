"""Values in real software. go-sqlite3, three calls of C and back deep: Go's connection and statement, and the C structures
behind them, in every segment; a stream of DataDog/zstd. Held against gdb, which reads the same addresses of the same core."""
import os
import re

import pytest

from harness import gdb, matrix, stops
from harness.tool import json_of

DEPTH = 3
# The C function that Go exports to be called by SQLite: gdb stops there with only C below.
LEAF, LEAF_FRAMES = "_cgo_export.c:callbackTrampoline", 7
LAYOUTS = ("struct sqlite3", "struct Vdbe", "struct sqlite3_value", "struct sqlite3_context", "struct VdbeOp")


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    if metafunc.config.getoption("--quick"):
        releases = releases[-1:]
    if metafunc.function is test_stream_of_zstd:
        releases = [r for r in releases if r.minor in ("1.19", "1.27")] or releases[-1:]
    kind, source = ("zstd", "gcore") if metafunc.function is test_stream_of_zstd else ("sqlite", "crash-core")
    cells = [matrix.Cell(r, "O2", kind, source, metafunc.function.__name__.removeprefix("test_")) for r in releases]
    metafunc.parametrize("cell", [pytest.param(c, id=str(c), marks=pytest.mark.xdist_group(c.group)) for c in cells])


def values_of(*arguments):
    return {value["name"]: value for value in json_of(*arguments)["values"]}


def one(*arguments):
    [value] = json_of("print", *arguments)["values"]
    return value


def number(value):
    """A scalar of ours as gdb_values.py has it; None where it is not known."""
    if value.get("error"):
        return None
    enumerator = re.fullmatch(r"\w+ \((-?\d+)\)", value["value"])
    text = enumerator[1] if enumerator else value["value"].split()[0]
    if text == "NULL":
        return 0
    return float(text) if "." in text else int(text, 0)


def differences(path, ours, theirs):
    """What gdb knows must be the same here; what it does not know may be."""
    if isinstance(theirs, dict):
        mine = {child["name"]: child for child in ours.get("children", [])}
        for name, value in theirs.items():
            if name not in mine:
                yield f"{path}.{name}: not there"
            else:
                yield from differences(f"{path}.{name}", mine[name], value)
    elif isinstance(theirs, (int, float)) and number(ours) != theirs:
        yield f"{path}: {ours['value'] or ours.get('error')}, gdb {theirs}"


@pytest.mark.slow
def test_values_three_segments_out(cell):
    built = matrix.built(cell.release, "O2", "sqlite")
    with stops.crash_core_of(built, "fault") as (core, _):
        target = "--goroutine", 1, "--core", core, "--exe", built.exe
        [stack] = json_of("bt", *target)["stacks"]
        rows = [f["index"] for f in stack["frames"] if f["function"].endswith("(*SQLiteRows).nextSyncLocked")]
        vms = [f["index"] for f in stack["frames"] if f["function"] == "sqlite3VdbeExec"]
        queries = [f["index"] for f in stack["frames"] if f["function"] == "main.query"]
        assert len(rows) == len(vms) == len(queries) == DEPTH
        connections, statements, seen = [], [], []
        for level, (row, vm, query) in enumerate(zip(rows, vms, queries)):
            assert values_of("args", *target, "--frame", query)["level"]["value"] == str(level)
            connection = one("*rc.s.c.db", *target, "--frame", row)
            statement = one("*(*Vdbe)(rc.s.s)", *target, "--frame", row, "--depth", 2)
            assert connection["type"] == "struct sqlite3" and statement["type"] in ("struct Vdbe", "Vdbe")
            assert one("(*Vdbe)(rc.s.s).zSql", *target, "--frame", row)["value"].endswith('"select down(?)"')
            # The same from the other side: the registers of the C frame.
            machine = values_of("locals", *target, "--frame", vm)
            assert number(machine["p"]) == int(statement["address"], 16)
            assert number(machine["db"]) == int(connection["address"], 16)
            connections.append(connection)
            statements.append(statement)
            seen += [f"structure('struct sqlite3', {connection['address']})", f"structure('struct Vdbe', {statement['address']})",
                     f"text('((Vdbe *){statement['address']})->zSql')"]
        # database/sql opens another connection while one is in use.
        assert len({c["address"] for c in connections}) == len({s["address"] for s in statements}) == DEPTH
        answers = gdb.ask(built.exe, core, *seen)
        wrong = []
        for level in range(DEPTH):
            of_gdb = answers[3 * level:3 * level + 3]
            wrong += differences(f"sqlite3 {level}", connections[level], of_gdb[0])
            wrong += differences(f"Vdbe {level}", statements[level], of_gdb[1])
            assert of_gdb[2] == "select down(?)"
        assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_c_variables_as_gdb_has_them(cell):
    built = matrix.built(cell.release, "O2", "sqlite")
    with stops.scratch() as folder:
        core = os.path.join(folder, "core")
        gdb.core_at(built.command("wait"), LEAF, DEPTH - 1, core)
        [theirs, *layouts] = gdb.ask(built.exe, core, f"frames({LEAF_FRAMES})", *[f"layout('{name}')" for name in LAYOUTS])
        target = "--core", core, "--exe", built.exe
        wrong, known = [], 0
        for index, frame in enumerate(theirs):
            document = json_of("locals", *target, "--frame", index)
            assert document["frame"]["function"] == frame["function"]
            ours = {value["name"]: value for value in document["values"]}
            for name, value in frame["variables"].items():
                if value is None or value == "…":
                    continue
                known += 1
                if name not in ours:
                    wrong.append(f"{frame['function']} {name}: not there")
                else:
                    wrong += differences(f"{frame['function']} {name}", ours[name], value)
        assert not wrong, "\n".join(wrong)
        assert known > 15
        for name, layout in zip(LAYOUTS, layouts):
            [ours] = [t for t in json_of("types", name, *target)["types"] if t["name"] == name]
            assert ours["size"] == layout["bytes"]
            fields = {field["name"]: [field["name"], field["offset"], field["size"]] for field in ours["fields"]}
            assert [fields[field[0]] for field in layout["fields"]] == layout["fields"]


@pytest.mark.slow
def test_stream_of_zstd(cell):
    built = matrix.built(cell.release, "O2", "zstd")
    with stops.gcore_of(built, "wait") as core:
        target = "--goroutine", 1, "--core", core, "--exe", built.exe
        [stack] = json_of("bt", *target)["stacks"]
        frame = next(f["index"] for f in stack["frames"] if f["function"].endswith("zstd.(*Writer).Write"))
        stream = one("*w.ctx", *target, "--frame", frame, "--depth", 3)
        assert stream["type"] == "struct ZSTD_CCtx_s"
        [theirs] = gdb.ask(built.exe, core, f"structure('struct ZSTD_CCtx_s', {stream['address']})")
        assert theirs["requestedParams"]["compressionLevel"] == 3
        wrong = list(differences("ZSTD_CCtx_s", stream, theirs))
        assert not wrong, "\n".join(wrong)
        assert one("w.CompressionLevel", *target, "--frame", frame)["value"] == "3"
        # What C has made is what Go has been given to write.
        assert one("w.underlyingWriter.(*main.sink).written", *target, "--frame", frame)["value"] == str(theirs["producedCSize"])
        assert one("w.ctx.appliedParams.cParams.strategy", *target, "--frame", frame)["value"].startswith("ZSTD_")
