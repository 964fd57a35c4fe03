"""The event view on the web port ..."""

from __future__ import annotations

import json

import pytest
from django.conf import settings

from config.customers.directory import create_customer
from config.customers.gates import GateRules
from tracking import queries
from tracking.collector.answers import CODES
from tracking.collector.refusals import refusals
from tracking.identity import pseudonym
from tracking.models import Event, IdentityEdge, RefusedRequest

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])


@pytest.fixture
def customer(db):
    row, _key = create_customer(name="Shop", kind="commerce", customer_id="4711")
    return row.customer_id


def test_answers_after_the_event_is_stored(client, customer):
    answer = client.get(f"/api/{customer}/buy/johndoe/1/129?quantity=2&fullprice=4.44EUR")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    assert not answer.cookies
    stored = Event.objects.get()
    assert stored.user == pseudonym(customer, "johndoe")
    assert (stored.event, stored.item_type, stored.item_id) == ("buy", 1, "129")
    assert (stored.quantity, str(stored.price), stored.currency) == (2, "4.4400", "EUR")


def test_reads_the_raw_path_where_the_server_keeps_it(client, customer):
    raw = f"/api/{customer}/click/a%2Fb/1/2"
    assert client.get(raw, RAW_URI=raw, headers={"host": "a"}).status_code == 204
    assert Event.objects.get().user == pseudonym(customer, "a/b")


def test_judges_pictures_by_the_page_that_shows_them(client, db):
    create_customer(
        name="Shop", kind="commerce", customer_id="4711", rules=GateRules(origins=("https://a.example",))
    )
    for headers, status in (
        ({"referer": "https://a.example/x"}, 204),
        ({}, 204),
        ({"referer": "https://b.example/x"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ):
        assert client.get("/api/4711/click/u/1/2", headers=headers).status_code == status


def test_stores_a_repeated_event_id_once(client, customer):
    for _ in range(3):
        answer = client.post(f"/api/{customer}/rendered/u/1/1,2,3?eventid=e-1", b"", "text/plain")
        assert answer.status_code == 204
    assert client.get(f"/api/{customer}/buy/u/1/1").status_code == 204
    assert client.get(f"/api/{customer}/buy/u/1/1").status_code == 204
    assert Event.objects.filter(event="rendered").count() == 3
    assert Event.objects.filter(event="buy").count() == 2


def test_stores_a_login_with_its_edge(client, customer):
    for _ in range(2):
        assert client.get(f"/api/{customer}/login/cookie/johndoe?eventid=l1").status_code == 204
    assert Event.objects.get().event == "login"
    assert set(IdentityEdge.objects.values_list("source", "target")) == {
        (pseudonym(customer, "cookie"), pseudonym(customer, "johndoe"))
    }


@pytest.mark.parametrize("code", ["login", "transfer"])
def test_a_retried_login_does_not_undo_the_logout_after_it(client, customer, code):
    login = f"/api/{customer}/{code}/cookie/johndoe?eventid=l1"
    client.get(f"/api/{customer}/click/cookie/1/1")
    client.get(login)
    client.get(f"/api/{customer}/click/cookie/1/2")  # after the logout
    assert client.get(login).status_code == 204

    assert IdentityEdge.objects.count() == 1
    account, device = pseudonym(customer, "johndoe"), pseudonym(customer, "cookie")
    assert [past.item_id for past in queries.history(customer, account, events=["click"])] == ["1"]
    assert [past.item_id for past in queries.history(customer, device)] == ["2"]
    client.get(f"/api/{customer}/{code}/cookie/johndoe?eventid=l2")
    assert [past.item_id for past in queries.history(customer, device)] == []


def test_keeps_raw_user_ids_out_of_the_log(client, customer, caplog):
    client.get(f"/api/{customer}/clik/johndoe/1/2")
    client.get(f"/api/{customer}/click/johndoe/1/2")
    assert "johndoe" not in caplog.text


def test_answers_in_words_or_json(client, customer):
    answer = client.get("/api/99999/click/u/1/2")
    assert (answer.status_code, answer.content) == (404, b"customer 99999 not found\n")
    assert answer["Content-Type"].startswith("text/plain")
    answer = client.get(f"/api/{customer}/clik/u/1/2", headers={"accept": "application/json"})
    assert json.loads(answer.content)["error"]["code"] == "not_found"
    answer = client.put(f"/api/{customer}/click/u/1/2")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    assert Event.objects.count() == 0


@pytest.mark.parametrize(
    ("method", "tail", "wire", "status", "allow"),
    [
        ("GET", "click/u/1/2?x=" + "x" * 8000, {}, 414, None),
        ("OPTIONS", "click/u/1/2?x=" + "x" * 8000, {}, 414, None),
        ("POST", "click/u/1/2", {"HTTP_TRANSFER_ENCODING": "chunked"}, 411, None),
        ("PROPFIND", "click/u/1/2", {}, 405, "GET, HEAD, POST, OPTIONS"),
        ("PROPFIND", "events", {}, 405, "POST, OPTIONS"),
        ("GET", "events/", {}, 405, "POST, OPTIONS"),
    ],
)
def test_refuses_wrong_heads_as_the_collector_does(client, customer, method, tail, wire, status, allow):
    headers = {"accept": "application/json", "origin": "https://elsewhere.example"}
    answer = client.generic(method, f"/api/{customer}/{tail}", headers=headers, **wire)
    assert (answer.status_code, answer.get("Allow")) == (status, allow)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["error"]["code"] == CODES[status]
    refusals.store()
    assert RefusedRequest.objects.latest("pk").status == status


def test_judges_a_head_without_a_body(client, customer):
    answer = client.head(f"/api/{customer}/clik/u/1/2")
    assert (answer.status_code, answer.content) == (404, b"")
    assert int(answer["Content-Length"]) > 0


def test_takes_old_solution_ids_only_with_event_codes(client, customer):
    assert client.get(f"/news/{customer}/click/u/1/2").status_code == 204
    assert b"customer" not in client.get("/news/2026/summer/u/1/2").content
    assert Event.objects.count() == 1


@pytest.mark.django_db(databases=["default", settings.EVENTS_DB])
def test_answers_the_preflight_of_a_page_elsewhere(client, customer):
    answer = client.options(f"/api/{customer}/click/u/1/2")
    assert answer.status_code == 204
    assert "POST" in answer["Access-Control-Allow-Methods"]
