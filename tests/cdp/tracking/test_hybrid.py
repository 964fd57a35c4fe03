"""Events of the site's own pages: `POST /raptor/track` ..."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from cdp.profiles.models import Consent, ErasureTicket, Profile, ProfileIdentifier, Suppression
from cdp.tracking.models import Message
from tests.cdp.tracking.conftest import ACCOUNT, COID, CUSTOMER, OTHER, waiting, work
from tracking.models import Event

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])

OWN = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}


def post(client: Client, document: Any, *, customer: str = CUSTOMER, headers: Any = None) -> Any:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    path = f"/raptor/track?customer={customer}" if customer else "/raptor/track"
    return client.post(
        path, body, content_type="application/json", headers=OWN if headers is None else headers
    )


def visit(item: str = "7", **more: Any) -> dict[str, Any]:
    return {"event": "visit", "params": {"p2": item}, **more}


@pytest.mark.case("T11")
def test_it_queues_a_message_with_cookie_session_and_user(client: Client) -> None:
    user = User.objects.create_user("ada")
    client.force_login(user)
    client.cookies["lodestar_visitor"] = COID

    answer = post(client, [visit("7"), visit("8", event_id="e2")])

    assert (answer.status_code, answer.json()) == (200, {"stored": 2, "rejected": []})
    assert [(one.coid, one.ruid, one.event) for one in waiting()] == [(COID, str(user.pk), "visit")] * 2
    [session] = {one.sid for one in waiting()}
    assert re.fullmatch("[0-9a-f]{32}", session)
    assert answer.cookies["lodestar_session"].value == session
    assert answer.cookies["lodestar_session"]["max-age"] == 1200
    assert answer.cookies["lodestar_visitor"].value == COID
    assert answer.cookies["lodestar_visitor"]["max-age"] == 90 * 86_400
    post(client, visit("9"))
    assert {one.sid for one in waiting()} == {session}


def test_it_gives_a_new_visitor_an_id(client: Client) -> None:
    answer = post(client, visit())
    [call] = waiting()
    assert answer.cookies["lodestar_visitor"].value == call.coid
    assert call.ruid == ""


def test_it_believes_the_page_about_who_is_logged_in_elsewhere(client: Client) -> None:
    post(client, {"event": "visit", "params": {"p2": "7", "ruid": base64.b64encode(b"14").decode()}})
    assert waiting()[0].ruid == "14"


def test_it_knows_the_site_by_its_host(client: Client) -> None:
    assert post(client, visit(), customer="").status_code == 200
    assert Message.objects.get().customer_id == CUSTOMER


def test_it_stores_nothing_and_sets_no_cookie_without_consent(client: Client) -> None:
    answer = post(client, visit(), customer="502")
    assert (answer.status_code, dict(answer.cookies), waiting()) == (204, {}, [])
    answer = post(client, [visit(consent="1"), visit("8")], customer="502")
    assert (answer.status_code, waiting()) == (204, []), "consent of one event is none for another"
    assert post(client, visit(consent="1"), customer="502").status_code == 200


def test_it_gives_no_id_to_who_opts_out(client: Client) -> None:
    answer = post(client, visit(), headers=OWN | {"sec-gpc": "1"})
    assert (answer.status_code, dict(answer.cookies)) == (200, {})
    work()
    assert Event.objects.get().user == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_it_takes_nothing_from_pages_of_others(client: Client, headers: dict[str, str]) -> None:
    for path in ("/raptor/track", f"/t/{ACCOUNT}/consent"):
        body = '{"status": "revoked"}' if "consent" in path else json.dumps(visit())
        answer = client.post(path, body, content_type="text/plain", headers=headers)
        assert (answer.status_code, waiting()) == (403, [])


def heavy(size: int) -> dict[str, Any]:
    return visit("7", url="https://shop.example/" + "x" * size)


@pytest.mark.case("T09")
def test_it_refuses_a_single_event_that_is_too_big(client: Client) -> None:
    answer = post(client, heavy(33_000))
    assert (answer.status_code, waiting()) == (400, [])
    assert "at most 32768 bytes long; got 33" in answer.content.decode()


@pytest.mark.case("T09")
def test_it_rejects_a_big_event_of_a_batch_and_stores_the_rest(client: Client) -> None:
    answer = post(client, {"batch": [visit("1"), heavy(33_000), visit("3")]})
    assert (answer.status_code, answer.json()["stored"]) == (200, 2)
    assert [one["index"] for one in answer.json()["rejected"]] == [1]
    assert [one.params["p2"] for one in waiting()] == ["1", "3"]


@pytest.mark.case("T09")
def test_it_refuses_a_batch_that_is_too_big(client: Client) -> None:
    answer = post(client, [heavy(25_000) for _ in range(21)])
    assert (answer.status_code, waiting()) == (400, [])
    assert "a batch must be at most 500000 bytes long" in answer.content.decode()


WRONG: list[tuple[Any, str]] = [
    (b"{", "the body is not valid JSON"),
    (b"", "the body is not valid JSON"),
    (b"7", "the body must be an event, a list of events"),
    ([], "the body must be an event, a list of events"),
    ({"batch": {}}, "the body must be an event, a list of events"),
    ([visit()] * 101, "a batch must hold at most 100 events; got 101"),
    ({}, "event must be given"),
    ({"event": "visit", "param": {}}, '"param" is not a key of an event'),
    ({"event": "visit", "params": []}, "params must be an object"),
    ({"event": ["visit"]}, '"event" must be a text or a number'),
    ({"event": "visit", "params": {"p2": {}}}, '"p2" must be a text or a number'),
    ({"event": "visit", "params": {"p2": "7\0"}}, '"p2" must not contain a NUL byte'),
    ({"event": "visit", "params": {}}, "p2 (product id) must be given"),
    ({"event": "visit", "params": {"p2": "7"}, "consent": "maybe"}, "consent must be 1"),
    ({"event": "visit", "params": {"p2": "7"}, "ts": "soon"}, "ts must be a time"),
    ({"event": "nap"}, "p1 must be a known event"),
]


@pytest.mark.parametrize(("document", "sentence"), WRONG)
def test_it_says_what_is_wrong(client: Client, document: Any, sentence: str) -> None:
    answer = post(client, document)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert waiting() == []


def test_it_says_of_each_event_of_a_batch_what_is_wrong(client: Client) -> None:
    answer = post(client, [visit("1"), visit("SKU"), 7, {"event": "visit"}])
    assert answer.json()["stored"] == 1
    assert [(one["index"], one["reason"][:12]) for one in answer.json()["rejected"]] == [
        (1, "p2 must be a"),
        (2, "an event mus"),
        (3, "p2 (product "),
    ]


def test_it_refuses_unknown_customers_and_methods(client: Client) -> None:
    assert post(client, visit(), customer="9").status_code == 404
    answer = client.get("/raptor/track")
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


def test_it_keeps_what_a_visitor_consents_to(client: Client) -> None:
    client.cookies["lodestar_visitor"] = COID
    granted = {"status": "granted", "purposes": ["statistics", "marketing"]}
    assert consent(client, granted, {"sec-gpc": "1"}).status_code == 204
    work()
    assert set(Consent.objects.values_list("purpose", "status")) == {
        ("statistics", "granted"),
        ("marketing", "denied"),
    }
    assert Consent.objects.first().expires_at is not None  # type: ignore[union-attr]


def consent(client: Client, document: Any, headers: dict[str, str] | None = None) -> Any:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return client.post(
        f"/t/{ACCOUNT}/consent", body, content_type="application/json", headers=OWN | (headers or {})
    )


@pytest.mark.case("T03")
@pytest.mark.parametrize("is_known", [False, True])
def test_it_follows_nobody_after_a_withdrawal(client: Client, *, is_known: bool) -> None:
    client.cookies["lodestar_visitor"] = COID
    post(client, {"event": "favorite", "params": {"p2": "7"}})
    if is_known:
        work()

    answer = consent(client, {"status": "revoked"})

    assert answer.status_code == 204
    assert {name: one["max-age"] for name, one in answer.cookies.items()} == {
        "lodestar_visitor": 0,
        "YCID": 0,
        "recommendation-session-id": 0,
        "lodestar_session": 0,
        "lodestar_consent": 390 * 86_400,
    }
    assert waiting() == [], "what waited went too"
    later = client.get(f"/t/{ACCOUNT}.rsa", {"coid": COID, "p1": "favorite", "p2": "8", "consent": "1"})
    other = Client().get(f"/t/{ACCOUNT}.rsa", {"coid": COID, "p1": "favorite", "p2": "8"})
    assert (later.status_code, other.status_code, waiting()) == (204, 204, [])
    assert Client().get(f"/t/{ACCOUNT}.rsa", {"coid": OTHER, "p1": "favorite", "p2": "8"}).status_code == 204
    assert len(waiting()) == 1
    if is_known:
        assert list(ProfileIdentifier.objects.filter(kind="coid").values_list("active", flat=True)) == [False]
        assert Profile.objects.get().consents.filter(status="revoked").count() == 3
    else:
        assert Suppression.objects.filter(kind="coid").count() == 1


def test_it_follows_who_refused_before_anything_was_known_and_consents_now(client: Client) -> None:
    client.cookies["lodestar_visitor"] = COID
    consent(client, {"status": "revoked", "coid": COID})
    assert set(Suppression.objects.values_list("kind", "ticket")) == {("coid", None), ("tracked:501", None)}
    assert consent(client, {"status": "granted", "coid": COID}).status_code == 204
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("said", "is_erased", "is_active"),
    [
        ({"status": "granted"}, False, True),
        ({"status": "granted", "purposes": ["statistics"]}, False, True),
        ({"status": "denied", "purposes": ["marketing"]}, False, False),
        ({"status": "granted"}, True, False),
    ],
)
def test_it_follows_again_who_consents_again(
    client: Client, said: dict[str, Any], *, is_erased: bool, is_active: bool
) -> None:
    client.cookies["lodestar_visitor"] = COID
    post(client, {"event": "favorite", "params": {"p2": "7"}})
    work()
    consent(client, {"status": "revoked"})
    cookie = ProfileIdentifier.objects.get(kind="coid")
    if is_erased:
        ticket = ErasureTicket.objects.create(account=cookie.account, identifiers=[["coid", cookie.digest]])
        Suppression.objects.create(account=cookie.account, kind="coid", digest=cookie.digest, ticket=ticket)
    assert consent(client, said | {"coid": COID}).status_code == 204
    Client().get(f"/t/{ACCOUNT}.rsa", {"coid": COID, "p1": "favorite", "p2": "8", "consent": "1"})
    cookie.refresh_from_db()
    assert cookie.active is is_active
    assert len(waiting()) == (2 if is_active else 0)
    work()
    granted = cookie.profile.consents.filter(status="granted").count()
    assert granted == (len(said.get("purposes", "abc")) if is_active else 0)
    assert cookie.profile.interactions.count() == (2 if is_active else 1)


@pytest.mark.parametrize(
    ("document", "status", "sentence"),
    [
        (b"{", 400, "not valid JSON"),
        ([], 400, "must be a JSON object"),
        ({}, 400, "status must be one of granted, denied, revoked"),
        ({"status": "no"}, 400, 'got "no"'),
        ({"status": "revoked", "purposes": ["all"]}, 400, "purposes must be a list of statistics"),
        ({"status": "revoked", "purposes": []}, 400, "purposes must be a list of statistics"),
        ({"status": "granted", "coid": 7}, 400, "coid must be a text"),
        ({"status": "granted"}, 400, "coid must be given"),
        (b'{"status": "granted", "coid": "' + b"x" * 5000 + b'"}', 413, "at most 4096 bytes"),
    ],
)
def test_it_says_what_is_wrong_with_a_consent(
    client: Client, document: Any, status: int, sentence: str
) -> None:
    answer = consent(client, document)
    assert answer.status_code == status
    assert sentence in answer.content.decode()
