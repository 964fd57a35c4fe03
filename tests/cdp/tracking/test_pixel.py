"""The pixel: `GET /t/<account>.rsa?p1=...` ..."""

from __future__ import annotations

import base64
import logging
import time
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from cdp.profiles.models import Interaction, Profile, ProfileIdentifier
from cdp.tracking.models import Message, Tally
from tests.cdp.tracking.conftest import ACCOUNT, ALONE, ASKING, COID, CUSTOMER, OTHER, TEXTS, waiting, work
from tracking.identity import pseudonym
from tracking.models import Event, IdentityEdge

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])

DAY = 86_400_000


def ruid(user: str) -> str:
    return base64.b64encode(user.encode()).decode()


def hit(client: Client, account: int = ACCOUNT, headers: dict[str, str] | None = None, **params: Any) -> Any:
    return client.get(f"/t/{account}.rsa", {"coid": COID, **params}, headers=headers)


def test_it_takes_a_visit(client: Client) -> None:
    answer = hit(client, p1="visit", p2="7", p3="Socks", p4="c1#Clothes;c11#Socks", sid="s1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert not answer.cookies
    [call] = waiting()
    assert (call.coid, call.sid, call.event) == (COID, "s1", "visit")
    assert COID not in Message.objects.get().body

    assert work() == 1

    event = Event.objects.get()
    assert (event.customer_id, event.event, event.user) == (CUSTOMER, "click", pseudonym(CUSTOMER, COID))
    assert (event.item_type, event.item_id, event.category_path) == (40, "7", "c1/c11")
    assert not Message.objects.exists()
    assert work() == 0


def test_it_answers_a_picture_where_one_is_asked_for(client: Client) -> None:
    answer = hit(client, ACCOUNT, {"accept": "image/avif,*/*"}, p1="pageview")
    assert (answer.status_code, answer["Content-Type"], len(answer.content)) == (200, "image/gif", 43)


@pytest.mark.case("T05")
def test_it_takes_an_order_of_three_lines(client: Client) -> None:
    for item in ("7", "8", "9"):
        hit(client, p1="buy", p2=item, p5="10.00", p13="4", p21="A 2041", currency="EUR")
    work()
    assert set(Event.objects.values_list("event", "order_id", "quantity", "currency")) == {
        ("buy", "A 2041", 4, "EUR")
    }
    assert {Decimal(str(one)) for one in Event.objects.values_list("price", flat=True)} == {Decimal("2.5")}
    assert Event.objects.count() == 3


@pytest.mark.case("T07")
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("c1#c1;c11#Socks", "c1/c11"),  # T07
        ("c1;c11", "c1/c11"),
        ("#Clothes;c11#", "Clothes/c11"),
        ("c1#Clothes;", "c1"),
    ],
)
def test_it_reads_categories_without_name_or_id(client: Client, sent: str, stored: str) -> None:
    assert hit(client, p1="visit", p2="7", p4=sent).status_code == 204
    work()
    assert Event.objects.get().category_path == stored


def test_it_keeps_the_whole_basket_as_an_attribute(client: Client) -> None:
    hit(client, p1="basket", p2="7", p10="7:2,A-8")
    hit(client, p1="basket", p10="A-8:1")  # a product was taken out
    work()
    assert [(one.event, one.item_id) for one in Event.objects.all()] == [("basket", "7")]
    assert Profile.objects.get().attributes == {"basket": ["A-8:1"]}


def test_it_keeps_as_interactions_what_tracking_has_no_code_for(client: Client) -> None:
    hit(client, p1="favorite", p2="SKU-1", p8="Acme", p12="9.95", p4="c1#C", sid="s9")
    hit(client, p1="search", query="socks")
    hit(client, p1="pageview", url="https://shop.example/a?token=secret")
    work()
    assert not Event.objects.exists()
    found = {one.event: one for one in Interaction.objects.all()}
    assert set(found) == {"favorite", "search", "pageview"}
    favorite = found["favorite"]
    assert (favorite.product_id, favorite.brand, favorite.price, favorite.category) == (
        "SKU-1",
        "Acme",
        99500,
        "c1",
    )
    assert (favorite.session, favorite.currency) == ("s9", "EUR")
    assert found["search"].props == {"query": "socks"}
    assert found["pageview"].props == {"page_url": "https://shop.example/a"}
    assert ProfileIdentifier.objects.filter(kind="coid").count() == 1


def test_it_joins_device_and_account(client: Client) -> None:
    hit(client, p1="visit", p2="7", sid="s1")
    hit(client, p1="visit", p2="8", sid="s1", ruid=ruid("14"))
    hit(client, p1="favorite", p2="8", sid="s1", ruid=ruid("14"))
    hit(client, p1="buy", p2="8", sid="s1", ruid=ruid("14").rstrip("="))
    work()
    device, account = pseudonym(CUSTOMER, COID), pseudonym(CUSTOMER, "14")
    assert [(edge.source, edge.target) for edge in IdentityEdge.objects.all()] == [(device, account)]
    assert [(one.event, one.user) for one in Event.objects.order_by("id")] == [
        ("click", device),
        ("login", account),
        ("click", account),
        ("buy", account),
    ]
    assert Profile.objects.count() == 1
    names = ProfileIdentifier.objects.exclude(kind__startswith="tracked:")
    assert set(names.values_list("kind", flat=True)) == {"userid"}


@pytest.mark.parametrize("at_once", [True, False])
def test_it_keeps_two_people_of_one_browser_apart(client: Client, *, at_once: bool) -> None:
    for user in ("14", "15"):
        hit(client, p1="pageview", ruid=ruid(user))
        hit(client, p1="favorite", p2=user, ruid=ruid(user))
        if not at_once:
            work()
    hit(client, p1="pageview")
    work()
    assert ProfileIdentifier.objects.filter(kind="userid").values("profile").distinct().count() == 2
    device = ProfileIdentifier.objects.get(kind="coid")
    assert list(Interaction.objects.filter(profile=device.profile_id).values_list("event", flat=True)) == [
        "pageview"
    ]


def test_it_stores_a_repeated_event_once(client: Client) -> None:
    for _ in range(2):
        hit(client, p1="visit", p2="7", event_id="e1")
        hit(client, p1="favorite", p2="7", event_id="e2")
        work()
    assert (Event.objects.count(), Interaction.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("off", "is_taken"), [(-6 * DAY, True), (-8 * DAY, False), (4 * 60_000, True), (6 * 60_000, False)]
)
def test_it_believes_clocks_that_are_nearly_right(client: Client, off: int, *, is_taken: bool) -> None:
    now = int(time.time() * 1000)
    hit(client, p1="visit", p2="7", ts=str(now + off))
    work()
    event = Event.objects.get()
    assert (abs(event.ts // 1000 - now - off) < 5_000) is is_taken
    assert is_taken or abs(event.ts // 1000 - now) < 60_000


def test_it_takes_texts_for_ids_where_the_customer_has_them(client: Client) -> None:
    hit(client, TEXTS, p1="visit", p2="SKU-1")
    work()
    assert (Event.objects.get().customer_id, Event.objects.get().item_id) == ("503", "SKU-1")


def test_it_keeps_all_as_interactions_where_no_customer_feeds_the_account(client: Client) -> None:
    hit(client, ALONE, p1="buy", p2="SKU-1", p12="2.50", p13="3", p21="A-1")
    work()
    row = Interaction.objects.get()
    assert (row.event, row.product_id, row.order_id, row.subtotal) == ("buy", "SKU-1", "A-1", 75000)
    assert not Event.objects.exists()


def test_it_stores_nothing_without_consent_where_that_is_due(client: Client) -> None:
    assert hit(client, ASKING, p1="visit", p2="7").status_code == 204
    assert hit(client, ASKING, p1="visit", p2="7", consent="0").status_code == 204
    assert waiting() == []
    hit(client, ASKING, p1="visit", p2="7", consent="1")
    work()
    assert Event.objects.get().user == pseudonym("502", COID)
    assert {(one.what, one.count) for one in Tally.objects.all()} == {("withheld", 2), ("stored", 1)}


def test_it_stores_nothing_of_who_refused(client: Client) -> None:
    client.cookies["lodestar_consent"] = "0"
    assert hit(client, p1="visit", p2="7", consent="1").status_code == 204
    assert waiting() == []


@pytest.mark.parametrize("header", ["dnt", "sec-gpc"])
def test_it_follows_nobody_who_opts_out(client: Client, header: str) -> None:
    hit(client, ACCOUNT, {header: "1"}, p1="visit", p2="7", ruid=ruid("14"))
    hit(client, ACCOUNT, {header: "1"}, p1="favorite", p2="7")
    work()
    assert [(one.event, one.user) for one in Event.objects.all()] == [("click", "")] * Event.objects.count()
    assert not IdentityEdge.objects.exists()
    assert not Profile.objects.exists()


def test_it_counts_robots_and_stores_none(client: Client) -> None:
    assert hit(client, ACCOUNT, {"user-agent": "Googlebot/2.1"}, p1="visit", p2="7").status_code == 204
    assert waiting() == []
    assert [(one.what, one.count) for one in Tally.objects.all()] == [("robot", 1)]


def test_it_refuses_more_than_sixty_events_a_minute_of_a_visitor(client: Client) -> None:
    for _ in range(60):
        assert hit(client, p1="pageview").status_code == 204
    answer = hit(client, p1="pageview")
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert hit(client, p1="pageview", coid=OTHER).status_code == 204
    assert Message.objects.count() == 61


def test_it_stores_nothing_for_head(client: Client) -> None:
    assert client.head(f"/t/{ACCOUNT}.rsa?p1=pageview&coid={COID}").status_code == 204
    assert waiting() == []


WRONG = [
    ({}, 400, "p1 must be given"),
    ({"p1": "vist"}, 400, 'p1 must be a known event; got "vist"; did you mean visit?'),
    ({"p1": "visit"}, 400, "p2 (product id) must be given for visit"),
    ({"p1": "basket"}, 400, "p2 (product id) or p10 (basket content) must be given"),
    ({"p1": "visit", "p2": "SKU1"}, 400, "p2 must be a number, string ids are not enabled"),
    ({"p1": "visit", "p2": "0"}, 400, "p2 must be 1 to 2147483647"),
    ({"p1": "visit", "p2": "7", "p4": "a#b,c#d"}, 400, "p4 must be Id#Name;Id#Name"),
    ({"p1": "visit", "p2": "7", "p4": "a/b#c"}, 400, "the id without a slash"),
    ({"p1": "buy", "p2": "7", "p5": "2,50"}, 400, "p5 must be an amount with a decimal point"),
    ({"p1": "buy", "p2": "7", "p12": "-1"}, 400, "p12 must be an amount"),
    ({"p1": "buy", "p2": "7", "p13": "0"}, 400, "p13 must be 1 to 1000000"),
    ({"p1": "buy", "p2": "7", "p13": "1.5"}, 400, "p13 must be 1 to 1000000"),
    ({"p1": "buy", "p2": "7", "p21": "A\n"}, 400, '"p21" must be at most 255 printable characters'),
    ({"p1": "buy", "p2": "7", "currency": "eur"}, 400, "currency must be an ISO 4217 code"),
    ({"p1": "basket", "p10": "a:b"}, 400, "p10 must be a list such as A-1:2,B-7"),
    ({"p1": "visit", "p2": "7", "ts": "yesterday"}, 400, "ts must be a time"),
    ({"p1": "visit", "p2": "7", "ruid": "%%%"}, 400, "ruid must be the user's id in base64"),
    ({"p1": "visit", "p2": "7", "coid": "x" * 256}, 400, "coid must have 1 to 255 printable characters"),
    ({"p1": "visit", "p2": "7", "sid": "x" * 65}, 400, "sid must be at most 64"),
    ({"p1": "visit", "p2": "7", "event_id": "a b"}, 400, "event_id must be 1 to 64 visible"),
    ({"p1": "visit", "p2": "7", "consent": "yes"}, 400, "consent must be 1 (the person consented) or 0"),
    ({"p1": "visit", "p2": "7", "itemtype": "x"}, 400, "itemtype must be 1 to"),
    ({"p1": "visit", "p2": "7", "customer": "9"}, 404, "feeds no events to account 123456"),
    (
        {"p1": "buy in store", "p12": "9999999999", "p13": "1000000"},
        400,
        "p12 (price) times p13 (quantity) must be at most 922337203685477.5807; got 9999999999 x 1000000",
    ),
    ({"p1": "search", "query": "x" * 256}, 400, '"query" must be at most 255 printable characters'),
    ({"p1": "search"} | {f"q{n}": "1" for n in range(60)}, 400, "at most 50 properties; got 60"),
    ({"p1": "search"} | {f"q{n}": "1" for n in range(120)}, 400, "at most 100 parameters"),
]


@pytest.mark.parametrize(("params", "status", "sentence"), WRONG)
def test_it_says_what_is_wrong(client: Client, params: dict[str, str], status: int, sentence: str) -> None:
    answer = client.get(f"/t/{ACCOUNT}.rsa", {"coid": COID} | params)
    assert answer.status_code == status, answer.content
    assert sentence in answer.content.decode()
    assert COID not in answer.content.decode()
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("path", "method", "status", "sentence"),
    [
        ("/t/999999.rsa?p1=pageview", "get", 404, "account 999999 not found"),
        (f"/t/{ACCOUNT}.rsa?p1=pageview", "post", 405, "use GET"),
        (f"/t/{ACCOUNT}.rsa?p1=pageview&p1=visit", "get", 400, '"p1" given twice'),
        (f"/t/{ACCOUNT}.rsa?p1=%ff", "get", 400, "p1 is not valid UTF-8"),
        (f"/t/{ACCOUNT}.rsa?p1=pageview&a=%5c", "get", 400, "backslash"),
        (f"/t/{ACCOUNT}.rsa?p1=pageview&a=%zz", "get", 400, "two hexadecimal digits"),
    ],
)
def test_it_refuses_wrong_requests(
    client: Client, path: str, method: str, status: int, sentence: str
) -> None:
    answer = getattr(client, method)(path, RAW_URI=path)
    assert (answer.status_code, sentence in answer.content.decode()) == (status, True), answer.content


def test_it_answers_in_json_who_asks_for_it(client: Client) -> None:
    answer = hit(client, ACCOUNT, {"accept": "application/json"}, p1="visit")
    assert answer.json()["error"]["code"] == "bad_request"


def test_it_answers_a_preflight(client: Client) -> None:
    answer = client.options(f"/t/{ACCOUNT}.rsa")
    assert (answer.status_code, answer["Access-Control-Allow-Methods"]) == (204, "GET, HEAD, OPTIONS")


def test_it_leaves_a_line_in_the_log_without_people(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="cdp")
    hit(client, p1="visit", p2="7", p3="Socks", ruid=ruid("mabel"), sid="session-1")
    hit(client, p1="dance")
    body = {"status": "revoked", "coid": COID}
    client.post(f"/t/{ACCOUNT}/consent", body, content_type="application/json")
    client.post("/raptor/track", {"event": "visit"}, content_type="application/json")
    client.post("/v1/mabel", {}, content_type="application/json")
    lines = [one.getMessage().rpartition(" in ")[0] for one in caplog.records if one.name == "cdp"]
    assert [one for one in lines if one.startswith("tracking: ")] == [
        f"tracking: pixel of account {ACCOUNT} -> 204",
        f"tracking: pixel of account {ACCOUNT} -> 400",
        f"tracking: consent of account {ACCOUNT} -> 204",
        "tracking: hybrid of account - -> 400",
        "tracking: public of account - -> 404",
    ]
    said = " ".join(lines)
    assert not [one for one in (COID, "mabel", ruid("mabel"), "session-1", "127.0.0.1") if one in said]
