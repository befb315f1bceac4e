"""`cgo heap export` of the fixture `holders`: its numbers are those of the fixture's source, read by `go tool pprof` and by hand."""
import collections
import os
import re
import stat
import subprocess
import xml.etree.ElementTree

from harness import builds, stops, tool
from harness.paths import BUILD
from test_holders import MOST_OLD_WORDS, NODE, usable

AGENT = os.path.join(BUILD, "liblldb-cgo-agent.so")
RELEASES = ("1.19", "1.27")
SVG = "{http://www.w3.org/2000/svg}"

# By hand from the source: blocks that calls of a function of Go allocated, and those that nothing frees any more.
IN_HOLD = 100 + 10 + 50 + 30 + 1 + 1 + 1 + 1 + 20
IN_DROP = 70 + 40
IN_FINISH = 15


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    wanted = [one for one in releases if one.minor in RELEASES] or releases
    if "release" in metafunc.fixturenames:
        metafunc.parametrize("release", wanted[-1:] if metafunc.config.getoption("--quick") else wanted, ids=str)


def build(release):
    return builds.Built(builds.go_build(release, "O2", "holders", "holders", ()))


def recorded(release):
    return builds.Built("/usr/bin/env", (f"LD_PRELOAD={AGENT}", build(release).exe))


def export(form, path, *words, allowed=(0,)):
    """The one line of JSON about what was written."""
    return tool.json_of("heap", "export", "--format", form, "--out", path, *words, allowed=allowed)["export"]


def folded(text):
    """The weight of each stack, which stands there once."""
    lines = [line.rpartition(" ") for line in text.splitlines()]
    assert len({stack for stack, _, _ in lines}) == len(lines)
    return {tuple(stack.split(";")): int(weight) for stack, _, weight in lines}


def pprof(release, *words):
    """Output of the release's own pprof, without names of files that it would look for."""
    done = subprocess.run([release.go, "tool", "pprof", "-symbolize=none", *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, env=dict(release.environment(), PPROF_TMPDIR="/nonexistent"), timeout=120, check=True)
    return done.stdout


def cumulative(text):
    """By function, of `pprof -top`."""
    rows = re.findall(r"^\s*(\d+)\s+[\d.]+%\s+[\d.]+%\s+(\d+)\s+[\d.]+%\s+(.*?)(?: \(inline\))?$", text, re.M)
    return {name: (int(flat), int(all_of_it)) for flat, all_of_it, name in rows}


def tags(text):
    """By label and value, of `pprof -tags`."""
    out, label = collections.defaultdict(dict), None
    for line in text.splitlines():
        if head := re.match(r"\s*(\w+): Total", line):
            label = head[1]
        elif row := re.match(r"\s*(\d+)(?:\.0)? \(\s*[\d.]+%\): (.*)$", line):
            out[label][row[2]] = int(row[1])
    return out


def pprof_options(index):
    return ("-nodefraction=0", "-edgefraction=0", "-nodecount=1000", f"-sample_index={index}")


def test_pprof_with_the_agent(release):
    with stops.scratch() as folder, stops.live(recorded(release), "wait") as process:
        path, where = os.path.join(folder, "heap.pb.gz"), ("--pid", str(process.pid))
        said = export("pprof", path, *where)
        assert said["by"] == "stacks" and said["format"] == "pprof" and said["file_bytes"] == os.path.getsize(path)
        blocks = tool.json_of("heap", "blocks", *where)
        assert (said["blocks"], said["bytes"]) == (blocks["totals"]["live_blocks"], blocks["totals"]["live_bytes"])
        count = cumulative(pprof(release, "-top", *pprof_options("inuse_objects"), path))
        # What the kernel alone has is allocated there too.
        assert count["main.drop"][1] == IN_DROP + 1 and count["main.finish"][1] == IN_FINISH and count["main.hold"][1] == IN_HOLD
        assert count["lose"] == (40, 40) and count["add"] == (30, 30) and count["keep"] == (0, 20)
        # One more, and what it began with, is of main itself.
        assert count["main.main"][1] == IN_DROP + 1 + IN_FINISH + IN_HOLD + 1
        size = cumulative(pprof(release, "-top", *pprof_options("inuse_space"), "-unit=bytes", path).replace("B ", " "))
        assert size["lose"][0] == 40 * usable(904) and size["main.finish"][1] == 15 * usable(1200)
        retained = cumulative(pprof(release, "-top", *pprof_options("retained_space"), "-unit=bytes", path).replace("B ", " "))
        assert size["add"][0] == retained["add"][0] == 30 * NODE
        by_label = tags(pprof(release, "-tags", *pprof_options("inuse_objects"), path))
        assert by_label["go_type"]["main.Handle"] == 30 and by_label["go_type"]["main.Owner"] == 100 + 1 + 1
        assert by_label["field"]["Blob"] == 102 and by_label["field"]["Number"] == 30
        assert 70 - MOST_OLD_WORDS <= by_label["verdict"]["leaked_go_owner_dead"] <= 70
        assert 40 - MOST_OLD_WORDS <= by_label["verdict"]["leaked_unreachable"] <= 40
        source = pprof(release, "-list=^main.drop$", *pprof_options("inuse_objects"), path)
        assert re.search(r"^\s*\.\s+70\s+\d+:.*block\(808\)", source, re.M) and re.search(r"^\s*\.\s+40\s+\d+:.*C\.lose\(40, 904\)", source, re.M)
        assert "not who allocated" not in pprof(release, "-comments", path)


def test_leaks_as_folded_stacks_agree_with_groups(release):
    with stops.scratch() as folder, stops.live(recorded(release), "wait") as process:
        where, path = ("--pid", str(process.pid)), os.path.join(folder, "leaks.folded")
        said = export("folded", path, "--verdict", "leaked", "--by", "blocks", *where)
        groups = tool.json_of("heap", "leaks", "--group", *where)["groups"]
        with open(path, encoding="utf-8") as f:
            counted = folded(f.read())
        assert sorted(counted.values()) == sorted(group["blocks"] for group in groups)
        assert said["blocks"] == sum(counted.values())
        of_c = next(stack for stack in counted if stack[-1] == "lose")
        assert [name for name in of_c if name.startswith("main.")] == ["main.main", "main.drop", "main._Cfunc_lose"]
        _, raw, _ = tool.run_tool("heap", "export", "--format", "folded", "--raw", "--out", "-", "--verdict", "leaked", *where)
        assert "runtime.asmcgocall;" in raw and "runtime.asmcgocall" not in "".join(map("".join, counted))


def test_without_the_agent_stacks_are_holders(release):
    """All four formats, which say so."""
    with stops.scratch() as folder, stops.live(build(release), "wait") as process:
        where = ("--pid", str(process.pid))
        files = {form: os.path.join(folder, "heap." + form) for form in ("pprof", "folded", "dot", "svg")}
        said = {form: export(form, path, *where) for form, path in files.items()}
        assert {one["by"] for one in said.values()} == {"holders"}
        with open(files["folded"], encoding="utf-8") as f:
            check_holders(folded(f.read()))
        comments = pprof(release, "-comments", files["pprof"])
        assert "by what holds it" in comments and "not who allocated it" in comments
        count = cumulative(pprof(release, "-top", *pprof_options("inuse_objects"), files["pprof"]))
        assert count["main.Handle.Number"][1] == 30 and count["main.Owner.Blob"][1] == 100 + 1 + 10
        _, text, _ = tool.run_tool("heap", "export", "--format", "svg", "--out", files["svg"], *where)
        assert "No allocation was recorded" in text
        check_svg(files["svg"], said["svg"])
        check_dot(files["dot"])


def check_holders(stacks):
    def bytes_of(*names):
        return {stack[2:]: weight for stack, weight in stacks.items() if stack[:2] == names}
    assert bytes_of("Go objects", "main.Handle.Number") == {(f"C blocks of {usable(440)} bytes",): 30 * usable(440)}
    # Ten nodes one behind another are one step.
    owner = bytes_of("Go objects", "main.Owner.Blob")
    assert owner[(f"C blocks of {NODE} bytes",)] == 10 * NODE and owner[(f"C blocks of {usable(104)} bytes",)] == 100 * usable(104)
    assert bytes_of("variables of Go", "main.single (unsafe.Pointer)") == {(f"C blocks of {usable(1000)} bytes",): usable(1000)}
    assert stacks["finalizers and cleanups of Go", f"C blocks of {usable(1200)} bytes"] == 15 * usable(1200)
    lost = stacks["nothing refers to it", f"C blocks of {usable(904)} bytes"]
    assert (40 - MOST_OLD_WORDS) * usable(904) <= lost <= 40 * usable(904)
    kept = [names for names in stacks if names[0] == "variables of C" and names[1].startswith("kept in ")]
    assert [stacks[names] for names in kept] == [20 * NODE]


def check_svg(path, said):
    frames = [one for one in xml.etree.ElementTree.parse(path).getroot().iter(SVG + "g") if one.get("class") == "frame"]
    titles = [frame.find(SVG + "title").text for frame in frames]
    assert titles[0] == f"all ({said['blocks']} blocks, {said['bytes']} bytes, 100.00%)"
    assert any(title.startswith(f"main.Handle.Number (30 blocks, {30 * usable(440)} bytes, ") for title in titles)
    # Children lie within their parents: each row covers no more than the one above.
    rows = collections.Counter()
    for frame in frames:
        rows[int(frame.get("data-depth"))] += int(frame.get("data-weight"))
    assert all(rows[depth + 1] <= rows[depth] for depth in range(max(rows)))
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert re.findall(r"https?://[^\"' ]*", text) == ["http://www.w3.org/2000/svg"]


def check_dot(path):
    """Every line is one of the four that the graph is made of."""
    quoted = r'"(?:[^"\\]|\\.)*"'
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert lines[0] == 'digraph "C memory" {' and lines[-1] == "}"
    for line in lines[1:-1]:
        assert re.fullmatch(rf"  \w+(?: -> \w+)?(?: \[\w+=(?:{quoted}|\w+)(?:, \w+=(?:{quoted}|\w+))*\])?;", line), line
    assert any("main.Handle.Number\\n30 blocks" in line for line in lines)


def test_core(release):
    built = recorded(release)
    with stops.scratch() as folder, stops.crash_core_of(built, "crash") as (core, _):
        path = os.path.join(folder, "heap.pb.gz")
        # Other threads may have been anywhere when it crashed, so that something of them is missing; not who allocated.
        assert export("pprof", path, "--core", core, "--exe", build(release).exe, allowed=(0, 4))["by"] == "stacks"
        count = cumulative(pprof(release, "-top", *pprof_options("inuse_objects"), path))
        assert count["main.hold"][1] == IN_HOLD and count["lose"] == (40, 40)
        path = os.path.join(folder, "from-lldb.svg")
        output = tool.run_lldb(f"target create --core {core} {build(release).exe}", f"cgo heap export --format svg --out {path}",
                               "cgo heap export --format svg --out -")
        assert f"{path}: svg, " in output and "by who allocated them" in output and "no standard output" in output
        assert any(title.text.startswith("lose (40 blocks, ") for title in xml.etree.ElementTree.parse(path).iter(SVG + "title"))


def files_in(folder):
    return sorted(os.listdir(folder))


def test_files(pytestconfig):
    """What is there after an export that works or fails, whatever the name means."""
    with stops.scratch() as folder, stops.live(build(pytestconfig.found_releases[-1]), "wait") as process:
        where = ("--pid", str(process.pid))
        for words, says in ((("--format", "png", "--out", "x"), "'png' is no format"), (("--format", "svg"), "'export' needs --out FILE"),
                            (("--out", "x"), "'export' needs --format"), (("--format", "svg", "--out", "x", "--by", "size"), "nothing to count by"),
                            (("--format", "svg", "--out", "x", "--verdict", "lost"), "'lost' is no verdict"),
                            (("--format", "svg", "--out", os.path.join(folder, "none", "x")), "cannot write"),
                            (("--format", "svg", "--out", folder), "Is a directory"), (("--format", "svg", "--out", "/dev/full"), "No space left"),
                            (("x", "--format", "svg", "--out", "x"), "'x' says too much"), (("--format", "svg", "--out", "-", "--json"), "both")):
            status, out, errors = tool.run_tool("heap", "export", *words, *where)
            assert status == 2 and says in errors and not out, (words, errors)
            assert files_in(folder) == []
        status, _, errors = tool.run_tool("heap", "owners", "--format", "svg", *where)
        assert status == 2 and "'owners' has no --format" in errors
        target, link = os.path.join(folder, "target"), os.path.join(folder, "link")
        with open(target, "w", encoding="utf-8") as f:
            f.write("before")
        os.chmod(target, 0o640)
        os.symlink("target", link)
        export("folded", link, *where)
        assert os.path.islink(link) and stat.S_IMODE(os.stat(target).st_mode) == 0o640 and files_in(folder) == ["link", "target"]
        with open(target, encoding="utf-8") as f:
            check_holders(folded(f.read()))
        status, out, _ = tool.run_tool("heap", "export", "--format", "folded", "--out", "-", *where)
        assert status == 0
        check_holders(folded(out))
