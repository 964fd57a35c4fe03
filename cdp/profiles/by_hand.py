"""Somebody in charge joins two people, or parts what was joined, having seen what would become of it.

What would become is found by doing it and taking it back within one transaction, so it is never another
answer than what is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from cdp.profiles import accounts, merging
from cdp.profiles.groups import MOST_OF_A_KIND
from cdp.profiles.models import Account, Consent, Interaction, Profile, ProfileIdentifier, ProfileMerge
from cdp.profiles.names import is_tracked

REASON = "manual"


class CannotMerge(Exception):
    """The two cannot be joined; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A profile as it would be. ``names``: kind and sealed value of each."""

    uuid: str
    names: list[tuple[str, str]]
    attributes: dict[str, Any]
    interactions: int
    consents: int


def side_of(profile: Profile) -> Side:
    profile.refresh_from_db()
    names = ProfileIdentifier.objects.filter(profile=profile).order_by("pk")
    return Side(
        uuid=str(profile.uuid),
        names=list(names.values_list("kind", "sealed")),
        attributes=dict(sorted(profile.attributes.items())),
        interactions=Interaction.objects.filter(profile=profile).count(),
        consents=Consent.objects.filter(profile=profile).count(),
    )


@contextmanager
def taken_back(account: Account) -> Iterator[None]:
    """What is done within is undone at its end."""
    with accounts.locked(account):
        yield
        transaction.set_rollback(True)


def merge(one: Profile, other: Profile) -> Profile:
    """Join two people into the older profile, which is returned. Raises :class:`CannotMerge`."""
    with accounts.locked(one.account):
        found = Profile.objects.filter(account=one.account_id, pk__in={one.pk, other.pk})
        both = sorted(found, key=lambda each: (each.created_at, each.pk))
        if len(both) < 2:
            raise CannotMerge(gettext("These are not two people of one account."))
        refuse_too_many(both)
        winner, loser = both
        merging.merge(one.account, {loser.pk: winner.pk}, reason=REASON)
        winner.refresh_from_db()
        return winner


def refuse_too_many(both: list[Profile]) -> None:
    """Reference `cdp.md` 2.6: nobody has more than 50 names of a kind."""
    kinds = ProfileIdentifier.objects.filter(profile__in=both).values_list("kind", flat=True)
    for kind, count in Counter(kinds).items():
        if count > MOST_OF_A_KIND and not is_tracked(kind):
            words = gettext("Together they would have %(count)d %(kind)s names; %(most)d are allowed.")
            raise CannotMerge(words % {"count": count, "kind": kind, "most": MOST_OF_A_KIND})


def would_merge(one: Profile, other: Profile) -> Side:
    """The profile that both would be. Raises :class:`CannotMerge`."""
    with taken_back(one.account):
        return side_of(merge(one, other))


def would_part(record: ProfileMerge) -> tuple[Side, list[Side]]:
    """Who would come back, and what those would keep who have its names now.

    Raises :class:`~cdp.profiles.merging.CannotPart`.
    """
    with taken_back(record.account):
        names = ProfileIdentifier.objects.filter(pk__in=record.identifiers, account=record.account)
        holders = list(Profile.objects.filter(pk__in=names.values("profile")).order_by("pk"))
        loser = merging.unmerge(ProfileMerge.objects.get(pk=record.pk))
        return side_of(loser), [side_of(one) for one in holders]


def merges_into(profile: Profile) -> list[ProfileMerge]:
    """Records of who was merged into the profile, and into those it took in; the newest first."""
    found: dict[int, ProfileMerge] = {}
    wave = [profile.uuid]
    while wave:
        rows = ProfileMerge.objects.filter(account=profile.account_id, winner__in=wave).exclude(pk__in=found)
        new = {row.pk: row for row in rows}
        found |= new
        wave = [row.loser for row in new.values() if row.undone_at is None]
    return sorted(found.values(), key=lambda row: -row.pk)
