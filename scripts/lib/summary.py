"""Adds up the results of ctest, scripts/check and pytest. Usage: summary.py FOLDER SECONDS LEFT_OUT

Prints what failed, then one summary line, the last. Exit status 1 when anything failed or nothing ran."""
import os
import re
import sys
import xml.etree.ElementTree as ElementTree


def junit_counts(path):
    """(passed, failed, skipped, names of the failed) of one JUnit file."""
    cases = ElementTree.parse(path).getroot().iter("testcase")
    passed, skipped, failed = 0, 0, []
    for case in cases:
        name = f'{case.get("classname", "")}::{case.get("name", "")}'
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            failed.append(name)
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def check_counts(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    match = re.search(r"check: (\d+) passed, (\d+) failed", text)
    if not match:
        return 0, ["scripts/check did not finish"]
    return int(match.group(1)), ["scripts/check: " + name for name in re.findall(r"^FAILED (.*)$", text, re.M)]


def main():
    folder, seconds, left_out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    passed, skipped, failed = 0, 0, []
    parts = ["ctest-release.xml", "ctest-asan.xml", "integration.xml"]
    expected = [p for p in parts if os.path.exists(os.path.join(folder, p))]
    if "ctest-release.xml" not in expected:
        failed.append("the unit tests did not run")
    if os.path.isdir("tests/integration") and "integration.xml" not in expected:
        failed.append("the integration tests did not run")
    for part in expected:
        p, f, s = junit_counts(os.path.join(folder, part))
        print(f"{part.removesuffix('.xml')}: {p} passed, {len(f)} failed, {s} skipped")
        passed, skipped = passed + p, skipped + s
        failed += f
    p, f = check_counts(os.path.join(folder, "check.txt"))
    print(f"static checks: {p} passed, {len(f)} failed")
    passed += p
    failed += f
    for name in failed:
        print("FAILED", name)
    if left_out:
        print(left_out)
    print(f"=== {passed} passed, {len(failed)} failed, {skipped} skipped in {seconds // 60}m{seconds % 60:02d}s ===")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
