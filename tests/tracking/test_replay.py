"""The import of history ..."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings

from tracking import queries, replay
from tracking.fields import BadEvent
from tracking.identity import pseudonym
from tracking.models import Event
from tracking.replay import HistoricEvent

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
WHEN = datetime(2012, 1, 1, 11, tzinfo=UTC)


def bought(number: int = 1, **changes) -> HistoricEvent:
    values = {"event": "buy", "user": "johndoe", "ts": WHEN, "item_type": 1, "item_id": "11"}
    values |= {"quantity": 2, "price": "19.99", "currency": "EUR", "event_id": f"line-{number}"}
    return HistoricEvent(**(values | changes))


def test_stores_events_with_their_own_time():
    result = replay.store("1", (bought(n) for n in range(25)), batch=10)
    assert (result.stored, result.duplicates, result.rejected) == (25, 0, 0)
    past = queries.history("1", pseudonym("1", "johndoe"))
    assert len(past) == 25
    assert past[0].ts == 1_325_415_600_000_000
    assert (past[0].quantity, float(past[0].price)) == (2, 19.99)


def test_skips_rows_that_are_there_already():
    replay.store("1", [bought(1), bought(2)])
    result = replay.store("1", [bought(1), bought(2), bought(3)])
    assert (result.stored, result.duplicates) == (1, 2)


def test_stores_of_an_event_what_a_request_would_have_stored():
    values = {"rating": 55, "scenario": "front", "category_path": "/A/", "trigger_name": "mail"}
    values["order_id"] = "A-1"
    codes = ("click", "rate", "clickrecommended", "clicktriggered", "buy")
    rows = [bought(1, event=code, event_id=code, **values) for code in codes]
    replay.store("1", rows)
    names = ("rating", "scenario", "category_path", "trigger_name", "quantity", "currency", "order_id")
    assert {event: rest for event, *rest in Event.objects.values_list("event", *names)} == {
        "click": [None, "", "A", "", None, "", ""],
        "rate": [55, "", "", "", None, "", ""],
        "clickrecommended": [None, "front", "A", "", None, "", ""],
        "clicktriggered": [None, "", "", "mail", None, "", ""],
        "buy": [None, "", "", "", 2, "EUR", "A-1"],
    }


def test_resolves_logins_of_the_past():
    rows = [
        HistoricEvent(event="click", user="cookie", ts=WHEN, item_type=1, item_id="5"),
        HistoricEvent(event="login", user="john", source="cookie", ts=WHEN),
    ]
    replay.store("1", rows)
    assert [p.item_id for p in queries.history("1", pseudonym("1", "john"), events=["click"])] == ["5"]


BAD = [
    ({"event": "bought"}, "not found"),
    ({"item_id": ""}, "item_id must be given"),
    ({"item_id": "abc"}, "string ids are not enabled"),
    ({"item_type": 0}, "item_type must be 1 to"),
    ({"ts": datetime(2012, 1, 1)}, "zone"),  # noqa: DTZ001 - the mistake under test
    ({"ts": 1_325_415_600}, "microseconds"),
    ({"ts": datetime(2999, 1, 1, tzinfo=UTC)}, "now"),
    ({"quantity": 0}, "quantity must be 1 to"),
    ({"price": "NaN"}, "price must be"),
    ({"price": "1.00", "currency": ""}, "price must be"),
    ({"user": ""}, "user must be"),
    ({"source": "cookie"}, "source must be"),
    ({"event_id": "a b"}, "event_id must be"),
    ({"event_id": "a\\b"}, "event_id must be"),
    ({"event": "rate"}, "rating must be given for rate"),
    ({"event": "clickrecommended"}, "scenario must be given for clickrecommended"),
    ({"event": "clicktriggered"}, "triggername must be given"),
    ({"event": "triggeropened", "trigger_name": "mail"}, "must not be given for triggeropened"),
    ({"event": "login", "item_type": None, "item_id": ""}, "source must be"),
    ({"currency": "EUROS"}, "currency must be an ISO 4217 code"),
    ({"price": "1", "currency": "0EUR"}, "currency must be an ISO 4217 code"),
    ({"price": "1", "currency": "XQZ"}, "currency must be an ISO 4217 code"),
    ({"price": None, "currency": "EUROS"}, "currency must be an ISO 4217 code"),
]


@pytest.mark.parametrize(("change", "sentence"), BAD)
def test_names_the_row_and_the_rule(change, sentence):
    with pytest.raises(BadEvent, match="row 2: ") as caught:
        replay.store("1", [bought(1), bought(2, **change)])
    assert sentence in caught.value.message
    assert Event.objects.count() == 0


def test_goes_on_behind_rejected_rows_when_somebody_listens():
    heard = []
    result = replay.store(
        "1",
        [bought(1), bought(2, quantity=-1), bought(3)],
        on_reject=lambda number, _row, sentence: heard.append((number, sentence)),
    )
    assert (result.stored, result.rejected) == (2, 1)
    assert heard == [(2, 'quantity must be 1 to 1000000; got "-1"')]
