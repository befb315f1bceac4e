"""`cgo break` on real bindings: go-sqlite3 three callbacks deep, and GPGME, whose binding gives C's errno to Go. What is expected is the
bindings' source read by hand, SQLite's constants (SQLITE_OK 0, SQLITE_ROW 100), and what the programs print."""
import re
import subprocess

from harness import builds, matrix
from test_break import logged, run, summary

PREPARE, STEP = "_sqlite3_prepare_v2_internal", "_sqlite3_step_internal"


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    if metafunc.function is test_gpgme:
        # Go 1.19 does not build a module that is replaced by a folder of Debian's.
        releases = [release for release in releases if release.minor != "1.19"]
    metafunc.parametrize("release", releases[-1:] if metafunc.config.getoption("--quick") else releases, ids=str)


def test_sqlite(release):
    """Each level binds its number, which the SQL function reads as its argument; the results come back from the innermost out."""
    program = matrix.built(release, "O2", "sqlite").exe
    names = "_sqlite3_prepare_v2_internal|_sqlite3_step_internal|sqlite3_(bind_int64|value_int64|result_int64|finalize)"
    answers = run(program, f"cgo break return '^({names})$' --log", "cgo break callback '^callbackTrampoline$' --log", "run done", "cgo break")
    lines = logged(answers["all"])
    returned = [re.match(r"C returns to Go: (\w+)\((.*)\)(?: → (\S+))?$", line) for line in lines if line.startswith("C returns")]
    down = [(PREPARE, "0"), ("sqlite3_bind_int64", "0")]
    level = [*down, ("sqlite3_value_int64", None)]
    up = [("sqlite3_result_int64", None), (STEP, "100"), ("sqlite3_finalize", "0")]
    expected = level * 3 + up * 3
    assert [found[1] for found in returned] == [name for name, _ in expected]
    for found, (name, result) in zip(returned, expected):
        assert result is None or found[3] == result, found[0]
        assert name != PREPARE or '"select down(?)"' in found[2]
        assert name != "sqlite3_result_int64" or found[2].endswith("iVal=7")
    bound = [re.search(r"iValue=(\d)$", found[2])[1] for found in returned if found[1] == "sqlite3_bind_int64"]
    read = [found[3] for found in returned if found[1] == "sqlite3_value_int64"]
    assert bound == read == ["2", "1", "0"]
    assert [line.split("(")[0] for line in lines if line.startswith("C calls Go")] == ["C calls Go: callbackTrampoline"] * 3
    assert summary(answers)[1] == {"arrivals": 18, "open": 0, "never returned": 0}
    assert re.search("^result 7 <nil>$", answers["all"], re.MULTILINE)


def test_gpgme(release):
    """errno that Go is given (gpgme_data_read), that it is not (gpgme_err_set_errno), and a callback that fails."""
    program = builds.go_build(release, "O2", "gpgme", "gpgme", ())
    printed = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert printed == ["memory: 10 <nil>", "closed file: 0 bad file descriptor", "failing reader: 0 input/output error", "write: 5 <nil>"]
    answers = run(program, "cgo break return '^(gpgme_data_(read|write)|gpgme_err_set_errno)$' --log", "cgo break callback '^gogpgme_readfunc$' --log",
                  "cgo break return '^gpgme_' --errno --log", "run", "cgo break")
    lines = [re.sub(r"\(.*\)", "()", line.replace(" (dropped)", " dropped")) for line in logged(answers["all"])]
    # The second breakpoint on returns repeats those with an errno.
    assert lines == ["C returns to Go: gpgme_data_read() → 10",
                     *["C returns to Go: gpgme_data_read() → -1 EBADF"] * 2,
                     "C calls Go: gogpgme_readfunc()",
                     *["C returns to Go: gpgme_err_set_errno() EIO dropped"] * 2,
                     *["C returns to Go: gpgme_data_read() → -1 EIO"] * 2,
                     "C returns to Go: gpgme_data_write() → 5"]
    # A small number that C passes as a pointer, and Go's bytes behind a `const void *`.
    assert re.search(r"gogpgme_readfunc\(handle=0x1 not mapped \(the number 1\), ", answers["all"])
    assert re.search(r"gpgme_data_write\(.*, p1=0x[0-9a-f]+ Go (object|stack|heap)[^,]*, p2=5\)", answers["all"])
