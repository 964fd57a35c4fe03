"""Every acceptance case that the reference prints (`cdp.md` 8) has a test that carries its number."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent

PRINTED = {
    "X": "01 03 05 07 09 11 13 15 17 19 21",
    "D": "01 03 05 07 09 11 13 15 17 19 21 23 25 27 29 31 33 35 37 39 41 43 45 47 49",
    "A": "01 03 05 07 09 11 12 13 15 17 19 21 23 25 27 29 31 33 35",
    "V": "01 03 05 07 09 11 13 15 17 19 21 23 25 27 29 31",
    "B": "01 03 05 07 09 11 13 15 17",
    "T": "01 03 05 07 09 11 13 15 17",
}


def marked() -> Iterator[tuple[str, str]]:
    """Number of a case, and the test that carries it."""
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text()
        if "mark.case(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                for one in node.decorator_list:
                    if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.case":
                        for number in one.args:
                            yield ast.literal_eval(number), f"{path.relative_to(TESTS)}::{node.name}"


def test_each_has_a_test() -> None:
    printed = {f"{letter}{number}" for letter, text in PRINTED.items() for number in text.split()}
    found = dict(marked())
    assert sorted(printed - found.keys()) == []
    assert all(name.rpartition("::")[2].startswith("test_") for name in found.values())
    # Others than the printed ones would be a slip of the pen.
    assert sorted(found.keys() - printed) == []
