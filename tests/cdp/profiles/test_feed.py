"""Tracked events that feed an account ..."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from cdp.profiles import accounts, feed, pseudonyms
from cdp.profiles.models import Account, Feed, Interaction, Profile, ProfileIdentifier, Suppression
from cdp.profiles.people import find
from tests.cdp.profiles.conftest import identity, known, named
from tracking import identity as keyed
from tracking import queries
from tracking.identity import pseudonym
from tracking.models import Event, IdentityEdge
from tracking.people.spans import Span
from tracking.rotation import keys

pytestmark = [
    pytest.mark.django_db(databases=["default", settings.EVENTS_DB]),
    pytest.mark.usefixtures("sites"),
]
CUSTOMER = "10101"
TS = 1_700_000_000_000_000
ME, DEVICE = pseudonym(CUSTOMER, "14"), pseudonym(CUSTOMER, "device")
SECOND = "second-key-" + "ab3d5" * 9


@pytest.fixture
def fed(account: Account) -> Account:
    accounts.feed(account, CUSTOMER)
    return account


def happen(event: str = "click", user: str = ME, *, ts: int = TS, **values: Any) -> int:
    row = {"customer_id": CUSTOMER, "item_type": 38, "item_id": "7", "received": ts}
    return Event.objects.create(**row | {"event": event, "user": user, "ts": ts} | values).pk


def login(source: str = DEVICE, target: str = ME, *, ts: int = TS) -> None:
    IdentityEdge.objects.create(customer_id=CUSTOMER, source=source, target=target, ts=ts)


def did(account: Account, kind: str = "userid", text: str = "14") -> list[str]:
    profile = find(account, kind, text)
    return list(profile.interactions.order_by("ts").values_list("event", flat=True)) if profile else []


def test_become_what_the_person_did(fed: Account) -> None:
    identity(fed, userid=14)
    for event, more in {
        "click": {"category_path": "cameras/lenses"},
        "consume": {"percentage": 70},
        "basket": {},
        "buy": {"quantity": 3, "price": Decimal("2.50"), "currency": "EUR", "order_id": "o1"},
        "rate": {"rating": 80},
        "wishlist": {},
        "clickrecommended": {"scenario": "front"},
        "rendered": {},
    }.items():
        happen(event, ts=TS + Event.objects.count(), **more)
    happen(user="")
    happen(customer_id="10102")

    assert feed.feed_all() == 7

    assert did(fed) == ["visit", "visit", "basket", "buy", "rate", "favorite", "itemclick"]
    click, consume, _basket, buy, rate, _wish, follow = Interaction.objects.order_by("ts")
    assert (click.category_path, click.category, click.item_type, click.product_id) == (
        "/cameras/lenses/",
        "lenses",
        "38",
        "7",
    )
    assert (consume.percentage, rate.rating, follow.props) == (70, 80, {"scenario": "front"})
    assert (buy.price, buy.subtotal, buy.quantity, buy.currency, buy.order_id) == (
        25_000,
        75_000,
        3,
        "EUR",
        "o1",
    )
    assert feed.feed_all() == 0


def test_are_read_once_even_if_the_mark_is_lost(fed: Account) -> None:
    happen()
    assert feed.feed_all() == 1
    Feed.objects.update(last_id=0)
    assert feed.feed_all() == 0
    happen(ts=TS + 1)
    assert feed.feed_all() == 1


def test_make_an_anonymous_person_who_becomes_known(fed: Account) -> None:
    happen()
    feed.feed_all()
    anonymous = Profile.objects.get()
    assert anonymous.identifiers.get().kind == "tracked:10101"
    assert known(fed, named(userid=14)) == [anonymous.pk]
    assert did(fed) == ["visit"]


def test_reach_those_who_were_known_before_the_feed(account: Account) -> None:
    profile = identity(account, userid=14).profile_id
    accounts.feed(account, CUSTOMER)
    happen()
    feed.feed_all()
    assert Profile.objects.get().pk == profile
    assert did(account) == ["visit"]


@pytest.mark.parametrize("late", [False, True])
def test_move_with_a_login_and_stay_after_a_logout(fed: Account, late: bool) -> None:  # noqa: FBT001
    identity(fed, userid=14)
    happen("click", DEVICE, ts=TS - 5)
    if late:
        feed.feed_all()
    login()
    feed.feed_all()
    happen("buy", DEVICE, ts=TS + 5)
    happen("rate", DEVICE, ts=TS - 3)  # told late
    feed.feed_all()

    assert did(fed) == ["visit", "rate"]
    device = ProfileIdentifier.objects.get(digest=DEVICE)
    assert [one.event for one in device.profile.interactions.all()] == ["buy"]


def test_go_to_whom_the_target_became(fed: Account) -> None:
    other = pseudonym(CUSTOMER, "other")
    happen("click", DEVICE, ts=TS - 5)
    feed.feed_all()
    login(ts=TS)
    login(ME, other, ts=TS + 5)
    feed.feed_all()
    identity(fed, userid="other")
    assert did(fed, "userid", "other") == ["visit"]
    assert Profile.objects.count() == 1  # nothing is left of the device


def test_of_who_was_erased_are_not_stored(fed: Account) -> None:
    Suppression.objects.create(account=fed, kind="tracked:10101", digest=ME)
    happen()
    happen("click", DEVICE, ts=TS - 1)
    login()
    assert feed.feed_all() == 0
    assert not Profile.objects.exists()


def test_are_found_by_tracking_and_erased_with_it(fed: Account) -> None:
    place = pseudonyms.Pseudonyms()
    me = [Span(CUSTOMER, ME)]
    identity(fed, userid=14)
    happen()
    happen("click", DEVICE)
    feed.feed_all()
    at = 2 * TS

    assert [sorted(one)[0] for one in place.find(me)] == ["account", "event"]
    assert place.erase([Span(CUSTOMER, ME, until=TS - 1)], at=at) == 0
    assert place.erase(me, at=at) == 2
    assert (list(place.find(me)), place.erase(me, at=at)) == ([], 0)
    assert did(fed) == []
    assert place.erase([Span(CUSTOMER, DEVICE)], at=at) == 2
    assert Profile.objects.count() == 1


def test_follow_a_new_key(fed: Account, settings: Any) -> None:
    keys.settled.forget()
    place = pseudonyms.Pseudonyms()
    identity(fed, userid=14)
    happen()
    feed.feed_all()
    Suppression.objects.create(account=fed, kind="tracked:10101", digest=DEVICE)
    settings.PSEUDONYM_KEYS = (*settings.PSEUDONYM_KEYS, SECOND)

    assert place.outdated(CUSTOMER) == 2
    assert sum(place.rekey(CUSTOMER)) == 2
    assert (place.outdated(CUSTOMER), sum(place.rekey(CUSTOMER))) == (0, 0)
    assert Suppression.objects.get().digest == keyed.newest(CUSTOMER, DEVICE)
    happen("buy", keyed.newest(CUSTOMER, ME), ts=TS + 1)
    happen("rate", ME, ts=TS + 2)  # by a collector that still has the old key
    feed.feed_all()
    assert did(fed) == ["visit", "buy", "rate"]
    keys.settled.forget()


def test_are_of_one_person_who_was_met_under_both_keys(fed: Account, settings: Any) -> None:
    keys.settled.forget()
    happen()
    feed.feed_all()
    settings.PSEUDONYM_KEYS = (*settings.PSEUDONYM_KEYS, SECOND)
    new = ProfileIdentifier.objects.create(
        account=fed,
        kind="tracked:10101",
        digest=keyed.newest(CUSTOMER, ME),
        profile=Profile.objects.create(account=fed),
    )
    assert sum(pseudonyms.rekey(CUSTOMER)) == 1
    assert Interaction.objects.get().identity_id == ProfileIdentifier.objects.get().pk == new.pk
    assert Profile.objects.count() == 1
    keys.settled.forget()


def test_leaves_out_what_no_row_can_hold(fed: Account, caplog: pytest.LogCaptureFixture) -> None:
    identity(fed, userid=14)
    happen("buy", quantity=1_000_000, price=Decimal("9999999999"), currency="EUR")
    happen("buy", ts=TS + 1, quantity=2, price=Decimal("2"), currency="EUR")
    assert feed.feed_all() == 1
    assert feed.feed_all() == 0
    assert Interaction.objects.get().subtotal == 40_000
    assert [one.getMessage() for one in caplog.records if "left out" in one.getMessage()] == [
        f"Event {Event.objects.earliest('pk').pk} is left out of what people did: an amount must be between"
        " -922337203685477.5807 and 922337203685477.5807; got 9999999999000000.0000."
    ]


def test_go_on_where_another_feed_fails(fed: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts.feed(fed, "10102")
    identity(fed, userid=14)
    happen(customer_id="10102", user=pseudonym("10102", "14"))
    stored_after = queries.stored_after

    def failing(customer_id: str, *arguments: Any, **named: Any) -> Any:
        if customer_id == CUSTOMER:
            raise TypeError
        return stored_after(customer_id, *arguments, **named)

    monkeypatch.setattr(queries, "stored_after", failing)
    assert feed.feed_all() == 1
