"""Notifications in, one item out, one item away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from defusedxml import ElementTree
from django.test import Client

from config.jobs.models import Job
from personalization.server.items import mapping, store
from personalization.server.models import ImportRun, StoredItem
from tests.personalization.server.conftest import Account, content, full_event, new_account, update_event

pytestmark = pytest.mark.django_db


def post(client: Client, account: Account, body: Any, **extra: Any) -> Any:
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(
        f"/api/{account.customer_id}/items",
        raw,
        content_type=extra.pop("content_type", "application/json"),
        headers=extra.pop("headers", account.headers),
    )


def stored(account: Account, *raws: dict[str, Any], moment: str = "20260101000000111") -> None:
    rows = [mapping.columns_of(raw, item_type=raw["contentTypeId"], alphanumeric=True) for raw in raws]
    store.upsert(account.customer_id, rows, language="eng-GB", moment=moment)


def test_it_answers_202_once_run_and_job_are_stored(client: Client, account: Account) -> None:
    body = {"transaction": "20210102030405417", "events": [full_event("https://site.example/a_1")]}
    answer = post(client, account, body)
    assert answer.status_code == 202
    run = ImportRun.objects.get()
    assert (run.transaction, run.action, run.item_type, run.type_name, run.language, run.status) == (
        "20210102030405417",
        "FULL",
        38,
        "Place",
        "eng-GB",
        "waiting",
    )
    assert Job.objects.get().kind == "engine.import"


def test_it_never_stores_credentials_in_clear(client: Client, account: Account) -> None:
    post(client, account, {"transaction": None, "events": [full_event("https://site.example/a_1")]})
    payload = json.dumps(Job.objects.get().payload)
    assert "1f3b03cd5a" not in payload
    assert "t0ken" not in payload


@pytest.mark.parametrize("prefix", ["api", "ebl", "news"])
def test_it_answers_old_prefixes_too(client: Client, account: Account, prefix: str) -> None:
    body = {"transaction": None, "events": [full_event("https://site.example/a_1")]}
    answer = client.post(
        f"/{prefix}/{account.customer_id}/items",
        body,
        content_type="application/json",
        headers=account.headers,
    )
    assert answer.status_code == 202


def test_it_refuses_a_wrong_license_key(client: Client, account: Account) -> None:
    wrong = Account(account.customer_id, "0000-0000-0000-0000-0000")
    answer = post(client, account, {"events": []}, headers=wrong.headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")


def test_it_refuses_the_key_of_another_customer(client: Client, account: Account) -> None:
    other = new_account("Other")
    assert post(client, account, {"events": []}, headers=other.headers).status_code == 401


def test_it_does_not_know_a_customer_that_nobody_made(client: Client, account: Account) -> None:
    answer = client.post("/api/99/items", {}, content_type="application/json", headers=account.headers)
    assert answer.status_code == 404
    assert "99" in answer.content.decode()


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (full_event(), "events.0.uri"),
        (full_event("ftp://x/y"), "events.0.uri"),
        (full_event("/relative"), "events.0.uri"),
        (full_event("https://x.example/a\\b"), "events.0.uri"),
        (full_event("https://x.example/a", lang=None), "events.0.lang"),
        (full_event("https://x.example/a", contentTypeId="x"), "events.0.contentTypeId"),
        (full_event("https://x.example/a", action="full"), "events.0.action"),
        (update_event("https://x.example/a", itemId=None), "events.0.itemId"),
        (update_event(""), "events.0.uri"),
        ("text", "events.0"),
    ],
)
def test_it_names_what_is_wrong_and_stores_nothing(
    client: Client, account: Account, event: Any, named: str
) -> None:
    good = full_event("https://site.example/a_1")
    answer = post(client, account, {"transaction": None, "events": [event, good]})
    assert answer.status_code == 400
    assert named in answer.content.decode()
    assert not ImportRun.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ("{}", "application/json", 400),
        ("null", "application/json", 400),
        ('{"events": []}', "application/json", 400),
        ('{"events": [NaN]}', "application/json", 400),
        ("[" * 500 + "]" * 500, "application/json", 400),
        ('{"events": ' + "[" * 50 + "]" * 50 + "}", "application/json", 400),
        ("events=1", "application/x-www-form-urlencoded", 415),
        ("<items/>", "text/xml", 415),
        (b"\xff\xfe", "application/json", 400),
        ("x" * (5 * 1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_it_refuses_unusable_bodies(
    client: Client, account: Account, body: Any, content_type: str, status: int
) -> None:
    answer = post(client, account, body, content_type=content_type)
    assert answer.status_code == status
    assert len(answer.content) < 2000


def test_it_only_takes_post(client: Client, account: Account) -> None:
    assert client.get(f"/api/{account.customer_id}/items", headers=account.headers).status_code == 405


def test_it_shows_an_item_as_xml(client: Client, account: Account) -> None:
    stored(account, content(73, caption='<p class="x">A & B</p>\n', price="12.45", currency="EUR"))
    answer = client.get(f"/api/{account.customer_id}/item/38/73", headers=account.headers)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    text = answer.content.decode()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<items version="1">')
    item = ElementTree.fromstring(text).find("item")
    assert item is not None
    assert item.attrib == {"id": "73", "type": "38"}
    assert item.findtext("imageurls/imageurl[@type='preview']") == "/media/73.jpg"
    assert item.findtext("deeplinkurl") == "/places/73"
    assert item.findtext("validfrom") == "2015-09-17T13:24:25.000"
    assert item.findtext("categorypaths/categorypath") == "1/2/95"
    assert item.findtext("price") == "1245"
    assert [child.tag for child in item if child.tag in ("categoryids", "content")] == [
        "categoryids",
        "content",
    ]
    attributes = {(a.get("key"), a.get("type")): a.get("value") for a in item.iter("attribute")}
    assert attributes["author", "TEXT"] == attributes["author", "NOMINAL"] == "Michael Wang"
    assert attributes["caption", "TEXT"] == '<p class="x">A & B</p>\n'
    assert attributes["categoryPath", "TEXT"] == "/1/2/95/"
    assert ("mainLocation", "TEXT") not in attributes


def test_it_survives_characters_that_xml_cannot_hold(client: Client, account: Account) -> None:
    stored(account, content(73, name="bell\x07 nul\x00 ]]> <"))
    answer = client.get(f"/api/{account.customer_id}/item/38/73", headers=account.headers)
    values = [a.get("value") for a in ElementTree.fromstring(answer.content.decode()).iter("attribute")]
    assert "bell nul ]]> <" in values


def test_it_asks_for_credentials_before_it_shows_an_item(client: Client, account: Account) -> None:
    stored(account, content(73))
    path = f"/api/{account.customer_id}/item/38/73"
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"authorization": "Basic %%%"}).status_code == 401
    assert client.get(path, headers={"authorization": "Bearer x"}).status_code == 401


def test_it_keeps_customers_apart(client: Client, account: Account) -> None:
    other = new_account("Other")
    stored(account, content(73))
    path = f"/api/{other.customer_id}/item/38/73"
    assert client.get(path, headers=other.headers).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"), [("38/74", 404), ("39/73", 404), ("x/73", 400), ("38/73?lang=fre-FR", 404)]
)
def test_it_says_when_an_item_is_not_stored(client: Client, account: Account, path: str, status: int) -> None:
    stored(account, content(73))
    answer = client.get(f"/api/{account.customer_id}/item/{path}", headers=account.headers)
    assert answer.status_code == status


def test_it_shows_an_item_with_a_slash_in_its_remote_id(client: Client) -> None:
    account = new_account("Remote", alphanumeric=True)
    stored(account, content("a/b c"))
    answer = client.get(f"/api/{account.customer_id}/item/38/a%2Fb%20c", headers=account.headers)
    assert answer.status_code == 200


def test_it_removes_an_item_soon(
    client: Client, account: Account, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    settings.JOBS_INLINE = True
    stored(account, content(73), content(74))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.delete(f"/api/{account.customer_id}/item/38/73", headers=account.headers)
    assert answer.status_code == 202
    assert list(StoredItem.objects.values_list("item_id", flat=True)) == ["74"]
    assert ImportRun.objects.get().removed == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"contentTypeName": "\x00"}, "events.0.contentTypeName: must not contain a NUL character."),
        ({"itemId": "5\x00"}, "events.0.itemId: must not contain a NUL character."),
        ({"credentials": {"token": "s3cret\n"}}, "token: must hold printable characters only."),
        ({"credentials": {"login": "a\x00", "password": "b"}}, "login: must hold printable characters only."),
    ],
)
def test_it_refuses_characters_that_cannot_be_stored_or_sent(
    client: Client, account: Account, changes: dict[str, Any], named: str
) -> None:
    event = full_event("https://site.example/a_1", **changes)
    answer = post(client, account, {"transaction": None, "events": [event]})
    assert answer.status_code == 400
    assert named in answer.content.decode()
    assert "s3cret" not in answer.content.decode()


@pytest.mark.parametrize("kind", ["0", "2147483648", "9" * 20, "9" * 5000])
def test_it_knows_no_other_item_types(client: Client, account: Account, kind: str) -> None:
    answer = client.get(f"/api/{account.customer_id}/item/{kind}/73", headers=account.headers)
    assert answer.status_code == 400
    assert "from 1 to 2147483647" in answer.content.decode()
