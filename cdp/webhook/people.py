"""Whom a request names: a user by number or by address (reference `cdp.md` 4.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower

from config.rows import texts
from personalization.segments import changes

LARGEST_KEY = 2**63


def resolve(people: Iterable[str], *, identifier: str) -> Mapping[str, int | None]:
    """Person -> primary key of the user, None for whom several users are; who is nobody is left out.

    ``identifier``: what a person is, ``userid`` or ``email``.
    """
    return by_key(people) if identifier == "userid" else by_email(people)


def by_key(people: Iterable[str]) -> dict[str, int | None]:
    numbers = {one: int(one) for one in people if one.isascii() and one.isdigit() and len(one) < 20}
    numbers = {one: number for one, number in numbers.items() if number < LARGEST_KEY and str(number) == one}
    known = changes.users_of(numbers.values())
    return {one: number for one, number in numbers.items() if number in known}


def by_email(people: Iterable[str]) -> dict[str, int | None]:
    wanted: dict[str, list[str]] = {}
    for one in people:
        if address := one.strip().lower():  # who has no address is not everybody without one
            wanted.setdefault(address, []).append(one)
    owners: dict[str, list[int]] = {}
    for address, user in owners_of(set(wanted)):
        owners.setdefault(address, []).append(user)
    return {one: of[0] if len(of) == 1 else None for address, of in owners.items() for one in wanted[address]}


def owners_of(addresses: set[str]) -> Iterator[tuple[str, int]]:
    """Lower-case addresses with the keys of their users; the index `cdp_user_address` finds them."""
    users: QuerySet[Any] = get_user_model()._default_manager.all()
    name = get_user_model().get_email_field_name()
    found = users.annotate(address=Lower(name)).filter(address__in=texts(addresses))
    yield from found.values_list("address", "pk")
    if connection.vendor == "sqlite":
        yield from owners_beyond_ascii(users, name, {one for one in addresses if not one.isascii()})


def owners_beyond_ascii(users: QuerySet[Any], name: str, addresses: set[str]) -> Iterator[tuple[str, int]]:
    """Those that SQLite, whose LOWER knows the letters of ASCII only, did not find. Few users have such."""
    if not addresses:
        return
    rows = users.filter(**{f"{name}__regex": r"[^\x00-\x7f]"}).values_list(name, "pk")
    for address, user in rows.iterator():
        lower = address.lower()
        # LOWER found the others.
        if lower in addresses and lower != ascii_lower(address):
            yield lower, user


def ascii_lower(text: str) -> str:
    return "".join(one.lower() if one.isascii() else one for one in text)
