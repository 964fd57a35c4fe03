"""Bearer tokens by command: made, rotated, listed, revoked; never readable again."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from personalization.client import tokens
from personalization.client.models import AccessToken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]


def said(*arguments: Any) -> str:
    out = StringIO()
    call_command("personalization_token", *arguments, stdout=out)
    return out.getvalue()


def opened(token: str, identifier: str = "update") -> str | None:
    return tokens.customer_of(token, identifier=identifier)


def test_it_makes_a_token_for_some_days_and_one_scope() -> None:
    token = said("--customer=501", "--days=30", "--identifier=export").split()[-1]

    row = AccessToken.objects.get()
    assert row.expires_at - row.created_at == timedelta(days=30)
    assert (opened(token, "export"), opened(token)) == ("501", None)


def test_it_rotates_the_tokens_of_one_customer_and_scope() -> None:
    old, export, other = tokens.mint(501), tokens.mint(501, identifier="export"), tokens.mint(502)

    new = said("--customer=501", "--rotate").split()[-1]

    assert [opened(old), opened(new), opened(other)] == [None, "501", "502"]
    assert opened(export, "export") == "501"


def test_it_lists_valid_tokens_without_telling_them() -> None:
    kept, gone = tokens.mint(501), tokens.mint(502)
    AccessToken.objects.filter(customer_id="502").update(expires_at=timezone.now())

    listed = said("--list")

    assert "501" in listed
    assert "502" not in listed
    for secret in (kept, gone, tokens.digest(kept)):
        assert secret not in listed


def test_it_revokes_one_or_all() -> None:
    first, second, other = tokens.mint(501), tokens.mint(501), tokens.mint(502)
    number = AccessToken.objects.get(digest=tokens.digest(first)).pk

    assert f"Revoked token {number}." in said(f"--revoke={number}")
    assert [opened(first), opened(second)] == [None, "501"]
    with pytest.raises(CommandError, match=f"no valid token number {number}"):
        said(f"--revoke={number}")
    assert "Revoked 1 tokens." in said("--revoke-all", "--customer=501")
    assert [opened(second), opened(other)] == [None, "502"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--days=2"], "Name the customer"),
        (["--customer=501", "--days=0"], "--days must be from 1 to 366; got 0."),
        (["--customer=501", "--days=367"], "got 367."),
        (["--customer=999", "--revoke-all"], "no customer '999'"),
    ],
)
def test_it_says_what_is_wrong_and_makes_nothing(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as told:
        said(*arguments)
    assert told.value.returncode == 2
    assert not AccessToken.objects.exists()
