"""Options, the Go releases under test, and the results that docs/support-matrix.md is made from."""
import json
import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import releases as go_releases  # noqa: E402
from harness.matrix import Cell  # noqa: E402
from harness.paths import PROGRAM, REPO  # noqa: E402
from harness.stops import StopError  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--releases-file", default=None, help="lines «MINOR VERSION GOROOT», from scripts/fetch-go")
    parser.addoption("--releases", default=None, help="comma separated minors, of those found")
    parser.addoption("--quick", action="store_true", help="the most telling scenarios only")
    parser.addoption("--results", default=os.path.join(REPO, "build", "test-results", "integration.json"))


def pytest_configure(config):
    # In the background of a script Ctrl-C is ignored, and programs that are started inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "slow: left out by --quick")
    config.addinivalue_line("markers", "needs_no_program: tests of the tests themselves")
    config.addinivalue_line("markers", "xdist_group: tests that share a process or core")
    config.found_releases = select_releases(config)


def select_releases(config):
    found = go_releases.found(config.getoption("--releases-file"))
    wanted = config.getoption("--releases")
    if wanted:
        found = [r for r in found if r.minor in wanted.split(",")]
    elif config.getoption("--quick") and len(found) > 2:
        found = [r for r in found if r.minor in ("1.21", "1.26")] or found[-1:]
    if not found:
        raise pytest.UsageError("no Go release to test with: scripts/fetch-go says why")
    return found


def pytest_collection_modifyitems(config, items):
    if config.getoption("--quick"):
        skip = pytest.mark.skip(reason="left out by --quick")
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(skip)
    if not os.access(PROGRAM, os.X_OK):
        for item in items:
            if item.get_closest_marker("needs_no_program") is None:
                item.add_marker(pytest.mark.skip(reason=f"{os.path.relpath(PROGRAM, REPO)} is not built"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A fixture that did not reach its stop is an error of the surroundings, said as such."""
    outcome = yield
    report = outcome.get_result()
    if call.excinfo is not None and isinstance(call.excinfo.value, StopError):
        report.longrepr = f"the fixture did not reach its stop: {call.excinfo.value}"
    if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
        cell = getattr(item, "matrix_cell", None) or item.callspec.params.get("cell") if hasattr(item, "callspec") else None
        if isinstance(cell, Cell):
            report.user_properties.append(("cell", cell.describe()))


class Results:
    """Gathers every cell of the matrix on the controlling process."""

    def __init__(self, path):
        self.path = path
        self.cells = []

    def pytest_runtest_logreport(self, report):
        cell = dict(report.user_properties).get("cell")
        if cell is None:
            return
        why = ""
        if report.skipped and isinstance(report.longrepr, tuple):
            why = report.longrepr[2].removeprefix("Skipped: ")
        self.cells.append({**cell, "outcome": report.outcome, "why": why})

    def pytest_sessionfinish(self):
        if self.cells:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with open(self.path, "w", encoding="utf-8") as f:
                json.dump({"cells": self.cells}, f, indent=0)


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(Results(session.config.getoption("--results")))
