"""What is counted at each call of a function of C, on a thread that is signalled all the time: each call counts once."""
import json
import re

import pytest

from harness import builds
from test_break import run

TIMES = 150
RELEASES = ("1.19", "1.27")
# The commands that count, what the program is told to do, and the count in what is said then.
COUNTS = {
    "handlers": ("cgo break signal-handler --log", r"(\d+) set by other code than Go's"),
    "jumps": ("cgo break longjmp --all --log", r"(\d+) jumps"),
    "throws": ("cgo break exception --log", r"(\d+) thrown"),
}


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    wanted = [one for one in releases if one.minor in RELEASES] or releases
    metafunc.parametrize("release", wanted[-1:] if metafunc.config.getoption("--quick") else wanted, ids=str)


def build(release):
    return builds.go_build(release, "O2", "urgent", "urgent", ())


@pytest.mark.parametrize("what", COUNTS)
def test_each_call_counts_once(release, what):
    command, count = COUNTS[what]
    answers = run(build(release), command, f"run {what} {TIMES}", "cgo break")
    assert "exited with status = 0" in answers["all"]
    assert int(re.search(count, answers["cgo break"])[1]) == TIMES
    assert len(re.findall(r"^#\d+ ", answers["all"], re.MULTILINE)) == TIMES


def test_each_look_up_is_in_the_log_once(release):
    answers = run(build(release), "cgo trace start nothing_fits_this --dl", f"run symbols {TIMES}", f"cgo trace show --limit {TIMES * 3}")
    records = [json.loads(line) for line in answers["all"].splitlines() if line.startswith('{"sequence"')]
    assert len([one for one in records if one.get("event") == "dlsym" and one.get("name") == "getpid"]) == TIMES
