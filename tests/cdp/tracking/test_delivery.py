"""What was accepted reaches its place, or somebody hears why not ..."""

from __future__ import annotations

import time
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, DataError, IntegrityError
from django.test import Client

from cdp.profiles import accounts, identifiers, interactions
from cdp.profiles.interactions import BadInteraction
from cdp.profiles.models import Interaction, Profile, Suppression
from cdp.profiles.signals import erased
from cdp.tracking import checks, forget, message
from cdp.tracking.models import Message
from config import site_access
from config.customers.directory import directory
from tests.cdp.tracking.conftest import ACCOUNT, COID, CUSTOMER, OTHER, SITES, work
from tracking.models import Event
from tracking.people import erase, whom

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])


def hit(client: Client, coid: str = COID, **params: str) -> None:
    answer = client.get(f"/t/{ACCOUNT}.rsa", {"coid": coid, **params})
    assert answer.status_code == 204, answer.content


def told(**options: Any) -> str:
    out = StringIO()
    call_command("cdp_tracking", stdout=out, **options)
    return out.getvalue()


def test_it_delivers_again_what_a_crash_left(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    hit(client, p1="visit", p2="7")
    hit(client, p1="favorite", p2="7")

    def broken(*_arguments: Any) -> int:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(interactions, "record", broken)
        with pytest.raises(DatabaseError):
            work()
    assert (Message.objects.count(), Event.objects.count()) == (2, 1)
    assert work() == 2
    assert (Event.objects.count(), Interaction.objects.count()) == (1, 1)


def test_it_puts_aside_what_can_never_be_delivered(client: Client) -> None:
    for item in ("7", "SKU-1"):
        hit(client, p1="favorite", p2=item)
    Message.objects.filter(pk=Message.objects.latest("pk").pk).update(body="damaged")
    assert work() == 2
    assert Interaction.objects.count() == 1
    assert "was SECRET_KEY changed" in told()
    assert [one.text for one in checks.queue()] == ["1 tracked events cannot be delivered"]
    assert work() == 0
    Message.objects.update(received=time.time_ns() // 1000 - forget.REFUSED_MICROSECONDS - 1)
    forget.tidy()
    assert not Message.objects.exists()


def test_it_refuses_items_that_the_customer_has_no_more(client: Client, sites: Any) -> None:
    own = "cdp: {account_number: 123456}"
    sites.write_text(SITES.replace(own, f"{own}\n      repository: {{content: {{use_remote_id: true}}}}"))
    site_access.reload()
    directory.forget()
    hit(client, p1="visit", p2="SKU-1")
    hit(client, p1="visit", p2="8")
    sites.write_text(SITES)
    site_access.reload()
    directory.forget()
    work()
    assert list(Event.objects.values_list("item_id", flat=True)) == ["8"]
    assert "p2 must be" in told(account=ACCOUNT)


def test_it_puts_aside_what_was_taken_and_fits_no_row(client: Client) -> None:
    hit(client, p1="favorite", p2="7")
    first = Message.objects.get()
    said = {"p12": "9999999999", "p13": "1000000"}
    bad = replace(message.opened(first), event="buy in store", params=said, event_id="bad")
    message.sealed(bad, account=ACCOUNT, customer_id=first.customer_id, received=first.received).save()
    hit(client, p1="favorite", p2="8")
    assert work() == 3
    assert Interaction.objects.count() == 2
    assert Message.objects.get().refused.startswith("p12 (price) times p13 (quantity) must be at most")


@pytest.mark.parametrize(
    "reason", [DataError("value 14"), TypeError(), OverflowError(), IntegrityError(), BadInteraction("no")]
)
def test_it_delivers_around_a_message_that_fails(
    client: Client, monkeypatch: pytest.MonkeyPatch, reason: Exception
) -> None:
    for item in ("7", "8", "9"):
        hit(client, p1="favorite", p2=item)
    record = interactions.record

    def failing(account: Any, source: str, rows: Any) -> int:
        if any(one.product_id == "8" for one in rows):
            raise reason
        return record(account, source, rows)

    monkeypatch.setattr(interactions, "record", failing)
    assert work() == 3
    assert sorted(Interaction.objects.values_list("product_id", flat=True)) == ["7", "9"]
    assert "14" not in Message.objects.get().refused
    assert [one.text for one in checks.queue()] == ["1 tracked events cannot be delivered"]


def test_doctor_notices_when_nobody_delivers(client: Client) -> None:
    hit(client, p1="favorite", p2="7")
    assert list(checks.queue()) == []
    Message.objects.update(received=time.time_ns() // 1000 - checks.LONGEST_WAIT - 1)
    assert "wait for more than 15 minutes" in next(checks.queue()).text


def test_it_counts_what_came(client: Client) -> None:
    hit(client, p1="favorite", p2="7")
    client.get(f"/t/{ACCOUNT}.rsa?p1=pageview", headers={"user-agent": "Googlebot"})
    assert told().splitlines() == [
        f"account {ACCOUNT}: 1 from robots",
        f"account {ACCOUNT}: 1 stored",
        "1 wait for the worker.",
        "0 cannot be delivered; each is kept for seven days.",
    ]
    assert "account" not in told(account=9).replace("--account", "")


def test_it_forgets_what_waits_of_an_erased_person(client: Client) -> None:
    account = accounts.find(ACCOUNT)
    assert account is not None
    hit(client, p1="favorite", p2="7")
    hit(client, OTHER, p1="favorite", p2="8")
    digest = identifiers.digest(ACCOUNT, identifiers.COOKIE, COID)
    erased.send(sender=None, account=account.pk, identifiers=[(identifiers.COOKIE, digest)])
    work()
    assert list(Interaction.objects.values_list("product_id", flat=True)) == ["8"]


def test_it_brings_nobody_back_who_was_erased(client: Client) -> None:
    account = accounts.find(ACCOUNT)
    hit(client, p1="favorite", p2="7")
    hit(client, p1="visit", p2="7")
    digest = identifiers.digest(ACCOUNT, identifiers.COOKIE, COID)
    Suppression.objects.create(account=account, kind=identifiers.COOKIE, digest=digest)
    work()
    assert not Profile.objects.exists()


def test_it_links_nothing_to_who_was_erased_from_tracking(client: Client) -> None:
    hit(client, p1="visit", p2="7")
    erase.finish(erase.begin(whom.own(CUSTOMER, COID), linked=False))
    work()
    assert [(one.event, one.user) for one in Event.objects.all()] == [("click", "")]
