"""What scripts rely on: exit statuses, answers that get out or say that they do not, and targets left as they were."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import matrix, stops, tool
from harness.paths import BUILD, LLDB, PROGRAM, REPO
from harness.processes import status_line, wait_for

DONE, BAD_ARGUMENTS, NO_TARGET, PARTIAL = 0, 2, 3, 4


def pytest_generate_tests(metafunc):
    if "release" not in metafunc.fixturenames:
        return
    found = metafunc.config.found_releases
    every = metafunc.function is test_the_thread_of_the_crash_is_shown
    metafunc.parametrize("release", found if every else found[-1:], ids=str)


@pytest.fixture(name="built")
def fixture_built(release):
    return matrix.built(release, "O2", "exe")


@pytest.fixture(name="process")
def fixture_process(built):
    with stops.live(built, "wait", 2) as process:
        yield process


def start(*arguments, **options):
    usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([PROGRAM, *map(str, arguments)], text=True, **{**usual, **options})


def check_partial(status, out, err):
    """An answer that was cut short is none, or is whole, or says that it is neither."""
    assert status in (DONE, NO_TARGET, PARTIAL), (status, err)
    if status == NO_TARGET:
        assert not out and "why:" in err
        return
    document = json.loads(out)
    tool.check_stacks(document)
    assert ("partial" in document) == (status == PARTIAL)


# The process that is read


@pytest.mark.parametrize("delay", (0, 0.1, 0.3))
def test_a_process_that_ends_meanwhile(process, delay):
    with start("bt", "--all", "--json", "--pid", process.pid) as reader:
        wait_for(lambda: reader.poll() is not None or status_line(process.pid, "State").startswith("t"), "not attached")
        time.sleep(delay)
        process.kill()
        out, err = reader.communicate(timeout=60)
    check_partial(reader.returncode, out, err)


def test_a_crash_of_lldb_is_said(process, tmp_path):
    source, library = tmp_path / "crash.c", tmp_path / "liblldb-crash.so"
    source.write_text("#include <stdlib.h>\n__attribute__((constructor)) static void crash(void) { abort(); }\n", encoding="utf-8")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    with start("bt", "--pid", process.pid, env={**os.environ, "LLDB_CGO_LIBLLDB": str(library)}) as reader:
        out, err = reader.communicate(timeout=60)
    assert (reader.returncode, out) == (NO_TARGET, "") and "LLDB crashed\n  why: Aborted\n" in err


def test_ending_the_program_ends_what_it_started(process):
    with start("script", "/dev/stdin", "--pid", process.pid, stdin=subprocess.PIPE) as reader:
        wait_for(lambda: children(reader.pid), "no child")
        child = children(reader.pid)[0]
        reader.terminate()
        assert reader.wait(timeout=30) == -signal.SIGTERM
        wait_for(lambda: not os.path.exists(f"/proc/{child}"), "left behind")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
        return [int(word) for word in f.read().split()]


def test_no_such_process(process):
    process.kill()
    process.wait()
    status, out, err = tool.run_tool("bt", "--pid", process.pid)
    assert (status, out) == (NO_TARGET, "") and "there is no process" in err


def test_a_frozen_process_stays_frozen(process):
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: status_line(process.pid, "State").startswith("T"), "not frozen")
    assert tool.run_tool("goroutines", "--pid", process.pid)[0] == DONE
    wait_for(lambda: status_line(process.pid, "State").startswith("T"), "left running", 5)
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: status_line(process.pid, "State").startswith("S"), "not woken")
    assert tool.run_tool("goroutines", "--pid", process.pid)[0] == DONE
    time.sleep(0.2)
    assert status_line(process.pid, "State").startswith("S"), "left frozen"


def test_who_traces_a_process_is_named(process):
    with subprocess.Popen([LLDB, "--no-lldbinit", "-p", str(process.pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as debugger:
        wait_for(lambda: status_line(process.pid, "TracerPid") != "0", "not traced")
        tracer = status_line(process.pid, "TracerPid")
        status, _, err = tool.run_tool("bt", "--pid", process.pid)
        debugger.stdin.close()
        debugger.kill()
    assert status == NO_TARGET and f"process {tracer} (lldb-server" in err


# Ctrl-C


@pytest.mark.parametrize("delay", (0, 0.1, 0.3, 0.6))
def test_interrupt(process, delay):
    with start("bt", "--all", "--json", "--pid", process.pid) as reader:
        wait_for(lambda: int(status_line(reader.pid, "SigCgt"), 16) & (1 << (signal.SIGINT - 1)), "SIGINT is not caught")
        time.sleep(delay)
        reader.send_signal(signal.SIGINT)
        out, err = reader.communicate(timeout=60)
    check_partial(reader.returncode, out, err)
    if delay == 0:
        assert reader.returncode == NO_TARGET and "interrupted" in err
    wait_for(lambda: status_line(process.pid, "State").startswith("S"), "the process was left stopped")


# Where the answer goes


def test_a_full_disk_is_said(process):
    for words in (("bt", "--all", "--json"), ("goroutines",), ("doctor",)):
        with open("/dev/full", "w", encoding="utf-8") as full, start(*words, "--pid", process.pid, stdout=full) as reader:
            _, err = reader.communicate(timeout=60)
        assert reader.returncode == NO_TARGET and "No space left on device" in err
    with open("/dev/full", "w", encoding="utf-8") as full, start("help", stdout=full) as reader:
        assert reader.wait(30) == NO_TARGET


def test_a_reader_that_goes_away_is_no_error(process):
    for words in (("bt", "--all", "--json", "--pid", process.pid), ("help",)):
        ours, theirs = os.pipe()
        os.close(ours)
        with start(*words, stdout=theirs) as reader:
            os.close(theirs)
            _, err = reader.communicate(timeout=60)
        assert (reader.returncode, err) == (DONE, "")


# Scripts


@pytest.mark.parametrize("text, status", [
    ("pass", DONE), ("import sys; sys.exit(7)", 7), ("import sys; sys.exit()", DONE), ("1 / 0", PARTIAL),
    ("import sys; sys.exit('no')", PARTIAL), ("import sys; assert sys.argv[1:] == ['a', '--own', 'b']", DONE),
])
def test_script(process, tmp_path, text, status):
    script = tmp_path / "report.py"
    script.write_text("import lldb_cgo\nassert lldb_cgo.stacks()\n" + text + "\n")
    before = tool.run_tool("script", script, "--pid", process.pid, "a", "--own", "b")
    behind = tool.run_tool("script", script, "a", "--own", "b", "--pid", process.pid)
    assert before[0] == behind[0] == status, (before, behind)
    assert ("ZeroDivisionError" in before[2]) == ("1 / 0" in text)


# Damaged cores


def test_a_core_without_threads(built, tmp_path):
    with stops.gcore_of(built, "wait", 2) as core:
        data = bytearray(open(core, "rb").read())
    damaged = tmp_path / "core"
    notes = data.find(b"CORE\0\0\0\0")
    while notes != -1:
        data[notes:notes + 4] = b"EROC"
        notes = data.find(b"CORE\0\0\0\0", notes + 4)
    damaged.write_bytes(data)
    for words in (("bt",), ("bt", "--all"), ("bt", "--all", "--json"), ("goroutines", "--json", "--group")):
        status, out, err = tool.run_tool(*words, "--core", damaged, "--exe", built.exe)
        assert (status, out) == (NO_TARGET, "") and "why:" in err, words
    status, out, _ = tool.run_tool("doctor", "--core", damaged, "--exe", built.exe)
    assert status == PARTIAL and "problem" in out and "Nothing is missing" not in out


def test_the_thread_of_the_crash_is_shown(release):
    """Go up to 1.21 makes another thread than the one that crashed the core's first."""
    built = matrix.built(release, "O2", "exe")
    for words in (("fault", 2), ("abort", 2)):
        with stops.crash_core_of(built, *words) as (core, printed):
            first = int(re.search(r"^goroutine (\d+)", printed, re.M).group(1))
            document = tool.stacks_of("--core", core, "--exe", built.exe, allowed=(DONE, PARTIAL))
            status, text, _ = tool.run_tool("bt", "--core", core, "--exe", built.exe)
            alone = tool.stacks_of("--core", core, "--exe", built.exe, "--thread", 1, allowed=(DONE, PARTIAL))
            inside = tool.run_lldb(f"target create {built.exe} --core {core}", "thread select 1", "cgo bt")
        stack = document["stacks"][0]
        assert status == DONE and stack["goroutine"]["id"] == first
        shown = document.get("crashed_thread")
        assert ("note: the crash began on thread" in text) == (shown is not None)
        assert shown is None or shown["index"] == stack["thread"]["index"] != 1
        hint = f"looks like the one that crashed ({shown['what']}): cgo bt --thread {shown['index']}" if shown else "crashed ("
        assert (hint in inside) == (shown is not None), inside
        assert alone["stacks"][0]["thread"]["index"] == 1 and "crashed_thread" not in alone


# What is installed


def test_install(tmp_path, built):
    done = subprocess.run(["cmake", "--install", BUILD, "--prefix", tmp_path / "prefix"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check_installed(tmp_path / "prefix", built)


def check_installed(prefix, built):
    program = prefix / "bin" / "lldb-cgo"
    with stops.live(built, "wait", 2) as process:  # Through the plugin that is installed with it.
        done = subprocess.run([program, "bt", "--pid", str(process.pid)], capture_output=True, text=True, check=False)
    assert done.returncode == DONE and "main.main" in done.stdout, done.stderr
    version = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"lldb-cgo \d+\.\d+\.\d+\n", version)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb")
def test_package(tmp_path, built):
    done = subprocess.run(["cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", tmp_path], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    package, = tmp_path.glob("lldb-cgo_*.deb")
    fields = subprocess.run(["dpkg-deb", "-I", package], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^ Package: lldb-cgo$", fields, re.M) and re.search(r"^ Recommends: lldb-22$", fields, re.M)
    assert re.search(r"^ Depends: .*libc6", fields, re.M)
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "root"], check=True)
    files = {str(path.relative_to(tmp_path / "root")) for path in (tmp_path / "root").rglob("*") if path.is_file()}
    assert files == {
        "usr/bin/lldb-cgo", "usr/lib/lldb-cgo/lldb-cgo.so", "usr/lib/lldb-cgo/lldb_cgo.pyi", "usr/lib/lldb-cgo/liblldb-cgo-agent.so",
        "usr/share/man/man1/lldb-cgo.1", "usr/share/bash-completion/completions/lldb-cgo",
        "usr/share/zsh/vendor-completions/_lldb-cgo", "usr/share/doc/lldb-cgo/copyright",
        "usr/share/doc/lldb-cgo/LICENSE", "usr/share/doc/lldb-cgo/README.md", "usr/share/doc/lldb-cgo/CHANGELOG.md",
    }
    check_installed(tmp_path / "root" / "usr", built)


# The manual page and completion


def page(tmp_path, name, *words):
    path = tmp_path / name
    path.write_text(subprocess.run([PROGRAM, "help", *words], capture_output=True, text=True, check=True).stdout)
    return path


@pytest.mark.skipif(shutil.which("man") is None, reason="no man")
def test_manual_page(tmp_path):
    done = subprocess.run(["man", "-l", "--warnings", page(tmp_path, "lldb-cgo.1", "--man")], capture_output=True, text=True,
                          env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--goroutine" in done.stdout and "EXIT STATUS" in done.stdout


def test_bash_completion(tmp_path):
    path = page(tmp_path, "lldb-cgo.bash", "--completion", "bash")

    def complete(*words):
        script = (f"source {path}; complete -p lldb-cgo >/dev/null || exit; COMP_WORDS=({' '.join(words)}); "
                  f"COMP_CWORD={len(words) - 1}; _lldb_cgo; echo ${{COMPREPLY[@]}}")
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=REPO).stdout.split()
    assert complete("lldb-cgo", "gor") == ["goroutines"]
    assert complete("lldb-cgo", "bt", "--go") == ["--goroutine"]
    assert complete("lldb-cgo", "bt", "--core", "READ") == ["README.md"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh")
def test_zsh_completion(tmp_path):
    page(tmp_path, "_lldb-cgo", "--completion", "zsh")
    script = (f"fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -d {tmp_path}/dump; "
              "print -r -- $_comps[lldb-cgo]; autoload +X _lldb-cgo && print -r -- loaded")
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["_lldb-cgo", "loaded"], done.stderr
