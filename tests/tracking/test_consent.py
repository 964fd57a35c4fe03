"""Consent ..."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.test import Client

from config import site_access
from config.customers.directory import directory
from tests.tracking.conftest import KNOWN, NOW
from tracking.collector import intake, quick
from tracking.fields import BadEvent
from tracking.identity import pseudonym
from tracking.models import Event, IdentityEdge


def click(customer: str, query: str = "") -> str:
    return f"/api/{customer}/click/u/1/2?categorypath=A&segments=7,8&eventid=e{query}"


@pytest.mark.parametrize(
    ("customer", "consent", "followed"),
    [
        ("00000", "", True),
        ("00000", "&consent=1", True),
        ("00000", "&consent=0", False),
        ("asking", "", False),
        ("asking", "&consent=1", True),
        ("asking", "&consent=0", False),
    ],
)
def test_decides_whether_an_event_is_linked_to_a_person(accept, customer, consent, followed):
    [row] = accept(click(customer, consent)).rows
    assert (row.item_id, row.category_path) == ("2", "A")
    assert (row.user, row.segments) == ((pseudonym(customer, "u"), "7,8") if followed else ("", ""))


@pytest.mark.parametrize("consent", ["consent=1", "consent=0", "lang=fr"])
def test_is_decided_by_the_quick_look_too(consent):
    target = f"/api/asking/click/u/1/2?segments=7&{consent}&eventid=e".encode()
    row = quick.row(target, find=KNOWN.get, now=NOW)
    assert row is not None
    assert (row.user, row.segments) == (
        (pseudonym("asking", "u"), "7") if consent == "consent=1" else ("", "")
    )


@pytest.mark.parametrize(
    ("target", "edges"),
    [
        ("/api/asking/login/x/y", 0),
        ("/api/asking/login/x/y?consent=0", 0),
        ("/api/asking/login/x/y?consent=1", 1),
        ("/api/00000/login/x/y?consent=0", 0),
    ],
)
def test_comes_before_a_login_joins_anything(accept, target, edges):
    accepted = accept(target)
    assert len(accepted.edges) == edges
    assert [bool(row.user) for row in accepted.rows] == [bool(edges)]
    assert accepted.answer.status == 204


@pytest.mark.parametrize(
    "target",
    [
        "/api/asking/buy/u/1/2?quantity=2",
        "/api/asking/rendered/u/1/2,3,4",
        "/api/asking/triggeropened/u?triggername=t",
        "/api/asking/click/%C3%9C/1/2",
        "/api/asking/click/" + "%F0%9F%90%B3" * 20 + "/1/2",
    ],
)
def test_is_asked_for_with_every_kind_of_event(accept, target):
    join = "&" if "?" in target else "?"
    assert {row.user for row in accept(target).rows} == {""}
    assert "" not in {row.user for row in accept(f"{target}{join}consent=1").rows}


def test_may_come_in_a_body(accept):
    form = accept(
        "/api/asking/click/u/1/2",
        method="POST",
        body=b"consent=1",
        content_type="application/x-www-form-urlencoded",
    )
    events = [
        {"event": "click", "user": "u", "itemtype": 1, "item": 2} | more for more in ({}, {"consent": 1})
    ]
    batch = accept(
        "/api/asking/events", method="POST", body=json.dumps(events).encode(), content_type="application/json"
    )
    known = pseudonym("asking", "u")
    assert [row.user for row in (*form.rows, *batch.rows)] == [known, "", known]


def test_is_weaker_than_the_wish_not_to_be_followed(accept):
    [row] = accept(click("asking", "&consent=1"), sec_gpc="1").rows
    assert (row.user, row.segments) == ("", "")


@pytest.mark.parametrize("value", ["yes", "true", "2", "", "01", "%D9%A1", "1%20"])
def test_is_1_or_0(accept, value):
    with pytest.raises(BadEvent, match=r"consent must be 1 .* or 0 ") as caught:
        accept(f"/api/asking/click/u/1/2?consent={value}")
    assert caught.value.status == 400


def test_is_given_once(accept):
    with pytest.raises(BadEvent, match="consent given twice"):
        accept("/api/asking/click/u/1/2?consent=0&consent=1")
    with pytest.raises(BadEvent, match="consent given twice"):
        intake.accept(
            b"/api/asking/click/u/1/2?consent=0",
            method="POST",
            headers={"content-type": "application/json"},
            body=b'{"consent": 1}',
            find=KNOWN.get,
        )


@pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
def test_decides_what_stands_in_the_tables(client: Client, tmp_path, settings):
    path = tmp_path / "sites.yaml"
    path.write_text(
        "personalization: {system: {one: {authentication: {customer_id: 501, license_key: k},"
        " tracking: {consent_required: true}}}}"
    )
    settings.LODESTAR_SITES_FILE = path
    site_access.reload()
    directory.forget()
    try:
        for target in ("click/u/1/1", "click/u/1/2?consent=1", "login/u/v", "click/u/1/3?consent=0"):
            assert client.get(f"/api/501/{target}").status_code == 204
    finally:
        site_access.reload()
    stored = dict(Event.objects.values_list("item_id", "user"))
    assert stored == {"1": "", "2": pseudonym("501", "u"), "": "", "3": ""}
    assert not IdentityEdge.objects.exists()
