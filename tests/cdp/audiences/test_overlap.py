"""How many people two audiences have in common."""

from __future__ import annotations

import pytest

from cdp.audiences.calculate import calculate
from cdp.audiences.overlap import overlap
from tests.cdp.audiences.conftest import Make
from tests.cdp.audiences.documents import did, group, have
from tests.cdp.audiences.population import at

pytestmark = pytest.mark.django_db


def test_it_counts_the_members_of_every_pair(make: Make) -> None:
    buyers = make("Buyers", group(did("buy")))
    danes = make("Danes", group(have("country", "eq", "dk"), did("visit")))
    germans = make("Germans", group(have("country", "eq", "de")))
    for one in (buyers, danes, germans):
        calculate(one, as_of=at("2025-05-01T12:00:00Z"))
    assert overlap([germans, buyers, danes]) == [
        (buyers.pk, danes.pk, 1),
        (buyers.pk, germans.pk, 0),
        (danes.pk, germans.pk, 0),
    ]
    assert overlap([buyers]) == []
