"""`cgo break signal-handler`: every handler that the fixture sets, and what each would do to Go; by hand from its source."""
import re

from test_break import run
from test_signals import build, pytest_generate_tests  # noqa: F401  (the releases of that file)

OFF_STACK, REPLACES, EARLY, GOS = "WITHOUT SA_ONSTACK", "in the place of Go's handler", "but Go has not begun", "this is Go's own handler"
BEFORE_GO = [("SIGSEGV", "early_segv", set()), ("SIGPIPE", "early_pipe", {EARLY}), ("SIGUSR1", "early_usr1", {EARLY})]
# Go's runtime takes every signal of these but SIGCONT when it begins (src/runtime/sigtab_linux_generic.go).
BREAKING = [("SIGCONT", "before_notify", {OFF_STACK}), ("SIGALRM", "small_alarm", {OFF_STACK, REPLACES}), ("SIGVTALRM", "whole_vtalrm", {REPLACES}),
            ("SIGRTMIN+5", "real_time", {OFF_STACK, REPLACES}), ("SIGPWR", "once", {REPLACES}), ("SIGXCPU", "the default action (SIG_DFL)", {REPLACES}),
            ("SIGRTMIN+7", "Go's", {OFF_STACK, GOS}), ("SIGXFSZ", "ignored (SIG_IGN)", {REPLACES})]
# The fixture ends itself by SIGRTMIN+7, which comes to Go's handler without SA_ONSTACK.
QUIET = "process handle SIGRTMIN+7 --pass true --stop false"


def described(text):
    """(signal, handler, what is said of it) of each that was said; and who set it."""
    out = []
    for number, who, handler, rest in re.findall(r"^#\d+ (SIG\S+): set by (.*)\n  to (.*)\n((?:  .*\n)*)", text, re.MULTILINE):
        name = re.match(r"handler (\S+)", handler)
        name = "Go's" if "gtramp" in handler else name[1] if name else handler
        out.append(((number, name, {words for words in (OFF_STACK, REPLACES, EARLY, GOS) if words in rest}), who))
    return out


def test_every_handler(release):
    answers = run(build(release).exe, QUIET, "cgo break signal-handler --all --log", "run crash", "cgo break")
    told = described(answers["run crash"])
    assert [one for one, _ in told] == BEFORE_GO + BREAKING
    assert all(re.search(r"^(set|install_late) at .*handlers\.c:\d+$", who) for _, who in told)
    assert "11 set by other code than Go's, 8 that may break Go" in answers["cgo break"]
    # What was said of the last but one comes true.
    assert "non-Go code set up signal handler without SA_ONSTACK flag" in answers["all"]


def test_stripped(release):
    """The same without symbols: names are missing, nothing else."""
    answers = run(build(release, "pie-stripped").exe, QUIET, "cgo break signal-handler --log", "run crash")
    assert [(one[0], one[2]) for one, _ in described(answers["run crash"])] == [(name, said) for name, _, said in BREAKING]


def test_stops_at_those_that_break_go(release):
    answers = run(build(release).exe, QUIET, "cgo break signal-handler", "cgo break signal-handler x", "run crash", "continue")
    assert "takes no REGEX" in answers["cgo break signal-handler x"]
    first = answers["run crash"]
    assert [one for one, _ in described(first)] == BREAKING[:1] and "stop reason = breakpoint 1." in first
    functions = re.findall(r"#\d+ (?:C|Go)\s+(\S+)", first[first.index("goroutine 1"):])
    assert functions[0] in ("sigaction", "__sigaction", "__GI___sigaction") and functions[1:] == [
        "set", "take_sigcont", "main._Cfunc_take_sigcont", "main.table", "main.run", "main.main"]
    assert [one for one, _ in described(answers["continue"])] == BREAKING[1:2]
