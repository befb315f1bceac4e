"""Stops at the end of a collection, against what the fixture's source loses, hides and frees: numbers by hand from there."""
import json
import os
import re

import pytest

from harness import builds
from harness.paths import BUILD
from test_break import run

AGENT = os.path.join(BUILD, "liblldb-cgo-agent.so")
RELEASES = ("1.19", "1.21", "1.24", "1.25", "1.26", "1.27")
EXPERIMENTS = {"1.25": "greenteagc", "1.26": "nogreenteagc"}
COUNT = 250
# Of the lost blocks so many may still have their address in a word of a frame or of the runtime that nobody needs.
MOST_OLD_WORDS = 2
PAYLOAD = 80
OWNER, TEXT = "a Go object of 24 bytes, perhaps main.Owner.Blob", "a Go object of 24 bytes, perhaps main.Text.C"
PAIR, PAIR_FIRST = "a Go object of 16 bytes, perhaps main.Pair.Second", "a Go object of 16 bytes, 0 bytes into it"


def pytest_generate_tests(metafunc):
    releases = metafunc.config.found_releases
    wanted = [one for one in releases if one.minor in RELEASES] or releases
    if metafunc.config.getoption("--quick") or metafunc.function not in (test_every_lost_block, test_hidden_objects, test_dangling_pointers,
                                                                            test_a_finalizer_that_frees_what_a_call_uses):
        wanted = wanted[-1:]
    cells = [(release, "") for release in wanted]
    if metafunc.function is test_every_lost_block:
        cells += [(release, EXPERIMENTS[release.minor]) for release in wanted if release.minor in EXPERIMENTS]
    metafunc.parametrize("program", [pytest.param(cell, id="-".join(filter(None, map(str, cell)))) for cell in cells], indirect=True)


@pytest.fixture
def program(request):
    release, experiment = request.param
    env = {"GOEXPERIMENT": experiment} if experiment else None
    return builds.go_build(release, "O2", "collected", "collected", (), suffix=experiment, env_extra=env)


def environment(agent=True):
    # The checks of cgo would end a program that does what this one is for.
    return "settings set target.env-vars GODEBUG=cgocheck=0" + (f" LD_PRELOAD={AGENT}" if agent else "")


def collected(program, case, kind, *options, agent=True, after=()):
    answers = run(program, environment(agent), " ".join(("cgo break", kind, *options)), f"process launch -- {case} {COUNT}", *after, "cgo break")
    return answers["all"]


def lost(text):
    """(number, what held them, site) of each finding."""
    found = re.findall(r"^error: (\d+) blocks? of C memory, \d+ bytes, lost with (.*) \[leak\.go-owner-dead\]\n((?:    .*\n)*)", text, re.MULTILINE)
    sites = [re.search(r"allocated in (\S+)", rest) for _, _, rest in found]
    return sorted((owner, int(count), site[1] if site else None) for (count, owner, _), site in zip(found, sites))


def test_every_lost_block(program):
    """All of them at the first collection, and nothing that is held in one of a dozen ways."""
    text = collected(program, "leaks", "leak", "--log")
    assert f"lost {4 * COUNT}" in text and "DONE" in text
    found = lost(text)
    # What holds the block that C allocated and gave to a callback is made where no stack of an allocation leads.
    # The others are dead and small: their types are inferred, and so said.
    expected = [(PAIR_FIRST, "main.dropNested"), (PAIR, "main.block"), (OWNER, "main.block"), (TEXT, "main.dropTexts")]
    assert [(owner, site) for owner, _, site in found] == expected, text
    assert all(COUNT - MOST_OLD_WORDS <= count <= COUNT for _, count, _ in found), found
    assert 4 * COUNT - MOST_OLD_WORDS <= sum(count for _, count, _ in found)
    assert "collection 1: 4 findings" in text and "2 collections, 2 looked at, 4 findings" in text


def test_without_the_agent(program):
    found = lost(collected(program, "leaks", "leak", "--log", agent=False))
    assert 4 * COUNT - MOST_OLD_WORDS <= sum(count for _, count, _ in found) <= 4 * COUNT
    assert all(owner.startswith("a Go object of ") and site is None for owner, _, site in found)


def test_a_stop_before_the_sweep(program):
    text = collected(program, "leaks", "leak", after=("thread backtrace", "cgo heap leaks --group"))
    assert "stop reason = breakpoint 1.1" in text and "runtime.gcSweep" in text and "main.dropTexts" in text
    groups = re.findall(r"^(\d+) blocks?, \d+ bytes, LEAKED: the Go object that held it is dead", text, re.MULTILINE)
    assert len(groups) == 4 and 4 * COUNT - MOST_OLD_WORDS <= sum(map(int, groups)) <= 4 * COUNT


@pytest.mark.parametrize("options, owners", [
    (("--type", "Owner$"), [OWNER]),
    (("--site", "^main.dropTexts$"), [TEXT]),
    (("--min-bytes", str(COUNT * 220)), [PAIR_FIRST, PAIR]),
    # The first collection is looked at, the second one is not.
    (("--every", "2", "--type", "Text"), [TEXT]),
])
def test_less_of_it(program, options, owners):
    text = collected(program, "leaks", "leak", "--log", *options)
    assert [owner for owner, _, _ in lost(text)] == owners
    assert ("2 collections, 1 looked at" in text) == ("--every" in options)


HIDDEN = {
    ("warning", f"{COUNT} objects of Go are dead and still held by C blocks of 48 bytes, 0 bytes into them", "gc-visibility.c-holds-go"),
    ("warning", "1 object of Go is dead and still held by gos in collected", "gc-visibility.c-holds-go"),
    ("error", "1 object of Go is held by a number in main.Number.Address alone", "gc-visibility.uintptr"),
    ("error", "1 object of Go is held by a number in main.address alone", "gc-visibility.uintptr"),
    ("note", "1 object of Go is held by C blocks of 48 bytes, 0 bytes into them without a pin", "gc-visibility.c-holds-go"),
}


def findings(text):
    found = re.findall(r"^(error|warning|note): (.*) \[(\S+)\]$", text, re.MULTILINE)
    return [(level, re.sub(r" in collected\S*", " in collected", title), id) for level, title, id in found]


def test_hidden_objects(program):
    """Objects that C alone has, or a number; those that are pinned or behind a handle are not told."""
    text = collected(program, "visibility", "gc-visibility", "--log")
    assert set(findings(text)) == HIDDEN, text
    assert "2 collections, 2 looked at, 5 findings" in text and "DONE" in text


def test_dangling_pointers(program):
    text = collected(program, "dangling", "dangling", "--log")
    assert [title for _, title, _ in findings(text)] == [f"{COUNT} pointers to C memory that was freed: main.Owner.Blob",
                                                         "1 pointer to C memory that was freed: main.Owner.Blob"], text
    assert len(re.findall(r"freed in main\.freeAndKeep", text)) == 2 and "2 collections, 2 looked at, 2 findings" in text


def test_a_finalizer_that_frees_what_a_call_uses(program):
    text = collected(program, "early", "dangling", "--log")
    found = findings(text)
    assert len(found) == 1 and found[0][0] == "error" and found[0][2] == "dangling.finalizer-in-use", text
    assert re.fullmatch(r"1 pointer to C memory that a finalizer freed while main\._Cfunc_work_on on goroutine \d+ uses it", found[0][1])
    assert "freed in main.useOne.func1" in text and "allocated in main.block" in text and "runtime.KeepAlive" in text and "DONE" in text


@pytest.mark.parametrize("case, kind", [("leaks", "gc-visibility"), ("leaks", "dangling"), ("dangling", "leak"), ("dangling", "gc-visibility"),
                                        ("visibility", "dangling"), ("visibility", "leak")])
def test_silence(program, case, kind):
    text = collected(program, case, kind, "--log")
    assert "2 collections, 2 looked at, 0 findings" in text and not findings(text), text


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"schema"')]


def test_hazards_at_a_stop(program):
    text = collected(program, "visibility", "gc-visibility", after=("cgo heap hazards --json", "cgo heap hazards"))
    document, = json_lines(text)
    assert document["schema"] == "lldb-cgo/findings/1" and document["matching"] == len(HIDDEN) and "partial" not in document
    by_id = {}
    for finding in document["findings"]:
        by_id.setdefault((finding["id"], finding["level"]), []).append((finding["count"], finding["bytes"]))
    assert by_id == {("gc-visibility.c-holds-go", "warning"): [(COUNT, COUNT * PAYLOAD), (1, PAYLOAD)],
                     ("gc-visibility.c-holds-go", "note"): [(1, PAYLOAD)],
                     ("gc-visibility.uintptr", "error"): [(1, PAYLOAD)] * 2}
    allocated = next(one for one in document["findings"] if one["count"] == COUNT)["stacks"][0]
    assert allocated["what"] == "the block was allocated"
    assert any(frame.get("function", "").startswith("main.giveAway") for frame in allocated["stack"]["frames"])
    text = collected(program, "dangling", "dangling", after=("cgo heap hazards --json",))
    document, = json_lines(text)
    assert [(finding["id"], finding["count"]) for finding in document["findings"]] == [("dangling.go-holds-freed", COUNT), ("dangling.go-holds-freed", 1)]


def test_words_that_make_no_sense(program):
    answers = run(program, "cgo break leak --errno", "cgo break leak main", "cgo break dangling --site '('", "cgo break enter x --type y",
                  "cgo break leak --every 0")
    assert "--errno is not for leak" in answers["cgo break leak --errno"]
    assert "leak takes no REGEX" in answers["cgo break leak main"]
    assert "is no regular expression" in answers["cgo break dangling --site '('"]
    assert "--type is for leak, gc-visibility and dangling" in answers["cgo break enter x --type y"]
    assert "--every counts from 1" in answers["cgo break leak --every 0"]


def test_findings_in_python_and_a_heap_of_the_past(program):
    ask = "script print([(one.id, one.count) for one in lldb_cgo.findings()])"
    text = collected(program, "dangling", "dangling", after=(ask, "script kept = lldb_cgo.heap(); print('BLOCKS', len(kept), len(list(kept)))",
                                                             "continue", "script list(kept)"))
    assert f"[('dangling.go-holds-freed', {COUNT}), ('dangling.go-holds-freed', 1)]" in text
    counts = re.search(r"^BLOCKS (\d+) (\d+)$", text, re.MULTILINE)
    assert counts and counts[1] == counts[2] and int(counts[1]) >= COUNT
    assert "the process ran since: take heap() again" in text
