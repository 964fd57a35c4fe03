"""The address of a recommendation: one user is the same user to the event intake."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

from personalization.server.urls import CALLS
from tests.personalization.server.conftest import Account

pytestmark = pytest.mark.django_db(databases="__all__")


def ask(client: Client, account: Account, tail: str) -> tuple[int, str]:
    address = f"/api/v2/{account.customer_id}/{tail}"
    answer: Any = client.get(address, RAW_URI=address)
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize("user", ["u1", "a%2Fb", "%C3%BC", "a%20b", "100%25"])
def test_it_answers(client: Client, account: Account, user: str) -> None:
    assert ask(client, account, f"{user}/popular.json")[0] == 200
    assert ask(client, account, f"{user}/popular")[0] == 200


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ("%ff%fe", "The user id is not valid UTF-8.\n"),
        ("a%5Cb", "The address must not contain a backslash, encoded as %5C or not.\n"),
        ("100%", "must be followed by two hexadecimal digits"),
        ("u" * 1025, "at most 1024 bytes"),
    ],
)
def test_it_refuses_the_users_that_the_intake_refuses(
    client: Client, account: Account, user: str, says: str
) -> None:
    status, text = ask(client, account, f"{user}/popular.json")
    assert status == 400
    assert says in text
    event = f"/api/{account.customer_id}/click/{user}/1/2"
    assert client.get(event, RAW_URI=event).status_code == 400


@pytest.mark.parametrize("extension", ["xml", "JSON", "json.xml", ""])
def test_it_says_which_formats_exist(client: Client, account: Account, extension: str) -> None:
    status, text = ask(client, account, f"u1/popular.{extension}")
    assert status == 404
    assert text == (
        f"Recommendations come as popular.json or popular.jsonp; there is no format {extension!r}.\n"
    )


def test_a_call_takes_the_short_way(client: Client, account: Account, settings: Any) -> None:
    address = f"/api/v2/{account.customer_id}/u1/popular.json"
    answer = client.get(address, headers={"accept-language": "fr"})
    assert answer.status_code == 200
    # What pages get and calls do not need.
    assert "Content-Security-Policy" not in answer
    assert "Content-Language" not in answer
    assert not answer.cookies
    # What binds calls too.
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.post(address).status_code == 405
    assert client.get(address, headers={"host": "evil.test"}).status_code == 400
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(address)["Location"].startswith("https://")  # read when the middleware is made


def test_a_short_way_is_that_of_the_addresses() -> None:
    for path in ("api/v2/1/u/popular.json", "ebl/v2/1/a/b/popular", "news/v2/1/u/x.jsonp"):
        assert CALLS.resolve(path).func is resolve(f"/{path}").func
    for path in (
        "api/v2/1/u",
        "api/1/click/u/1/2",
        "api/1/u/popular.json",
        "admin/",
        "",
        "api/v2/1/u/a.b/c/",
    ):
        assert CALLS.resolve(path) is None
