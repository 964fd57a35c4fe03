"""The event debugger: what came in lately, and why some of it did not become an event."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.db.models.sql import InsertQuery
from django.test import Client

from config.customers.directory import create_customer
from tracking import debugger
from tracking.collector import intake
from tracking.collector.refusals import Refusals, described
from tracking.fields import BadEvent
from tracking.identity import pseudonym
from tracking.marks import MOST_REMEMBERED, MOST_SHOWN, Mark
from tracking.models import Event, RefusedRequest
from tracking.rotation import keys

pytestmark = pytest.mark.django_db(databases="__all__")

FEED = "/admin/tracking/debugger/feed/"
NOW = 1_790_000_000_000_000


@pytest.fixture
def customer() -> str:
    row, _key = create_customer(name="Shop", kind="commerce", customer_id="501")
    return row.customer_id


@pytest.fixture
def store(customer: str) -> Callable[..., None]:
    def store(target: str, *, now: int = NOW) -> None:
        accepted = intake.accept(f"/api/501/{target}".encode(), method="GET", headers={}, now=now)
        Event.objects.bulk_create([Event(**row._asdict()) for row in accepted.rows])

    return store


@pytest.fixture
def boss(customer: str) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("boss"))
    return client


def refuse(target: str, *, method: str = "GET") -> BadEvent:
    """Send what the intake refuses, and note it."""
    with pytest.raises(BadEvent) as caught:
        intake.accept(target.encode(), method=method, headers={})
    described(target.encode(), method=method, reason=caught.value).save()
    return caught.value


def test_it_shows_what_was_stored_and_what_was_refused(store: Callable[..., None], boss: Client) -> None:
    store("click/mabel/38/12?categorypath=Places%2FAsia&lang=eng-GB")
    refuse("/api/501/clik/mabel/38/12")

    page = boss.get("/admin/tracking/debugger/?customer_id=501").content.decode()

    assert "38/12" in page
    assert "did you mean click?" in page
    assert (
        f"GET /api/501/click/{pseudonym('501', 'mabel')}/38/12?categorypath=Places/Asia&amp;lang=eng-GB"
        in page
    )
    assert "mabel" not in page


def test_it_tells_only_what_is_new(store: Callable[..., None], boss: Client) -> None:
    store("click/a/38/1")
    first = boss.get(FEED).json()
    assert first["count"] == 1
    assert boss.get(FEED, {"seen": first["seen"]}).json()["count"] == 0

    store("click/a/38/2")
    refuse("/api/501/rate/a/38/2")

    second = boss.get(FEED, {"seen": first["seen"]}).json()
    assert second["count"] == 2
    assert "38/2" in second["rows"]
    assert "rating must be given" in second["rows"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, 4),
        ({"event": "buy"}, 1),
        ({"event": "clik"}, 0),  # no event: named beside the field
        ({"outcome": "stored"}, 3),
        ({"outcome": "refused"}, 1),
        ({"user": pseudonym("501", "a")}, 2),
        ({"user": "a"}, 0),
        ({"user": "zzz" + pseudonym("501", "a")}, 0),
        ({"customer_id": "501"}, 4),
        ({"customer_id": "10101"}, 0),
        ({"customer_id": "nobody"}, 0),
        ({"seen": "x-y"}, 4),
        ({"seen": "-1-5"}, 4),
        ({"seen": "9" * 30 + "-0"}, 4),
    ],
)
def test_it_filters(asked: dict[str, str], found: int, store: Callable[..., None], boss: Client) -> None:
    for target in ("click/a/38/1", "buy/a/40/2?fullprice=2.50EUR&quantity=3", "click/b/38/1"):
        store(target)
    refuse("/api/501/clik/a/38/1")

    assert boss.get(FEED, asked).json()["count"] == found


def test_it_finds_the_pseudonym_of_a_user_id(boss: Client) -> None:
    found = boss.post("/admin/tracking/debugger/pseudonym/", {"customer_id": "501", "user": "mabel"})
    assert found.json() == {"user": pseudonym("501", "mabel")}
    for wrong in ({"customer_id": "501"}, {"customer_id": "x", "user": "mabel"}):
        assert boss.post("/admin/tracking/debugger/pseudonym/", wrong).status_code == 400


@pytest.mark.parametrize("named", ["501", ""])
def test_it_finds_a_user_by_the_pseudonym_of_every_key(
    named: str, boss: Client, store: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines(user: str) -> int:
        return int(boss.get(FEED, {"customer_id": named, "user": user}).json()["count"])

    def found() -> str:
        posted = {"customer_id": "501", "user": "mabel"}
        return str(boss.post("/admin/tracking/debugger/pseudonym/", posted).json()["user"])

    keys.settled.forget()
    monkeypatch.setattr(settings, "PSEUDONYM_KEYS", ("the first",))
    store("click/mabel/38/12")
    monkeypatch.setattr(settings, "PSEUDONYM_KEYS", ("the first", "the second"))
    store("click/mabel/38/13")
    store("click/other/38/13")
    newest = pseudonym("501", "mabel")
    assert [lines(found()), lines(newest)] == [2, 1]
    Event.objects.exclude(user__startswith="g").delete()
    keys.settled.know()
    assert found() == newest
    assert lines(found()) == 1
    keys.settled.forget()


@pytest.mark.parametrize("path", ["debugger/", "debugger/feed/", "snippet/"])
def test_it_is_for_those_who_may_see_events(path: str, customer: str) -> None:
    client = Client(headers={"host": "localhost"})
    assert client.get(f"/admin/tracking/{path}").status_code in (302, 403)
    editor = User.objects.create_user("ed")
    editor.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client.force_login(editor)
    assert client.get(f"/admin/tracking/{path}").status_code in (302, 403)
    editor.user_permissions.add(Permission.objects.get(codename="view_event"))
    assert client.get(f"/admin/tracking/{path}").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "click/mabel/38/12?categorypath=A%2FB",
        "consume/mabel/39/7?percentage=80",
        "buy/mabel/40/3?fullprice=2.5EUR&quantity=2&orderid=A%202041",
        "wishlist/mabel/40/3?price=129EUR",
        "rate/mabel/40/3?rating=100",
        "clickrecommended/mabel/40/3?scenario=front&modelid=also%20clicked&requestuuid=ab-1",
        "clicktriggered/mabel/40/3?triggername=late%20buyers",
        "click/not_defined/38/12?segments=3,14&eventid=e-1&lang=fre-FR",
    ],
)
def test_it_shows_a_request_that_stores_the_same_event_again(target: str, store: Callable[..., None]) -> None:
    store(target)
    row = Event.objects.get()
    request = debugger.request_of(row).removeprefix("GET ").replace(f"/{row.user or 'x'}/", "/mabel/")

    [again] = intake.accept(request.encode(), method="GET", headers={}, now=NOW).rows

    stored = {name: getattr(row, name) for name in again._fields}
    sent = again._asdict()
    for each in (stored, sent):
        each["price"] = None if each["price"] is None else float(each["price"])
    assert sent == stored


SECRETIVE = [
    ("/api/501/click/mabel/38/x", "/api/501/click/[text]/[number]/[text]"),
    ("/api/501/click/38/12/mabel", "/api/501/click/[number]/[number]/[text]"),
    ("/api/501/click/38/4711/0", "/api/501/click/[number]/[number]/[number]"),
    ("/api/501/mabel/1/2", "/api/501/[text]/[number]/[number]"),
    ("/api/501/mabel@example.org/1/2", "/api/501/[text]/[number]/[number]"),
    ("/api/click/mabel/1/2", "/api/[text]/[text]/[number]/[number]"),
    ("/api/mabel/click/1/2", "/api/[text]/click/[number]/[number]"),
    ("/api/4711/click/1/2", "/api/[number]/click/[number]/[number]"),
    ("/api/501/rate/m/38/1?rating=500&email=mabel", "/api/501/rate/[text]/[number]/[number]?rating=[…]&[…]"),
    ("/api/501/click/who?mabel@example.org/38/5", "/api/501/click/[text]?[…]"),
    ("/api/501/click/u/1/2?segments=mabel", "/api/501/click/[text]/[number]/[number]?segments=[…]"),
    ("/api/501/buy/u/1/2?fullprice=mabel", "/api/501/buy/[text]/[number]/[number]?fullprice=[…]"),
    ('/api/501/click/u/1/2?lang="mabel"', "/api/501/click/[text]/[number]/[number]?lang=[…]"),
    ("/nothing/mabel", "/[text]/[text]"),
    ("/api/501/" + "m" * 8100, "/[text]/[number]/[text]"),
    ("/api/50%201/click/mabel/1/2", "/api/[text]/click/[text]/[number]/[number]"),
]


@pytest.mark.parametrize(("target", "kept"), SECRETIVE)
def test_it_keeps_nothing_of_a_refused_request_that_may_name_a_person(
    target: str, kept: str, customer: str
) -> None:
    refuse(target)
    row = RefusedRequest.objects.get()
    assert row.target.removeprefix("/api").removeprefix("/[text]") == kept.removeprefix("/api").removeprefix(
        "/[text]"
    )
    # Of texts: a time in microseconds holds these digits once in a thousand runs.
    assert not re.search("mabel|4711", " ".join(one for one in vars(row).values() if isinstance(one, str)))


def test_it_keeps_little_of_a_flood_and_only_the_newest(
    customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = Refusals()
    for _ in range(1000):
        refusals.note(b"/api/501/clik/a/38/1", "GET", BadEvent(404, "event not found"))
    refusals.note(b"/api/501/click/a/38/1", "GET", BadEvent(503, "later"))
    assert refusals.store() == 100

    monkeypatch.setattr("tracking.collector.refusals.MOST_KEPT", 10)
    assert refusals.trim() == 90
    RefusedRequest.objects.update(received=time.time_ns() // 1000 - 8 * 24 * 3600 * 1_000_000)
    assert refusals.trim() == 10


def test_it_waits_for_the_first_event_on_the_snippet_page(boss: Client, store: Callable[..., None]) -> None:
    before = boss.get("/admin/tracking/snippet/?customer_id=501").content.decode()
    assert re.search(r'data-arrived=""', before)
    assert "_setMandator" not in before  # the customer stands in an attribute
    assert "data-customer=&quot;501&quot;" in before

    store("click/a/38/1")

    assert 'data-arrived="1"' in boss.get("/admin/tracking/snippet/?customer_id=501").content.decode()


BAD_EVENTS = [
    {"event": "mabel@example.org", "user": "u", "itemtype": 1, "item": 2},
    {"event": "click", "user": 49151234567.5, "itemtype": 1, "item": 2},
    {"event": "click", "user": "u", "itemtype": 1, "item": "mabel"},
    {"event": "click", "user": "u", "itemtype": 1, "item": 2, "mabel": {}},
    {"event": "rate", "user": "u", "itemtype": 1, "item": 2, "rating": "mabel"},
]


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_it_keeps_nothing_of_a_batch_either(monkeypatch: pytest.MonkeyPatch) -> None:
    create_customer(name="Shop", kind="commerce", customer_id="501")
    kept = Refusals()
    monkeypatch.setattr("tracking.collector.batch.refusals", kept)
    intake.accept(
        b"/api/501/events",
        method="POST",
        headers={"content-type": "application/json"},
        body=json.dumps(BAD_EVENTS).encode(),
    )
    assert kept.store() == len(BAD_EVENTS)
    for row in RefusedRequest.objects.all():
        assert (row.customer_id, row.target) == ("501", "/api/501/events")
        assert not re.search("mabel|4915", row.message)


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.skipif(
    "postgresql" not in settings.DATABASES[settings.EVENTS_DB]["ENGINE"],
    reason="SQLite has one writer",
)
@pytest.mark.parametrize("model", [Event, RefusedRequest])
def test_it_shows_what_is_committed_after_a_later_row(model: Any, boss: Client) -> None:
    late = connections.create_connection(settings.EVENTS_DB)
    late.set_autocommit(False)
    try:
        with late.cursor() as cursor:
            cursor.execute(*insertion(model, "38/1"))
            model.objects.create(**columns(model, "38/2"))
            first = boss.get(FEED).json()
            assert (first["count"], "38/2" in first["rows"]) == (1, True)
            again = boss.get(FEED, {"seen": first["seen"]}).json()
            assert again["count"] == 0, "a row is shown once while others are undecided"
        late.commit()
    finally:
        late.close()

    second = boss.get(FEED, {"seen": again["seen"]}).json()
    assert (second["count"], "38/1" in second["rows"]) == (1, True)
    third = boss.get(FEED, {"seen": second["seen"]}).json()
    assert third["count"] == 0
    assert "." not in third["seen"], "all is decided"


def columns(model: Any, about: str) -> dict[str, Any]:
    if model is Event:
        kind, item = about.split("/")
        who = {"customer_id": "501", "event": "click", "user": "u" * 32, "item_type": int(kind)}
        return who | {"item_id": item, "ts": NOW, "received": NOW}
    return {"received": NOW, "customer_id": "501", "status": 400, "method": "GET", "target": about}


def insertion(model: Any, about: str) -> tuple[str, list[Any]]:
    """The statement that Django would send, for a connection of one's own."""
    row = model(**columns(model, about))
    query = InsertQuery(model)
    query.insert_values([f for f in model._meta.concrete_fields if not f.primary_key], [row])
    [(sql, values)] = query.get_compiler(using=settings.EVENTS_DB).as_sql()
    return sql, list(values)


def test_its_mark_survives_its_way_through_the_page() -> None:
    mark = Mark(5).moved(settled=0, shown=[9, 7])
    assert Mark.from_text(mark.as_text()) == mark == Mark(5, frozenset({7, 9}))
    assert mark.moved(settled=8, shown=[11]) == Mark(8, frozenset({9, 11}))
    assert mark.moved(settled=20, shown=[]) == Mark(20)
    for number in range(3):
        shown = list(range(1000 * (number + 1), 1000 * (number + 1) - 99, -1))
        mark = mark.moved(settled=0, shown=shown)
    many = mark.moved(settled=0, shown=list(range(5099, 5000, -1)))
    assert (len(many.above), many.floor) == (MOST_REMEMBERED, 997)
    assert Mark.from_text(many.as_text()) == many
    full = Mark().moved(settled=0, shown=list(range(500, 500 - MOST_SHOWN, -1)))
    assert full.floor == 500 - MOST_SHOWN, "what is older than the rows of one page is not new later"
    assert Mark.from_text("1." * 400 + "1") == Mark()


def test_it_shows_refusals_beside_a_flood_of_events(store: Callable[..., None], boss: Client) -> None:
    for number in range(MOST_SHOWN + 20):
        store(f"click/u/38/{number + 1}", now=2 * NOW)
    refuse("/api/501/clik/u/38/1")

    assert "did you mean click?" in boss.get(FEED).json()["rows"]


def test_it_counts_only_when_it_is_asked(boss: Client) -> None:
    assert "overview" not in boss.get(FEED).json()
    assert "Requests per minute" in boss.get(FEED, {"overview": "1"}).json()["overview"]
