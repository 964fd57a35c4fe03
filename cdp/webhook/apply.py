"""Applying actions to the members of segments, in order and as sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models.functions import Lower

from cdp.models import BulkItem
from personalization.segments import changes

Status = BulkItem.Status
BATCH = 1_000
LARGEST_KEY = 2**63


class Step(NamedTuple):
    """One action: the keys of a segment and of a user, None for who is not known here, and what to do."""

    segment: int
    user: int | None
    is_add: bool


def apply(steps: Sequence[Step]) -> list[Status]:
    """Apply all steps in their order within the caller's transaction; what became of each.

    Who is not known, or is gone by now, is skipped. An add of a member and a remove of nobody change nothing.
    """
    users = changes.users_of(step.user for step in steps if step.user is not None)
    before = changes.known_members({(step.segment, step.user) for step in steps if step.user in users})
    now = set(before)
    found = []
    for step in steps:
        if step.user is None or step.user not in users:
            found.append(Status.SKIPPED)
            continue
        pair = step.segment, step.user
        if (pair in now) == step.is_add:
            found.append(Status.UNCHANGED)
            continue
        found.append(Status.APPLIED)
        (now.add if step.is_add else now.discard)(pair)
    changes.add_members(now - before)
    changes.remove_members(before - now)
    return found


def resolve(people: Iterable[str], *, identifier: str) -> Mapping[str, int]:
    """Person -> primary key of the user. ``identifier``: what a person is, ``userid`` or ``email``.

    Who is not one user alone is left out.
    """
    return by_key(people) if identifier == "userid" else by_email(people)


def by_key(people: Iterable[str]) -> dict[str, int]:
    numbers = {one: int(one) for one in people if one.isascii() and one.isdigit() and len(one) < 20}
    numbers = {one: number for one, number in numbers.items() if number < LARGEST_KEY and str(number) == one}
    known = changes.users_of(numbers.values())
    return {one: number for one, number in numbers.items() if number in known}


def by_email(people: Iterable[str]) -> dict[str, int]:
    """An address that several users have is nobody's."""
    wanted: dict[str, list[str]] = {}
    for one in people:
        if address := one.strip().lower():  # who has no address is not everybody without one
            wanted.setdefault(address, []).append(one)
    addresses = sorted(wanted)
    owners: dict[str, list[int]] = {}
    users = get_user_model()._default_manager.annotate(address=Lower("email"))
    for start in range(0, len(addresses), BATCH):
        rows = users.filter(address__in=addresses[start : start + BATCH]).values_list("address", "pk")
        for address, user in rows:
            owners.setdefault(address, []).append(user)
    return {one: of[0] for address, of in owners.items() if len(of) == 1 for one in wanted[address]}
