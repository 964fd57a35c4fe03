"""Every event of the protocol from a file of history, with all it can carry."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from config.customers.directory import create_customer
from tracking import events, queries
from tracking.identity import pseudonym
from tracking.models import Event, IdentityEdge

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

FIELDS = ("user", "item", "ts", "event", "quantity", "price", "currency", "category", "percentage", "rating")
FIELDS += ("target", "scenario", "modelid", "requestuuid", "triggername", "lang", "segments", "eventid")
FIELDS += ("orderid",)
ROW = {"user": "cookie", "item": "7", "ts": "2024-12-01", "quantity": 2, "price": "2.50", "currency": "EUR"}
ROW |= {"category": "/Shop/Bags/", "percentage": 75, "rating": 80, "target": "ada", "scenario": "front"}
ROW |= {"modelid": "popular", "requestuuid": "0b7c2f4e", "triggername": "mail", "lang": "eng-GB"}
ROW |= {"segments": "7,12", "eventid": "", "orderid": "A-2041"}
BLANK = {"quantity": None, "price": None, "percentage": None, "rating": None}
# The columns that a live event with the same parameters fills.
EVERYWHERE = {"lang": "eng-GB", "segments": "7,12"}
PATH = {"category_path": "Shop/Bags"}
SHOWN = {"scenario": "front", "model_id": "popular", "request_uuid": "0b7c2f4e", **PATH}
KEPT = {
    "click": PATH,
    "consume": {"percentage": 75, **PATH},
    "buy": {"quantity": 2, "price": "2.50", "currency": "EUR", "order_id": "A-2041"},
    "login": {"item_id": "", "item_type": None},
    "basket": PATH,
    "wishlist": {"price": "2.50", "currency": "EUR"},
    "rate": {"rating": 80},
    "rendered": SHOWN,
    "clickrecommended": SHOWN,
    "triggeropened": {"trigger_name": "mail", "item_id": "", "item_type": None},
    "clicktriggered": {"trigger_name": "mail"},
}


@pytest.fixture
def customer() -> str:
    return create_customer(name="Shop", kind="commerce")[0].customer_id


def run(folder: Path, customer: str, rows: list[dict[str, object]], *more: str) -> dict[str, object]:
    path = folder / "a.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = ",".join(f"{name}={name}" for name in FIELDS)
    out = StringIO()
    with suppress(SystemExit):
        call_command(
            "import_events", str(path), "--customer", customer, "--map", columns, "--json", *more, stdout=out
        )
    summary: dict[str, object] = json.loads(out.getvalue())
    return summary


def test_it_takes_every_event_with_all_that_it_carries(tmp_path: Path, customer: str) -> None:
    rows = [ROW | {"event": code, "eventid": f"of-{code}"} for code in events.RULES]
    summary = run(tmp_path, customer, rows)
    assert (summary["stored"], summary["rejected"]) == (len(events.RULES), 0)
    for event in Event.objects.filter(customer_id=customer):
        expected = {"item_type": 40, "item_id": "7", "event_id": f"of-{event.event}", "scenario": ""}
        expected |= BLANK | {"currency": "", "category_path": "", "model_id": "", "request_uuid": ""}
        expected |= {"trigger_name": "", "order_id": "", "seq": 0} | EVERYWHERE | KEPT.get(event.event, {})
        stored = {name: getattr(event, name) for name in expected}
        if stored["price"] is not None:
            stored["price"] = f"{stored['price']:.2f}"
        assert (event.event, stored) == (event.event, expected)


def test_it_takes_the_other_spellings(tmp_path: Path, customer: str) -> None:
    run(tmp_path, customer, [ROW | {"event": word} for word in ("transfer", "follow")])
    assert set(Event.objects.values_list("event", flat=True)) == {"login", "clickrecommended"}


def test_it_moves_history_by_the_logins_of_a_file(tmp_path: Path, customer: str) -> None:
    earlier, login = ROW | {"event": "click"}, ROW | {"event": "login", "ts": "2024-12-02"}
    run(tmp_path, customer, [earlier, login])
    ada = pseudonym(customer, "ada")
    assert [event.event for event in queries.history(customer, ada, events=("click",))] == ["click"]
    [edge] = IdentityEdge.objects.filter(customer_id=customer)
    assert (edge.source, edge.target) == (pseudonym(customer, "cookie"), ada)


def test_it_stores_the_items_of_a_bundle_as_the_events_of_one_request(tmp_path: Path, customer: str) -> None:
    bundle = ROW | {"event": "rendered", "item": "7, 9,7,11"}
    for stored, duplicates in ((3, 0), (0, 3)):
        summary = run(tmp_path, customer, [bundle])
        assert (summary["stored"], summary["duplicates"]) == (stored, duplicates)
    found = Event.objects.order_by("seq").values_list("seq", "item_id", "event_id")
    assert [(seq, item) for seq, item, _ in found] == [(0, "7"), (1, "9"), (2, "11")]
    assert len({event_id for _, _, event_id in found}) == 1


@pytest.mark.parametrize("mode", [(), ("--dry-run",)])
def test_it_lists_what_only_tracking_refuses_with_its_line(
    tmp_path: Path, customer: str, mode: tuple[str, ...]
) -> None:
    same = ROW | {"event": "login", "target": "cookie"}
    rejects = tmp_path / "rejects.csv"
    summary = run(tmp_path, customer, [ROW | {"event": "click"}, same], "--rejects", str(rejects), *mode)
    assert (summary["stored"], summary["rejected"]) == (1, 1)
    with rejects.open() as handle:
        [row] = csv.DictReader(handle)
    assert (row["line"], row["reason"]) == ("2", "source must be another user id and only come with login")
    assert not {"user", "target"} & set(row)  # raw ids of people are kept nowhere
    assert Event.objects.count() == (0 if mode else 1)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (",,", "no item"),
        ("7,mug", "the item is not a number from 1 to 2147483647 (use --mint-ids for names)"),
        (",".join(map(str, range(1, 502))), "more than 500 items"),
    ],
)
def test_it_stores_a_bundle_whole_or_not_at_all(
    tmp_path: Path, customer: str, item: str, reason: str
) -> None:
    summary = run(tmp_path, customer, [ROW | {"event": "rendered", "item": item}])
    assert (summary["stored"], summary["reasons"]) == (0, {reason: 1})


def test_it_needs_no_column_of_items_for_events_without_any(tmp_path: Path, customer: str) -> None:
    path = tmp_path / "logins.csv"
    path.write_text("cookie,account,at\nc1,ada,2024-12-01\nc1,,2024-12-01\n")
    out = StringIO()
    with suppress(SystemExit):
        call_command(
            *("import_events", str(path), "--customer", customer, "--event", "login", "--json"),
            *("--map", "user=cookie,target=account,ts=at"),
            stdout=out,
        )
    summary = json.loads(out.getvalue())
    assert (summary["stored"], summary["items"]) == (1, 0)
    assert summary["reasons"] == {"no target, which login needs": 1}
