"""The public event grammar: `POST /v1/<call>` ..."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.test import Client

from cdp.profiles.models import Interaction, Profile, ProfileIdentifier
from cdp.tracking.models import Message
from tests.cdp.tracking.conftest import COID, KEY, waiting, work
from tracking.identity import pseudonym
from tracking.models import Event

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])


def send(client: Client, call: str, document: Any, *, key: str = KEY, user: str = "") -> Any:
    pair = base64.b64encode((f"{user}:{key}" if user else f"{key}:").encode()).decode()
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    headers = {"authorization": f"Basic {pair}"} if key else {}
    return client.post(f"/v1/{call}", body, content_type="application/json", headers=headers)


def test_it_turns_identify_into_attributes(client: Client) -> None:
    traits = {
        "email": "Ada@Example.org",
        "age": 36,
        "vip": True,
        "tags": ["a", "b"],
        "address": {"city": "X"},
    }
    answer = send(client, "identify", {"anonymousId": COID, "userId": "14", "traits": traits})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "rejected": []})
    work()
    profile = Profile.objects.get()
    assert profile.attributes == {
        "email": "Ada@Example.org",
        "age": 36,
        "vip": True,
        "tags": ["a", "b"],
        "address_city": "X",
    }
    kinds = ProfileIdentifier.objects.exclude(kind__startswith="tracked:")
    assert set(kinds.values_list("kind", flat=True)) == {"userid", "coid", "email"}
    send(client, "identify", {"userId": 14, "traits": {"age": None, "vip": False}})
    work()
    profile.refresh_from_db()
    assert "age" not in profile.attributes
    assert profile.attributes["vip"] is False


def test_it_turns_track_into_events(client: Client) -> None:
    who = {"anonymousId": COID}
    send(client, "track", who | {"event": "Product Viewed", "properties": {"product_id": 7, "name": "Socks"}})
    send(client, "track", who | {"event": "visit", "properties": {"p2": "8", "p4": "c1#C"}})
    send(client, "track", who | {"event": "Ticket Opened", "properties": {"level": 3, "deep": {"x": 1}}})
    send(client, "page", who | {"name": "Home", "context": {"page": {"url": "https://a.example/x?y"}}})
    send(client, "screen", who | {"name": "Start"})
    work()
    assert set(Event.objects.values_list("event", "item_id")) == {("click", "7"), ("click", "8")}
    found = {(one.event, *sorted(one.props.items())) for one in Interaction.objects.all()}
    assert found == {
        ("custom", ("level", "3"), ("name", "Ticket Opened")),
        ("pageview", ("page", "Home"), ("page_url", "https://a.example/x")),
        ("pageview", ("screen", "Start")),
    }


def test_it_turns_an_order_into_an_event_for_each_line(client: Client) -> None:
    """T05"""
    lines = [{"product_id": item, "price": 2.5, "quantity": 2} for item in (7, 8, 9)]
    order = {"order_id": "A-1", "currency": "EUR", "products": lines, "total": 15}
    call = {"userId": "14", "event": "Order Completed", "messageId": "m" * 80, "properties": order}
    for _ in range(2):
        assert send(client, "track", call).status_code == 200
        work()
    assert set(Event.objects.values_list("order_id", "item_id", "quantity")) == {
        ("A-1", "7", 2),
        ("A-1", "8", 2),
        ("A-1", "9", 2),
    }
    assert Event.objects.count() == 3
    assert set(Event.objects.values_list("user", flat=True)) == {pseudonym("501", "14")}


def test_it_joins_two_ids_by_alias(client: Client) -> None:
    send(client, "identify", {"anonymousId": COID, "traits": {"a": 1}})
    send(client, "identify", {"userId": "14", "traits": {"b": 2}})
    work()
    assert Profile.objects.count() == 2
    send(client, "alias", {"previousId": COID, "userId": "14"})
    work()
    assert Profile.objects.get().attributes == {"a": 1, "b": 2}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("call", ["identify", "alias"])
def test_it_joins_no_two_accounts_by_one_device(client: Client, call: str, *, at_once: bool) -> None:
    for user in ("14", "15"):
        send(client, call, {"anonymousId": COID, "previousId": COID, "userId": user, "traits": {"a": user}})
        if not at_once:
            work()
    work()
    names = ProfileIdentifier.objects.exclude(kind__startswith="tracked:").order_by("pk")
    first, second = Profile.objects.order_by("pk")
    assert [(one.kind, one.profile_id) for one in names.filter(kind="userid")] == [
        ("userid", first.pk),
        ("userid", second.pk),
    ]
    assert names.get(kind="coid").profile_id == first.pk
    if call == "identify":
        assert (first.attributes, second.attributes) == ({"a": "14"}, {"a": "15"})


def test_it_joins_no_two_accounts_by_device_and_address(client: Client) -> None:
    send(client, "identify", {"anonymousId": COID, "userId": "14"})
    send(client, "identify", {"userId": "15", "traits": {"email": "ada@example.org"}})
    send(client, "identify", {"anonymousId": COID, "traits": {"email": "ada@example.org"}})
    work()
    assert Profile.objects.count() == 2


def test_it_turns_group_into_attributes(client: Client) -> None:
    send(client, "group", {"userId": "14", "groupId": "acme", "traits": {"plan": "gold"}})
    work()
    assert Profile.objects.get().attributes == {"group_id": "acme", "group_plan": "gold"}


def test_it_takes_a_batch_and_lists_what_is_wrong(client: Client) -> None:
    batch = [
        {"type": "track", "userId": "1", "event": "visit", "properties": {"p2": 7}},
        {"type": "track", "userId": "1", "event": "visit", "properties": {"x": "y" * 33_000}},
        {"type": "nap", "userId": "1"},
        {"type": "identify", "userId": "1", "traits": {"a": 1}},
        7,
    ]
    answer = send(client, "batch", {"batch": batch})
    assert (answer.status_code, len(waiting())) == (200, 2)
    assert [(one["index"], one["reason"][:26]) for one in answer.json()["rejected"]] == [
        (1, "an event must be at most 3"),
        (2, "type must be one of identi"),
        (4, "an event must be a JSON ob"),
    ]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({}, 0),
        ({"consent": True}, 1),
        ({"context": {"consent": {"categoryPreferences": {"Advertising": True}}}}, 1),
        ({"context": {"consent": {"categoryPreferences": {"Advertising": False}}}}, 0),
        ({"consent": 0}, 0),
    ],
)
def test_it_asks_for_consent_where_that_is_due(client: Client, given: dict[str, Any], stored: int) -> None:
    answer = send(client, "identify", {"userId": "14", "traits": {"a": 1}} | given, key="2-2-2-2-2")
    assert (answer.status_code, len(waiting())) == (200, stored)


@pytest.mark.parametrize(("key", "user"), [(KEY, ""), (KEY, "501")])
def test_it_takes_the_license_key_as_the_write_key(client: Client, key: str, user: str) -> None:
    assert send(client, "page", {"userId": "1"}, key=key, user=user).status_code == 200


def test_it_takes_the_write_key_from_the_body(client: Client) -> None:
    assert send(client, "page", {"userId": "1", "writeKey": KEY}, key="").status_code == 200


@pytest.mark.parametrize(("key", "user"), [("", ""), ("9-9-9-9-9", ""), (KEY, "502"), ("x", "501")])
def test_it_refuses_wrong_keys(client: Client, key: str, user: str) -> None:
    answer = send(client, "page", {"userId": "1"}, key=key, user=user)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Basic realm="events"')
    assert not Message.objects.exists()


def test_it_refuses_who_guesses_keys(client: Client) -> None:
    statuses = [send(client, "page", {"userId": "1"}, key="9-9").status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert send(client, "page", {"userId": "1"}).status_code == 200


WRONG: list[tuple[str, Any, int, str]] = [
    ("nap", {}, 404, "known are identify, track"),
    ("track", b"{", 400, "not valid JSON"),
    ("track", {"batch": [{}]}, 400, "a list of calls must be sent to /v1/batch"),
    ("batch", {"userId": "1"}, 400, "a list of calls must be sent to /v1/batch"),
    ("track", {"event": "visit"}, 400, "userId or anonymousId must be given"),
    ("track", {"userId": "1"}, 400, "event must be given for track"),
    ("track", {"userId": [1], "event": "visit"}, 400, '"userId" must be a text or a number'),
    ("track", {"userId": "x" * 256, "event": "visit"}, 400, "userId must have 1 to 255"),
    ("track", {"userId": "1", "event": "visit", "properties": []}, 400, "properties must be an object"),
    ("track", {"userId": "1", "event": "visit", "properties": {"p2": "SKU"}}, 400, "p2 must be"),
    (
        "track",
        {"userId": "1", "event": "buy", "properties": {"products": [7]}},
        400,
        "products must be a list",
    ),
    ("track", {"userId": "1", "event": "x", "timestamp": "soon"}, 400, "timestamp must be a time"),
    ("track", {"userId": "1", "event": "x", "properties": {"y": "y" * 33_000}}, 400, "at most 32768 bytes"),
    ("page", {"userId": "1", "context": 7}, 400, "context must be an object"),
    ("identify", {"userId": "1", "traits": 7}, 400, "traits must be an object"),
    ("identify", {"userId": "1", "traits": {"a b": 1}}, 400, "a trait's name must be 1 to 64 letters"),
    ("identify", {"userId": "1", "traits": {"a": "x" * 1001}}, 400, "a must be at most 1000 characters"),
    ("identify", {"userId": "1", "traits": {"a": 10**16}}, 400, "a must be between"),
    ("identify", {"userId": "1", "traits": {f"a{n}": 1 for n in range(101)}}, 400, "at most 100 traits"),
    ("group", {"userId": "1"}, 400, "groupId must be given"),
    ("alias", {"userId": "1"}, 400, "previousId and userId must be given"),
]


@pytest.mark.parametrize(("call", "document", "status", "sentence"), WRONG)
def test_it_says_what_is_wrong(client: Client, call: str, document: Any, status: int, sentence: str) -> None:
    answer = send(client, call, document)
    assert (answer.status_code, sentence in answer.content.decode()) == (status, True), answer.content
    assert not Message.objects.exists()


def test_it_refuses_a_batch_that_is_too_big(client: Client) -> None:
    batch = [{"type": "page", "userId": "1", "name": "x" * 26_000} for _ in range(20)]
    answer = send(client, "batch", {"batch": batch})
    assert (answer.status_code, Message.objects.exists()) == (400, False)


def test_it_refuses_other_methods(client: Client) -> None:
    assert client.get("/v1/track").status_code == 405
