"""Runs lldb-cgo and LLDB with the plugin; checks the shape of what they say."""
import json
import subprocess

import jsonschema

from .paths import LLDB, PLUGIN, PROGRAM
from .schema import STACKS

TIMEOUT_S = 120


class ToolError(AssertionError):
    """Our program failed."""


def run_tool(*arguments, timeout=TIMEOUT_S):
    """(exit status, stdout, stderr) of lldb-cgo."""
    try:
        done = subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"lldb-cgo {' '.join(map(str, arguments))}: no end after {timeout} s") from error
    return done.returncode, done.stdout, done.stderr


def json_of(*arguments, allowed=(0,), timeout=TIMEOUT_S):
    """The one JSON object that a command prints."""
    status, out, err = run_tool(*arguments, "--json", timeout=timeout)
    if status not in allowed:
        raise ToolError(f"lldb-cgo {' '.join(map(str, arguments))}: exit {status}\n{err[-3000:]}\n{out[-1000:]}")
    lines = [line for line in out.splitlines() if line.startswith("{")]
    if len(lines) != 1:
        raise ToolError(f"{len(lines)} lines of JSON:\n{out[:2000]}")
    return json.loads(lines[0])


def stacks_of(*arguments, **options):
    """A checked lldb-cgo/stacks/1 document of `bt`."""
    document = json_of("bt", *arguments, **options)
    check_stacks(document)
    return document


def check_stacks(document):
    try:
        jsonschema.validate(document, STACKS)
    except jsonschema.ValidationError as error:
        raise ToolError(f"not lldb-cgo/stacks/1: {error.message} at {list(error.absolute_path)}") from error


def run_lldb(*commands, arguments=(), plugin=True, timeout=TIMEOUT_S, lldb=LLDB):
    """Output of one LLDB batch session."""
    words = [lldb, "--no-lldbinit", "-b", "-o", "settings set use-color false"]
    if plugin:
        words += ["-o", f"plugin load {PLUGIN}"]
    for command in commands:
        words += ["-o", command]
    try:
        done = subprocess.run([*words, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{lldb} did not end in {timeout} s: {commands}") from error
    if done.returncode < 0:
        raise ToolError(f"{lldb} died of signal {-done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout + done.stderr
