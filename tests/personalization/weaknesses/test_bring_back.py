"""Every weakness of the reference has a test, and the test notices when its fault comes back."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.personalization.weaknesses import bring_back


def test_every_weakness_of_the_reference_has_a_test() -> None:
    assert {fault.weakness for fault in bring_back.faults()} == {f"w{number:02d}" for number in range(1, 57)}


def test_every_printed_case_of_the_reference_has_a_test() -> None:
    """Section 9 prints every second case; a docstring or a comment of its test names it."""
    tests = bring_back.ROOT / "tests/personalization"
    text = "".join(path.read_text() for path in tests.rglob("test_*.py"))
    named = {int(number) for number in re.findall(r"\b9-(\d{2,3})\b", text)}
    assert [number for number in range(1, 116, 2) if number not in named] == []


def test_each_comment_names_a_line_that_is_there_once() -> None:
    for fault in bring_back.faults():
        assert bring_back.changed(fault)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_it_notices_when_a_fault_comes_back(tmp_path: Path) -> None:
    """The first four; with CHAOS=full all."""
    faults = bring_back.faults()
    full = os.environ.get("CHAOS") == "full"
    chosen = faults if full else faults[:4]
    copy = bring_back.copied(tmp_path)
    assert [fault.test for fault in chosen if not bring_back.notices(fault, copy=copy)] == []
