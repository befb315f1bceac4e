"""Values in a live session of LLDB: names that its own expressions and watchpoints use, the selected frame, settings, attaching."""
import json
import os
import re
import subprocess

import pytest

import expected
from harness import builds, stops, tool
from harness.dap import Session
from harness.paths import LLDB_DAP, PLUGIN

# Where the two fields are written in native.c; LLDB stops behind the write.
WRITERS = {"Hits": ("write_hits", "write"), "Flag": ("write_flag", "flag")}
LIVE = ("settings set stop-line-count-before 0", "settings set stop-line-count-after 0")


def pytest_generate_tests(metafunc):
    if "release" in metafunc.fixturenames:
        releases = metafunc.config.found_releases
        if metafunc.config.getoption("--quick"):
            releases = releases[-1:]
        metafunc.parametrize("release", releases, ids=str)


def build(release, fixture="native"):
    return builds.go_build(release, "O2", fixture, fixture, ())


def session(program, *commands):
    """What LLDB answered to each command, at the breakpoint."""
    return run(commands, f"target create {program}", "breakpoint set -n ready", "process launch -o /dev/null -e /dev/null")


def run(commands, *before):
    """What LLDB answered to each of `commands`, also behind those that fail."""
    with stops.scratch() as folder:
        script = os.path.join(folder, "commands")
        with open(script, "w", encoding="utf-8") as f:
            f.write("\n".join((*LIVE, *before, *commands)) + "\n")
        words = [tool.LLDB, "--no-lldbinit", "-b", "-o", "settings set use-color false", "-o", f"plugin load {PLUGIN}",
                 "-o", "settings set interpreter.stop-command-source-on-error false", "-o", f"command source {script}"]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=tool.TIMEOUT_S, check=False)
        text = done.stdout
        assert done.returncode >= 0, text[-2000:]
    out = []
    for command in commands:
        _, mark, text = text.partition(f"(lldb) {command}\n")
        assert mark, f"'{command}' was not reached: {text[-1500:]}"
        out.append(text.split("\n(lldb) ")[0].split("(lldb) ")[0])
    return out


def printed(program):
    """(kind, name) → text, of what the program prints of itself."""
    done = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    rows = [line.split(" ", 1) for line in done.stdout.splitlines()]
    return {(kind, *rest.rsplit(" ", 1)[:1]): rest.rsplit(" ", 1)[1] for kind, rest in rows}


def number_in(answer):
    """The value in "(long) $0 = 41", "(bool) true", "(char) '\\x05'"."""
    text = answer.splitlines()[-1].split(") ", 1)[1]
    return re.sub(r"^\$\d+ = ", "", text).strip()


def same(wanted, got):
    if wanted in ("true", "false"):
        return wanted == got
    return int(wanted, 0) == int(got, 0)


def test_a_named_value_is_what_the_program_says(release):
    program = build(release)
    rows = printed(program)
    checks = [("SIZE", f"expr -l c -- sizeof(*${name[0]})", text) for (kind, *name), text in rows.items() if kind == "SIZE"]
    checks += [("OFFSET", f"expr -l c -- (long)&$record->{name[0]} - (long)$record", text)
               for (kind, *name), text in rows.items() if kind == "OFFSET"]
    checks += [("VALUE", f"expr -l c -- $record->{name[0]}", text) for (kind, *name), text in rows.items() if kind == "VALUE"]
    checks += [("POINTER", f"expr -l c -- (long)$record->{name[0]}", text)
               for (kind, *name), text in rows.items() if kind == "POINTER"]
    assert len(checks) > 33
    names = [f"cgo print --lldb {name} main.{name}" for name in ("record", "tree", "pair", "names")]
    whole = ["p *$record", "p $record->Name", "p $names->data[1]", "p $pair->Value", "p $record->_xc3_x9cnder", "p $record->Cplx",
             "p *$record->Fn", "memory read -c 8 &$record->Hits"]
    said = session(program, *names, *(command for _, command, _ in checks), *whole)
    for text in said[:len(names)]:
        assert " in LLDB:  p *$" in text, text
    broken = [(command, answer) for (_, command, _), answer in zip(checks, said[len(names):]) if not answer.startswith("(")]
    assert broken == []
    wrong = [(command, text, answer) for (_, command, text), answer in zip(checks, said[len(names):])
             if not same(text, number_in(answer))]
    assert wrong == []
    record, name, second, value, under, cplx, function, memory = said[-len(whole):]
    assert "Hits = 41" in record and 'Name = "record"' in record and "Kind = '\\a'" in record
    assert 'Name' not in name and '"record"' in name and '"second"' in second and " 2.5" in value and " 0.25" in under
    assert "1.5 + -2i" in cplx and "main.main.func1" in function
    assert ": 29 00 00 00 00 00 00 00 " in memory, memory


def test_a_watchpoint_on_a_go_field_stops_when_c_writes_it(release):
    program = build(release)
    said = session(program, "cgo print --lldb r main.record", "watchpoint set expression -w write -s 8 -- &$r->Hits",
                   "watchpoint set expression -w write -s 1 -- &$r->Flag", "continue", "p $r->Hits", "cgo bt --json", "continue", "p $r->Flag")
    marks = expected.marks("native")
    stopped = [said[3], said[6]]
    for answer, (function, mark) in zip(stopped, WRITERS.values()):
        line = marks[mark][1]
        assert "stop reason = watchpoint" in answer and f"`{function}(" in answer, answer
        assert re.search(rf"native\.c:({line}|{line + 1})\b", answer), answer
    assert number_in(said[4]) == "1234" and number_in(said[7]) == "true"
    document = json.loads(next(line for line in said[5].splitlines() if line.startswith("{")))
    names = [f["function"] for f in document["stacks"][0]["frames"] if not f.get("plumbing", True)]
    assert names[0] == "write_hits" and "main.step" in names, names


def test_names_are_refused_with_a_reason(release):
    said = session(build(release), "cgo print --lldb r main.record", "cgo print --lldb r main.record.Next",
                   "cgo print --lldb $r main.tree", "cgo print --lldb rax main.record", "cgo print --lldb 1x main.record",
                   "cgo print --lldb main_Record main.record", "cgo print --lldb sum main.record.Hits+1",
                   "cgo print --lldb nothing main.record.Tree.Left.Back.Left.Back.Twigs[0].Back", "expr long $mine = 3",
                   "cgo print --lldb mine main.record", "p $mine", "p $r->Hits")
    assert "$r is a $main_Record *" in said[1], said[1]
    assert "why: $r has the type $main_Record * already" in said[2]
    assert "why: $rax is a register" in said[3]
    assert "why: '1x' is no name" in said[4]
    assert "why: $main_Record is the name of a type" in said[5]
    assert "why: it is not in memory" in said[6]
    assert "why: it is a null pointer" in said[7]
    assert "why: $mine is taken already" in said[9]
    assert number_in(said[10]) == "3" and number_in(said[11]) == "41"


def test_the_depth_bounds_what_is_declared(release):
    said = session(build(release), "cgo print --depth 0 --lldb flat main.record", "p $flat->Tree", "p $flat->Next", "cgo print --lldb deep main.record",
                   "p $deep->Next->Next->Tree->Left->Name", "p sizeof(*$flat)", "p sizeof(*$deep)", "p $flat->Hits")
    assert said[1].startswith("(void *)") and said[2].startswith("(void *)")
    assert '"left"' in said[4]
    assert number_in(said[5]) == number_in(said[6]) and number_in(said[7]) == "41"


def test_values_of_c_and_values_of_outer_frames(release):
    said = session(build(release), "cgo print --lldb part first_part", "p *$part", "p $part->next->low", "frame select 0", "cgo args",
                   "cgo bt --json")
    assert "low = 5" in said[1] and "high = -7" in said[1] and "PART_ON" in said[1] and "real = 1.5" in said[1], said[1]
    assert number_in(said[2]) == "5"
    assert "record void *" in said[4]
    frames = json.loads(next(line for line in said[5].splitlines() if line.startswith("{")))["stacks"][0]["frames"]
    step = next(f["index"] for f in frames if f.get("function") == "main.step")
    said = session(build(release), f"cgo frame {step}", "cgo args --json", "frame select 0", "cgo args", "cgo up", f"cgo frame {step}", "cgo args",
                   "cgo print --lldb hits r.Hits", "expr -l c -- *$hits", "watchpoint set expression -l c -s 8 -w write -- $hits", "continue")
    arguments = json.loads(next(line for line in said[1].splitlines() if line.startswith("{")))
    assert arguments["frame"]["function"] == "main.step" and [v["name"] for v in arguments["values"]] == ["r"]
    assert "record void *" in said[3], said[3]
    assert "main.step" in said[6], said[6]
    if "error" not in arguments["values"][0]:  # It may be in a register that C has used since.
        assert "expr -l c -- *$hits" in said[7] and number_in(said[8]) == "41"
        assert "`write_hits(" in said[10], said[10]


def test_the_frame_that_lldb_selects_is_looked_into(release):
    """`frame select`, `up` and `down` of LLDB itself choose where values are looked at."""
    said = session(build(release), "bt")
    numbers = {m.group(2): int(m.group(1)) for m in re.finditer(r"frame #(\d+): 0x[0-9a-f]+ [^`\n]*`([\w.]+)", said[0])}
    step = numbers["main.step"]
    said = session(build(release), f"frame select {step}", "cgo locals", "expr -l c -- 40 + 2", "expr -l c -- $nothing_of_this_name",
                   "up", "cgo locals --json", "down", "cgo locals --json", "frame select 0", "cgo args", "cgo frame 0", "cgo args")
    assert "main.step" in said[1] and "r *main.Record" in said[1], said[1]
    assert number_in(said[2]) == "42"
    assert "undeclared identifier" in said[3]
    frames = [json.loads(next(line for line in text.splitlines() if line.startswith("{")))["frame"]["function"] for text in (said[5], said[7])]
    assert frames == ["main.main", "main.step"]
    assert "record void *" in said[9] and "record void *" in said[11]


def test_limits_are_settings_too(release):
    said = session(build(release), "cgo set elements 1", "cgo print main.names", "cgo print --elements 2 main.names", "cgo set string 3",
                   "cgo print main.record.Name", "cgo set depth 0", "cgo print *main.record", "cgo set", "cgo set depth much", "cgo print *main.record --depth 1")
    assert "cut after 1 of 2" in said[1] and '"first"' in said[1] and '"second"' not in said[1]
    assert '"second"' in said[2] and "cut after" not in said[2]
    assert '"rec' in said[4] and "cut after 3 of 6 bytes" in said[4]
    assert "cut: nested deeper" in said[6] or "…" in said[6], said[6]
    assert "elements = 1 " in said[7] and "string = 3 " in said[7] and "depth = 0 " in said[7]
    assert "depth takes a number" in said[8]
    assert "Hits = 41" in said[9] or "Hits: 41" in said[9], said[9]


def core_of(program, folder):
    core = os.path.join(folder, "core")
    stops.run_checked(["gdb", "-nx", "-batch", "-ex", "set confirm off", "-ex", "handle SIGURG nostop noprint", "-ex", "break ready", "-ex", "run > /dev/null",
                       "-ex", f"generate-core-file {core}", "-ex", "kill", program], 120, "gcore")
    return core


def test_names_in_a_core(release):
    program = build(release)
    with stops.scratch() as folder:
        core = core_of(program, folder)
        commands = ("cgo print --lldb r main.record", "expr -l c -- *$r", "expr -l c -- $r->Tree->Left->Name", "expr -l c -- sizeof(*$r)", "memory read -c 1 &$r->Hits")
        said = run(commands, f"target create {program} --core {core}")
        assert "Hits = 41" in said[1] and '"left"' in said[2]
        assert same(printed(program)[("SIZE", "record")], number_in(said[3]))
        status, _, err = tool.run_tool("print", "--lldb", "r", "main.record", "--core", core, "--exe", program)
        assert status == 2 and "--lldb needs LLDB" in err
        status, _, err = tool.run_tool("print", "--context", "main.record", "--core", core, "--exe", program)
        assert status == 3 and "is no context.Context" in err


@pytest.mark.skipif(not os.access(LLDB_DAP, os.X_OK), reason="no lldb-dap-22")
def test_values_in_an_editor(release):
    """The REPL of lldb-dap, with the frame that the editor has selected."""
    with Session() as dap:
        dap.request("initialize", {"adapterID": "lldb-dap", "linesStartAt1": True, "columnsStartAt1": True, "pathFormat": "path"})
        launch = dap.send("launch", {"program": build(release), "stopOnEntry": False, "initCommands": [f"plugin load {PLUGIN}"]})
        dap.wait_for("initialized")
        dap.request("setFunctionBreakpoints", {"breakpoints": [{"name": "ready"}]})
        dap.request("configurationDone")
        dap.answer(launch, "launch")
        thread = dap.wait_for("stopped")["threadId"]
        frames = dap.request("stackTrace", {"threadId": thread, "startFrame": 0, "levels": 50})["stackFrames"]

        def plain(name):
            return name.replace(" [synthetic]", "").split("`")[-1].strip()

        step = next(f["id"] for f in frames if plain(f["name"]) == "main.step")

        def repl(text, frame):
            return dap.request("evaluate", {"expression": "`" + text, "context": "repl", "frameId": frame})["result"]

        # lldb-dap 22 does not tell LLDB which thread the editor has selected either: of several that have stopped it may be another.
        repl(f"thread select -t {thread}", frames[0]["id"])
        assert "record void *" in repl("cgo args", frames[0]["id"])
        # lldb-dap 22 does not tell LLDB which frame the editor has selected.
        number = next(i for i, f in enumerate(frames) if plain(f["name"]) == "main.step")
        in_step = repl(f"cgo locals --frame {number}", step)
        assert "main.step" in in_step and "r *main.Record" in in_step, in_step
        assert "Hits = 41" in repl("cgo print main.record", step)
        assert "main.Branch  struct, " in repl("cgo types main.Branch", step)
        assert "$r is a $main_Record *" in repl("cgo print --lldb r main.record", frames[0]["id"])
        assert dap.request("evaluate", {"expression": "$r->Hits", "context": "watch", "frameId": frames[0]["id"]})["result"].startswith("41")
