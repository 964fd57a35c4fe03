"""Accounts: those of the table, and those that the sites file names, which exist by themselves.

A customer of a site with an ``account_number`` feeds that account.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from cdp import configuration
from cdp.profiles.identifiers import SYSTEM
from cdp.profiles.models import Account, Feed, PersonIdentifier
from config import sealing


def find(number: int) -> Account | None:
    """The account, made now if only the sites file knows it."""
    account = Account.objects.filter(number=number).first()
    if account is None and number in configuration.current().accounts:
        account = create(number, name=f"Account {number}")
    return account


def all_accounts() -> list[Account]:
    """Every account, those of the sites file included; feeds of the sites file are made on the way."""
    for number, customers in configuration.current().accounts.items():
        if account := find(number):
            for customer_id in customers:
                feed(account, customer_id)
    return list(Account.objects.order_by("number"))


def create(number: int, *, name: str, time_zone: str = "UTC") -> Account:
    """An account with its system identifiers; the one that is there already if there is one."""
    with transaction.atomic():
        account, is_new = Account.objects.get_or_create(
            number=number, defaults={"name": name, "time_zone": time_zone}
        )
        if is_new:
            PersonIdentifier.objects.bulk_create(
                PersonIdentifier(account=account, name=one, is_system=True) for one in SYSTEM
            )
    return account


@contextmanager
def locked(account: Account) -> Iterator[None]:
    """A transaction in which nobody else changes the people of the account.

    One lock for all, taken first, is why nobody ever waits for each other in a circle. Readers do not wait.
    """
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).filter(pk=account.pk).values_list("pk").first()
        yield


def feed(account: Account, customer_id: str) -> Feed:
    """Let the tracked events of a customer be the account's too, those of the past as well."""
    return Feed.objects.get_or_create(account=account, customer_id=customer_id)[0]


def customers_of(account: Account) -> list[str]:
    """The customers whose events are the account's too, those of the sites file included."""
    rows = account.feeds.order_by("pk").values_list("customer_id", flat=True)
    return list(dict.fromkeys((*configuration.current().accounts.get(account.number, ()), *rows)))


def new_key(account: Account) -> str:
    """A new API key, in clear only here; the one before is not valid any more."""
    key = secrets.token_urlsafe(32)
    Account.objects.filter(pk=account.pk).update(api_key_digest=digest_of(key))
    return key


def accepts(account: Account, key: str) -> bool:
    """Whether it is the account's API key; an account without one accepts none."""
    return bool(account.api_key_digest) and hmac.compare_digest(account.api_key_digest, digest_of(key))


def digest_of(key: str) -> str:
    return sealing.fingerprint(key, purpose="cdp-api-key")
