"""What the engine fetches: items by id and remote id, with the tokens of the notifications."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from personalization.client import tokens
from personalization.client.models import AccessToken

from .conftest import SITES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]

PREFIX = "/api/ibexa/v2/personalization/v1"


def bearer(customer: int = 501, identifier: str = "update") -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.mint(customer, identifier=identifier)}"}


def items(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer.content)["contentList"]["content"]
    return found


def test_it_answers_one_item_in_the_envelope_of_a_list(
    client: Client, make_items: Callable[..., None]
) -> None:
    make_items(3)

    answer = client.get(f"{PREFIX}/content/id/2?lang=eng-GB", headers=bearer())

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.ibexa.api.ContentList+json"
    [item] = items(answer)
    assert list(item)[:11] == [
        "_media-type",
        "contentId",
        "contentTypeId",
        "identifier",
        "language",
        "publishedDate",
        "author",
        "uri",
        "categoryPath",
        "mainLocation",
        "locations",
    ]
    assert item["contentId"] == 2


@pytest.mark.parametrize("route", ["contentlist", "content/list"])
def test_it_answers_many_items_in_the_asked_order(
    route: str, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(5)

    answer = client.get(f"{PREFIX}/{route}/4,1,99,%202", headers=bearer())

    assert [item["contentId"] for item in items(answer)] == [4, 1, 2]


def test_it_answers_the_addresses_of_older_clients(client: Client, make_items: Callable[..., None]) -> None:
    make_items(1)

    assert client.get("/api/ezp/v2/ibexa_recommendation/v1/content/id/1", headers=bearer()).status_code == 200


def test_it_takes_several_languages(client: Client, make_items: Callable[..., None], sites_file: Any) -> None:
    sites_file(SITES.replace("languages: [eng-GB]", "languages: [eng-GB, fre-FR]"))
    make_items(2)
    make_items(2, language="fre-FR")

    answer = client.get(f"{PREFIX}/contentlist/1,2?lang=fre-FR,eng-GB", headers=bearer())

    assert [(item["contentId"], item["language"]) for item in items(answer)] == [
        (1, "fre-FR"),
        (1, "eng-GB"),
        (2, "fre-FR"),
        (2, "eng-GB"),
    ]


def test_it_restricts_to_the_asked_fields(client: Client, make_items: Callable[..., None]) -> None:
    make_items(1)

    [item] = items(client.get(f"{PREFIX}/content/id/1?fields=name,nothing", headers=bearer()))

    assert "name" in item
    assert "intro" not in item
    assert item["contentId"] == 1


def test_it_finds_by_remote_id(client: Client, make_items: Callable[..., None]) -> None:
    make_items(2)

    [item] = items(client.get(f"{PREFIX}/content/remote-id/remote-2?lang=eng-GB", headers=bearer()))

    assert item["contentId"] == 2
    assert client.get(f"{PREFIX}/content/remote-id/no/such", headers=bearer()).status_code == 204


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("content/id/99", 204),
        ("content/id/1?lang=ger-DE", 204),
        ("content/id/1?lang=english", 400),
        ("content/id/1?lang=xxx-YY", 400),
        ("content/id/abc", 400),
        ("content/id/1%20OR%201", 400),
        ("contentlist/1,,2", 400),
        ("contentlist/" + ",".join("1" for _ in range(501)), 400),
        ("content/id/" + "9" * 30, 400),
        ("content/id/%D9%A1", 400),
    ],
)
def test_it_answers_bad_and_empty_requests_by_the_book(
    path: str, status: int, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1)

    answer = client.get(f"{PREFIX}/{path}", headers=bearer())

    assert answer.status_code == status
    if status == 204:
        assert answer.content == b""
    else:
        assert json.loads(answer.content)["ErrorMessage"]["errorCode"] == status


@pytest.mark.parametrize(
    "header", ["", "Bearer nonsense", "Bearer ", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x", "Bearer é"]
)
def test_it_answers_401_without_good_credentials(
    header: str, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1)

    answer = client.get(f"{PREFIX}/content/id/1", headers={"Authorization": header})

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer


def test_it_refuses_tokens_that_are_expired_revoked_or_of_another_flow(client: Client) -> None:
    assert client.get(f"{PREFIX}/content/id/1", headers=bearer(identifier="export")).status_code == 401
    headers = bearer()
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(f"{PREFIX}/content/id/1", headers=headers).status_code == 401
    headers = bearer()
    AccessToken.objects.update(revoked=True)
    assert client.get(f"{PREFIX}/content/id/1", headers=headers).status_code == 401


def test_it_never_shows_a_customer_the_languages_and_sites_of_another(
    client: Client, make_items: Callable[..., None], site_id: int
) -> None:
    make_items(1)
    make_items(1, language="fre-FR")
    make_items(1, start=7, site=site_id + 999)

    assert [one["language"] for one in items(client.get(f"{PREFIX}/content/id/1", headers=bearer(501)))] == [
        "eng-GB"
    ]
    assert client.get(f"{PREFIX}/content/id/1?lang=eng-GB", headers=bearer(502)).status_code == 204
    assert client.get(f"{PREFIX}/content/id/7", headers=bearer(501)).status_code == 204


def test_it_accepts_a_configured_export_login(
    client: Client, make_items: Callable[..., None], sites_file: Any
) -> None:
    login = "export: {{ authentication: {{ method: user, login: ann, password: pass }} }}\n    site_fr:"
    sites_file(SITES.replace("    site_fr:", f"      {login}"))
    make_items(1)

    assert (
        client.get(f"{PREFIX}/content/id/1", headers={"Authorization": "Basic YW5uOnBhc3M="}).status_code
        == 200
    )
    assert (
        client.get(f"{PREFIX}/content/id/1", headers={"Authorization": "Basic YW5uOndyb25n"}).status_code
        == 401
    )


def test_it_only_reads(client: Client) -> None:
    answer = client.post(f"{PREFIX}/content/id/1", headers=bearer())

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"


def test_it_stores_no_token_in_clear_and_purges_expired_ones() -> None:
    token = tokens.mint(501)
    row = AccessToken.objects.get()
    assert token not in str(vars(row))
    assert (row.type, row.identifier) == (1, "update")
    assert row.expires_at - row.created_at == timedelta(days=1)
    assert tokens.purge() == 0
    AccessToken.objects.update(expires_at=timezone.now())
    assert tokens.purge() == 1


def test_it_prints_a_token_as_the_last_word() -> None:
    out = StringIO()
    call_command("personalization_token", "--customer=501", stdout=out)

    assert tokens.customer_of(out.getvalue().split()[-1], identifier="update") == "501"
    with pytest.raises(CommandError, match="no customer '999'"):
        call_command("personalization_token", "--customer=999")
