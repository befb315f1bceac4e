"""What `cgo trace` logs of dlopen, dlsym and Go's plugins, against what the caller itself was given, and /proc."""
import os
import re

from harness import builds
from harness.paths import FIXTURES
from test_break import run
from test_live_trace import DONE, objects, run_program

PATHS = ("/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/")


def pytest_generate_tests(metafunc):
    releases = [one for one in metafunc.config.found_releases if one.minor in ("1.19", "1.21", "1.24", "1.27")]
    releases = releases or metafunc.config.found_releases
    metafunc.parametrize("release", releases[-1:] if metafunc.config.getoption("--quick") else releases, ids=str)


def build(release, *arguments, suffix=""):
    return builds.go_build(release, "O2", "libraries", "libraries", arguments, suffix=suffix)


def library(release):
    def make(path):
        builds.run_build(["gcc", "-g", "-shared", "-fPIC", "-o", path, os.path.join(FIXTURES, "libraries", "lib", "lib.c")],
                         FIXTURES, dict(os.environ))
    return builds.artifact(f"{release.version}/libraries-O2", "lib", ["libraries"], make)


def line_of(file, text):
    with open(os.path.join(FIXTURES, "libraries", file), encoding="utf-8") as f:
        return next(number for number, line in enumerate(f, 1) if text in line)


def printed(text):
    """(what, name, result or None, error or None) of each call, as the caller printed it."""
    found = re.findall(r"^(dl\w+) (\S+) (0x[0-9a-f]+|\(nil\))(?: error=(.*))?$", text, re.MULTILINE)
    return [(what, None if name == "NULL" else name, None if result == "(nil)" else result, error or None) for what, name, result, error in found]


def logged(records):
    return [(r["function"], r.get("path", r.get("name")), r["result"], r["error"]) for r in records]


def check(release, exe, out, records, said):
    truth = printed(out)
    assert len(truth) == 12, out
    events = [r for r in records if r["event"] in ("dlopen", "dlsym")]
    assert logged(events) == truth, said
    by = {(r["function"], r.get("path", r.get("name"))): r for r in events}
    lib = library(release)
    opened = by["dlopen", lib]
    assert (opened["flags"], opened["module"], opened["goroutine"]) == ("RTLD_NOW|RTLD_GLOBAL", lib, 1)
    assert os.path.realpath(by["dlopen", "libm.so.6"]["module"]).startswith(tuple(map(os.path.realpath, PATHS)))
    assert by["dlopen", None]["module"] == exe
    assert by["dlmopen", lib]["namespace"] == 0 and by["dlmopen", lib]["module"] == lib
    number = by["dlsym", "lib_number"]
    assert (number["symbol"], number["module"], number["searched_module"]) == ("lib_number", lib, lib)
    functions = [r for r in events if r.get("name") == "lib_function"]
    assert [r["handle"] for r in functions] == [opened["result"], "RTLD_DEFAULT"]
    assert all((r["symbol"], r["module"]) == ("lib_function", lib) for r in functions)
    assert by["dlsym", "getpid"]["handle"] == "RTLD_NEXT" and "libc.so" in by["dlsym", "getpid"]["module"]
    assert [r["version"] for r in events if r["function"] == "dlvsym"] == ["GLIBC_2.14", "NONE_1"]
    assert [r["sequence"] for r in records] == list(range(1, len(records) + 1))
    return opened, number, by["dlopen", "libm.so.6"]


def test_libraries(release):
    """The library's constructor opens another one."""
    done = run_program("--", build(release), library(release))
    assert done.returncode == DONE, done.stderr
    records = objects(done.stdout)
    opened, number, inner = check(release, build(release), done.stdout, records, done.stderr)
    assert opened["caller"].endswith(f"load.c:{line_of('load.c', '@dlopen')}") and opened["caller"].startswith("open_path at ")
    assert opened["go_caller"].endswith(f"main.go:{line_of('main.go', '@open')}") and opened["go_caller"].startswith("main.main at ")
    assert number["caller"].endswith(f"load.c:{line_of('load.c', '@dlsym')}")
    assert number["go_caller"].endswith(f"main.go:{line_of('main.go', '@look')}")
    assert inner["caller"].startswith("at_open at ") and inner["go_caller"] == opened["go_caller"]
    assert "12 calls of dlopen, dlsym and their like came back" in done.stderr
    assert {"open_path", "look_up", "malloc"} <= {r.get("function") for r in records if r["event"] == "return"}


def test_stripped(release):
    exe = build(release, "-ldflags=-s -w", suffix="-stripped")
    done = run_program("--", exe, library(release))
    assert done.returncode == DONE, done.stderr
    check(release, exe, done.stdout, objects(done.stdout), done.stderr)


def test_in_lldb(release):
    answers = run(build(release), "cgo trace start", f"run {library(release)}", "cgo trace show", "cgo trace stop", "breakpoint list")
    check(release, build(release), answers[f"run {library(release)}"], objects(answers["cgo trace show"]), answers["all"])
    assert ", 12 calls of dlopen, dlsym and their like; the trace has ended" in answers["cgo trace stop"]
    assert "No breakpoints currently set." in answers["breakpoint list"]


def test_asked_for(release):
    """With a name of a crossing only when it is."""
    words = ("--", build(release), library(release))
    assert {r["event"] for r in objects(run_program("^free$", *words).stdout)} == {"return"}
    events = [r["event"] for r in objects(run_program("^free$", "--dl", *words).stdout)]
    assert sorted(events) == ["dlopen"] * 5 + ["dlsym"] * 7 + ["return"]


def test_a_plugin_of_go(release):
    built = builds.build_mix(release, kind="plugin")
    done = run_program("--", *built.command("return", "2"))
    assert done.returncode == DONE, done.stderr
    records = objects(done.stdout)
    opened, = [r for r in records if r["event"] == "plugin.open"]
    assert (opened["path"], opened["error"], opened["goroutine"]) == (built.arguments[0], None, 1)
    assert opened["module"].startswith(("plugin/unnamed", "mix", "example.com", "main")), opened
    assert opened["caller"].startswith("main.main at ")
    bound, = [r for r in records if r["event"] == "dlsym" and r["name"].endswith(".Run")]
    assert bound["go_caller"].startswith("plugin.open") and "Run" in bound["symbol"]
    assert (bound["error"], bound["module"], bound["searched_module"]) == (None, built.arguments[0], built.arguments[0])
    # Most compilers put Lookup into its caller.
    for looked in [r for r in records if r["event"] == "plugin.lookup"]:
        assert looked["caller"].startswith("main.main at ") and "Run" in looked["symbol"]
        assert (looked["name"], looked["error"], looked["module"]) == ("Run", None, built.arguments[0])
    inner = [r for r in records if r["event"] == "dlopen" and r["module"] == built.arguments[0]]
    assert inner and inner[0]["go_caller"].startswith("plugin.open")


def test_a_plugin_that_is_none(release):
    built = builds.build_mix(release, kind="plugin")
    done = run_program("--", built.exe, "/nowhere/plugin.so")
    opened, = [r for r in objects(done.stdout) if r["event"] == "plugin.open"]
    assert opened["path"] == "/nowhere/plugin.so" and opened["result"] is None
    assert opened["error"] == done.stderr.splitlines()[1] if "realpath" in done.stderr else opened["error"] in done.stderr
