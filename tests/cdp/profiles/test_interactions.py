"""What people did ..."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from cdp.profiles.interactions import BadInteraction, Did, record
from cdp.profiles.models import Account, Interaction, Profile
from tests.cdp.profiles.conftest import identity

pytestmark = pytest.mark.django_db
LATE = datetime(2025, 1, 31, 23, 30, tzinfo=UTC)  # the next day in Oslo
TS = int(LATE.timestamp()) * 1_000_000


def did(account: Account, **values: Any) -> Did:
    return Did(**{"identity": identity(account, userid=1), "event": "buy", "ts": TS} | values)


def test_stores_everything_that_is_said(account: Account) -> None:
    one = did(
        account,
        event_id="e1",
        product_id="p",
        category_path=("c1", "c11"),
        quantity=3,
        price=Decimal("2.50"),
        subtotal=Decimal("7.5"),
        currency="EUR",
        props={"colour": "red"},
    )
    assert record(account, "dataflow:5", [one]) == 1
    row = Interaction.objects.get()
    assert (row.price, row.subtotal, row.quantity, row.currency) == (25_000, 75_000, 3, "EUR")
    assert (row.category_path, row.category, row.props) == ("/c1/c11/", "c11", {"colour": "red"})
    assert row.day == (date(2025, 2, 1) - date(1970, 1, 1)).days
    assert row.profile_id == row.identity.profile_id
    assert Profile.objects.get().last_seen == LATE


@pytest.mark.parametrize("amount", ["922337203685477.5808", "-1e30", "NaN", "Infinity"])
@pytest.mark.parametrize("name", ["price", "subtotal"])
def test_refuses_amounts_that_no_row_can_hold(account: Account, name: str, amount: str) -> None:
    with pytest.raises(BadInteraction, match="an amount must be between"):
        record(account, "a", [did(account, **{name: Decimal(amount)})])


def test_holds_the_biggest_amount(account: Account) -> None:
    record(account, "a", [did(account, price=Decimal("922337203685477.5807"))])
    assert Interaction.objects.get().price == 2**63 - 1


def test_counts_what_is_told_twice_once(account: Account) -> None:
    rows = [did(account, event_id="e1"), did(account, event_id="e2"), did(account)]
    assert record(account, "dataflow:5", [*rows, rows[0]]) == 3
    assert record(account, "dataflow:5", rows[:2]) == 0
    assert record(account, "dataflow:6", rows[:1]) == 1
    assert record(account, "dataflow:5", []) == 0


def test_remembers_when_somebody_was_seen_last(account: Account) -> None:
    record(account, "a", [did(account), did(account, ts=TS - 5_000_000)])
    record(account, "a", [did(account, ts=TS - 9_000_000)])
    assert Profile.objects.get().last_seen == LATE
    record(account, "a", [did(account, ts=TS + 500_000)])
    assert Profile.objects.get().last_seen == LATE.replace(microsecond=500_000)


def test_leaves_out_who_is_gone(account: Account) -> None:
    one = did(account)
    Profile.objects.all().delete()
    assert record(account, "a", [one]) == 0


def test_cuts_names_and_refuses_ids_that_are_too_long(account: Account) -> None:
    record(account, "a", [did(account, product_name="n" * 300)])
    assert Interaction.objects.get().product_name == "n" * 255
    with pytest.raises(BadInteraction, match="product_id must have at most 255 characters; got 300"):
        record(account, "a", [did(account, product_id="p" * 300)])
