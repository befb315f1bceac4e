"""Checks of the source tree that need more than grep. Usage: check_tree.py RULE; prints each offence."""
import ast
import os
import re
import subprocess
import sys

LAYERS = ["target", "goruntime", "unwind", "heap", "values", "findings", "lldb-plugin"]
MAX_LINES = 500


def tracked_files():
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True).stdout
    return sorted({f for f in listing.splitlines() if os.path.isfile(f)})


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def is_cpp(path):
    return path.endswith((".cpp", ".h", ".cc")) and not path.startswith("tests/integration/fixtures/")


def check_includes():
    """No "../"; LLDB only in lldb-plugin/; a folder includes only what lies to its left."""
    for path in filter(is_cpp, tracked_files()):
        folder = path.split("/")[0]
        for number, line in enumerate(text_of(path).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            name = match.group(2)
            if "../" in name:
                yield f'{path}:{number}: include with "../": {name}'
            if name.startswith("lldb/") and folder != "lldb-plugin" and not path.startswith("tests/bench/"):
                yield f"{path}:{number}: only lldb-plugin/ and benchmarks may include LLDB: {name}"
            other = name.split("/")[0]
            if folder in LAYERS and other in LAYERS and LAYERS.index(other) > LAYERS.index(folder):
                yield f"{path}:{number}: {folder}/ may not see {other}/: {name}"


def check_sizes():
    """No source file over 500 lines; constant tables may be longer."""
    for path in tracked_files():
        if not path.endswith((".cpp", ".h", ".py", ".sh", ".cmake", ".go", ".c")) and not path.startswith("scripts/"):
            continue
        if "table" in os.path.basename(path) or "/corpus/" in path:
            continue
        lines = text_of(path).count("\n")
        if lines > MAX_LINES:
            yield f"{path}: {lines} lines, at most {MAX_LINES}"


def check_machine_paths():
    """Nothing tracked names a folder of one machine or the host of a package registry."""
    paths = ["/" + "work/", "/tmp" + "/w/", "/" + "root/", "/home/" + r"[a-z]"]
    hosts = ["deb." + "debian.org", "snapshot." + "debian.org", "proxy." + "golang.org", "sum." + "golang.org",
             "pypi." + "org", "registry." + "npmjs"]
    pattern = re.compile("|".join(r"(?<![\w.])" + p for p in paths) + "|" + "|".join(map(re.escape, hosts)))
    for path in tracked_files():
        if "/corpus/" in path or path.endswith((".bin", ".gz")):
            continue
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if pattern.search(line):
                yield f"{path}:{number}: {line.strip()[:120]}"


def check_links():
    """Every relative link of a Markdown file leads to a file of the tree."""
    for path in (f for f in tracked_files() if f.endswith(".md")):
        for match in re.finditer(r"\[[^\]\n]*\]\(([^)\s]+)\)", text_of(path)):
            link = match.group(1).split("#")[0]
            if not link or re.match(r"[a-z]+:", link):
                continue
            if not os.path.exists(os.path.join(os.path.dirname(path), link)):
                yield f"{path}: link to {link} leads nowhere"


def check_python():
    """Every Python file parses."""
    for path in (f for f in tracked_files() if f.endswith(".py")):
        try:
            ast.parse(text_of(path), path)
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"


RULES = {"includes": check_includes, "sizes": check_sizes, "machine-paths": check_machine_paths,
         "links": check_links, "python": check_python}


def main():
    offences = list(RULES[sys.argv[1]]())
    print("\n".join(offences))
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
