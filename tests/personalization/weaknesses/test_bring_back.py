"""Every weakness of the reference has a test, and the test notices when its fault comes back."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.personalization.weaknesses import bring_back


def test_each_comment_names_a_line_that_is_there_once() -> None:
    for fault in bring_back.faults():
        assert bring_back.changed(fault)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_it_notices_when_a_fault_comes_back(tmp_path: Path) -> None:
    """Some of them, by chance; with CHAOS=full all."""
    faults = bring_back.faults()
    full = os.environ.get("CHAOS") == "full"
    chosen = faults if full else random.SystemRandom().sample(faults, 4)
    copy = bring_back.copied(tmp_path)
    assert [fault.test for fault in chosen if not bring_back.notices(fault, copy=copy)] == []
