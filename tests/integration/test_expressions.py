"""The evaluator, held against Go itself: the fixture prints what its own compiler makes of each expression."""
import math
import os
import re
import shutil
import subprocess

import pytest
from test_values import crash, dumped, pytest_generate_tests  # noqa: F401, pylint: disable=unused-import

from harness.paths import FIXTURES

SOURCE = os.path.join(FIXTURES, "values", "expression_table.go")
FLOATS = {"float32", "float64", "main.celsius", "complex64", "complex128"}
# What Go's compiler refuses; this test asks it.
REFUSED = """
eInt + eInt8
eInt + eFloat64
eInt + 1.5
eUint8 == 300
eUint8 + 256
eUint8 & ^1
eUint8 == -1
int8(300)
int(1.5)
uint(-1)
uint8(eText)
uint8(-1)
1 / 0
1.0 / 0
1 % 0
eInt / 0
eInt + "a"
eText + 1
eText == 1
eText == eLabel
eTrue == 1
eTrue < eTrue
eTrue + eTrue
eFlag == eTrue
!eInt
-eText
-eTrue
^eFloat64
^1.5
eFloat64 % 2
eFloat64 << 1
1.5 << 1
eInt << 1.5
eInt << -1
eComplex < eComplex
eComplex % 2
eComplex + eFloat64
eSlice == eSlice
eByText == eByText
eFunc == eFunc
eArray == eGrid
eKey < eSame
eKey == eOuter
eText[1:2:3]
eText["a"]
eText[1.5]
eSlice[-1]
eSlice[2:1]
eArray[5]
eArray[1.5]
eInt[0]
eSlice.x
eKey.D
eInt.(int)
eNamer.(label)
nil == nil
eInt == nil
eText == nil
eKey == nil
eAny < eAny
eAny + 1
eAny == eSlice
eNamer == eInt
eByText[1]
eByText[eInt]
eByText[eLabel]
eByStruct[1]
eByFloat["a"]
eByKind[eUint8]
eByNamer[eInt]
eBoth.C.D
len(eInt)
cap(eText)
cap(eByText)
len(ePoint)
real(eInt)
complex(eInt, 1)
complex(eFloat64, eFloat32)
&1
&eInt + 1
*eInt
label(eInt8 + 1.5)
[]string(eSlice)
[]int8(eBytes)
map[string]int(eByKind)
error(eInt)
namer(eAny)
(*Point)(eInt8)
bool(1)
string(1.5)
kind8(true)
eFloat64(1)
eChan[0]
ePoint[0]
ePoint < ePoint
eNoFunc == eFunc
float32(1e40)
eFloat32 + 1e40
eInt8 + 128
eUint64 + 18446744073709551616
eComplex == eSmall
""".strip().splitlines()


def spaceless(text):
    return re.sub(r"\s", "", text)


def source_pairs():
    with open(SOURCE, encoding="utf-8") as f:
        text = f.read()
    shown = re.findall(r"^\tshow\((`[^`]*`|\"[^\"]*\"), (.*)\)$", text, re.M)
    panics = re.findall(r"^\tpanics\((`[^`]*`), func\(\) { use\((.*)\) }\)$", text, re.M)
    assert len(shown) == text.count("\tshow(") and len(panics) == text.count("\tpanics(")
    return [(words[1:-1], code) for words, code in shown], [(words[1:-1], code) for words, code in panics]


def short_type(name):
    """As reflect writes it: packages by the last element of their paths."""
    return re.sub(r"[\w.\-]+/", "", name).replace(",", ", ").replace(",  ", ", ")


def rendered(value):
    """What the fixture's renderValue writes, of our JSON."""
    if "error" in value:
        return f"<{value['error']}>"
    children = value.get("children", [])
    kind, text = value.get("shape"), value["value"]
    if kind == "interface":
        return f"{short_type(children[0]['type'])}({rendered(children[0])})" if children else text
    if kind == "pointer":
        return text.split(" ")[0]
    if kind == "fields" and value["type"] != "func()":
        return "{" + ", ".join(f"{child['name']}: {rendered(child)}" for child in children) + "}"
    if kind == "elements":
        if text == "nil":
            return text
        return (text + " " if text else "") + "{" + ", ".join(map(rendered, children)) + "}"
    return text


def numbers(text):
    """The parts of a floating or complex number, as our text or the fixture's has them."""
    text = text.strip("()").replace("+Inf", "inf")
    if text.endswith("i"):
        number = complex(text.replace("Inf", "inf").replace("NaN", "nan")[:-1] + "j")
        return [number.real, number.imag]
    return [float(part) for part in text.split(",")]


def same(kind, ours, theirs):
    if ours == theirs:
        return True
    if kind not in FLOATS or ours.startswith("<"):
        return False
    return all(a == b and math.copysign(1, a) == math.copysign(1, b) or a != a and b != b for a, b in zip(numbers(ours), numbers(theirs)))


def test_texts_are_the_code_of_their_line():
    shown, panics = source_pairs()
    for words, code in shown:
        assert spaceless(words) == spaceless(code)
    for words, code in panics:
        # A variable keeps the compiler from refusing what is out of range.
        assert spaceless(words).replace("+eZero", "") == re.sub(r"eZero\+|\+eZero", "", spaceless(code))


def test_expressions_are_what_go_makes_of_them(crash):  # noqa: F811
    rows = [line.split("\t")[1:] for line in crash[2].splitlines() if line.startswith("SHOW\t")]
    assert [row[0] for row in rows] == [pair[0] for pair in source_pairs()[0]]
    wrong = []
    for (expression, kind, expected), value in zip(rows, dumped(crash, [row[0] for row in rows])):
        # Debug information of a type that has no name says which package it was used in first.
        if short_type(value["type"]) != kind or not same(kind, rendered(value), expected):
            wrong.append(f"{expression}: {rendered(value)} ({value['type']}), Go: {expected} ({kind})")
    assert not wrong, "\n".join(wrong)


def assert_no_value(crash, rows):  # noqa: F811
    wrong = [f"{row}: {value}" for row, value in zip(rows, dumped(crash, rows)) if "error" not in value]
    assert not wrong, "\n".join(wrong)


def test_what_panics_has_no_value(crash):  # noqa: F811
    rows = [line.split("\t")[1] for line in crash[2].splitlines() if line.startswith("PANIC\t")]
    assert rows == [pair[0] for pair in source_pairs()[1]]
    assert_no_value(crash, rows)


def test_what_go_refuses_has_no_value(crash):  # noqa: F811
    assert_no_value(crash, REFUSED)


@pytest.fixture(scope="session")
def go_program(request):
    return request.config.found_releases[-1]


def test_go_refuses_what_is_listed(go_program, tmp_path):
    folder = shutil.copytree(os.path.join(FIXTURES, "values"), tmp_path / "refused")
    shutil.copytree(os.path.join(FIXTURES, "stop"), tmp_path / "stop")
    lines = "".join(f"\t_ = {text}\n" for text in REFUSED)
    (folder / "refused.go").write_text("package main\n\nfunc refused() {\n" + lines + "}\n")
    done = subprocess.run(["go", "build", "-gcflags=-e", "-o", os.devnull, "."], cwd=folder, env=go_program.environment(),
                          capture_output=True, text=True, timeout=300, check=False)
    refused = {int(number) for number in re.findall(r"refused\.go:(\d+):", done.stderr)}
    assert [text for i, text in enumerate(REFUSED) if i + 4 not in refused] == []
