"""Ids of accounts that need the site's signature."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from config import site_access
from config.customers.directory import CustomerAccount
from config.customers.signing import user_signature
from config.site_access import EventGate
from tests.tracking.conftest import NOW, account
from tracking.collector import intake
from tracking.collector.intake import Accepted
from tracking.collector.refusals import described
from tracking.fields import BadEvent
from tracking.identity import pseudonym

VISITOR = "0b8f6f0e-aaaa-bbbb-cccc-000000000001"
KEY = "1111-aaaa"
SITES = """
personalization:
  system:
    shop:
      authentication: { customer_id: 501, license_key: 1111-aaaa }
      tracking: { signed_users: true }
"""


@pytest.fixture(autouse=True)
def _sites(tmp_path: Path, settings: Settings) -> None:
    settings.LODESTAR_SITES_FILE = tmp_path / "sites.yaml"
    settings.LODESTAR_SITES_FILE.write_text(SITES)
    site_access.reload()


def strict(**changes: Any) -> CustomerAccount:
    return replace(account("501"), gate=EventGate(signed_users=True, **changes))


def signed(user: str, *, key: str = KEY, customer: str = "501") -> str:
    return user_signature(license_key=key, customer_id=customer, user=user)


def send(target: str, *, body: bytes = b"", **changes: Any) -> Accepted:
    headers = {"content-type": "application/json"} if body else {}
    method = "POST" if body else "GET"
    find = {"501": strict(**changes)}.get
    return intake.accept(
        f"/api/501/{target}".encode(), method=method, headers=headers, body=body, find=find, now=NOW
    )


def refused(target: str) -> BadEvent:
    with pytest.raises(BadEvent) as caught:
        send(target)
    return caught.value


@pytest.mark.parametrize(
    "target",
    [
        f"click/ann/38/1?usersig={signed('ann')}",
        f"click/ann/38/1?usersig={signed('ann').upper()}",
        f"click/a%2Fb/38/1?usersig={signed('a/b')}",
        f"click/{VISITOR}/38/1",
        "click/3735928559-1-42-4294967295/38/1",
        "click/not_defined/38/1",
        f"login/{VISITOR}/ann?usersig={signed('ann')}",
        "click/ann/38/1?consent=0",  # counted, linked to nobody
    ],
)
def test_it_takes_events_of_visitors_and_of_accounts_that_the_site_signed(target: str) -> None:
    assert len(send(target).rows) == 1


@pytest.mark.parametrize(
    "target",
    [
        "click/ann/38/1",
        f"click/ann/38/1?usersig={'0' * 32}",
        f"click/bob/38/1?usersig={signed('ann')}",
        f"click/ann/38/1?usersig={signed('ann', key='2222-bbbb')}",
        f"click/ann/38/1?usersig={signed('ann', customer='502')}",
        f"login/{VISITOR}/ann",
        f"login/{VISITOR}/ann?usersig={signed(VISITOR)}",
        f"login/bob/ann?usersig={signed('ann')}",
        f"rendered/ann/38/1,2?usersig={signed('bob')}",
        "triggeropened/ann?triggername=x",
    ],
)
def test_it_refuses_whoever_speaks_for_an_account_without_proof(target: str) -> None:
    reason = refused(target)
    assert reason.status == 403
    assert "ann" not in reason.message
    assert "bob" not in reason.message


@pytest.mark.parametrize("signature", ["", "x", "é", "0" * 31, "0" * 33])
def test_it_says_what_a_signature_looks_like(signature: str) -> None:
    assert refused(f"click/ann/38/1?usersig={signature}").status == 400


def test_it_asks_each_event_of_a_batch() -> None:
    body = (
        '[{"event": "click", "user": "ann", "itemtype": 38, "item": 1},'
        f'{{"event": "click", "user": "ann", "itemtype": 38, "item": 1, "usersig": "{signed("ann")}"}}]'
    )
    found = send("events", body=body.encode())
    assert [row.user for row in found.rows] == [pseudonym("501", "ann")]
    assert b'"rejected":1' in found.answer.body


def test_it_signs_for_nobody_where_the_license_key_is_not_in_the_sites_file() -> None:
    other = replace(strict(), customer_id="777")
    with pytest.raises(BadEvent):
        intake.accept(
            f"/api/777/click/ann/38/1?usersig={signed('ann', customer='777')}".encode(),
            method="GET",
            headers={},
            find={"777": other}.get,
        )


def test_it_keeps_no_signature_of_a_refused_request() -> None:
    target = f"/api/501/click/ann/38/1?usersig={signed('bob')}"
    row = described(target.encode(), method="GET", reason=refused(target.removeprefix("/api/501/")))
    assert signed("bob") not in row.target
