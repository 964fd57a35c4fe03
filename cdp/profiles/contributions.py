"""What sources say of people: rows that are added and changed one by one, or whole sets that take the place
of the one before (reference `cdp.md` 2.2, "Write modes").

A set is written beside the one in force, as a generation; :func:`switch` turns the page. What all sources
say together stands on the profile, and is kept so in the same transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from django.db import connection
from django.db.models import QuerySet

from cdp.profiles import accounts, attributes, rows, values
from cdp.profiles.attributes import Data
from cdp.profiles.models import Account, Contribution, ProfileIdentifier, Source

PAGE = 5_000


class Said(NamedTuple):
    """What is said of the person behind an identity: attribute -> value, None clears it."""

    identity: ProfileIdentifier
    data: dict[str, Any]


class Outcome(NamedTuple):
    """How many people were new to the source, changed, or said the same of as before."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


class BadGeneration(Exception):
    """The generation was not begun, or is in force or over already; the message says which."""


def source(account: Account, name: str) -> Source:
    """The source of that name, made now if it is new."""
    return Source.objects.get_or_create(account=account, name=name)[0]


def append(source: Source, said: Sequence[Said], *, at: int | None = None) -> Outcome:
    """Add to what is in force: values replace values, None clears one, others stay.

    ``at``: microseconds, now unless given. Of two rows of one identity the later is laid over the earlier.
    People who were erased meanwhile are left out.
    """
    at = now() if at is None else at
    given: dict[int, dict[str, Any]] = {}
    for identity, data in said:
        given.setdefault(identity.pk, {}).update(data)
    with accounts.locked(source.account):
        source.refresh_from_db()
        work = compare(source, source.generation, given, laid_over, at=at)
        store(source, source.generation, work)
        attributes.refresh({one.profile for one in work if not one.is_same})
        learn_types(source, work)
    return outcome(work)


def begin(source: Source) -> int:
    """The number of a new generation, which nobody else has."""
    with accounts.locked(source.account):
        source.refresh_from_db()
        number = max(source.begun, source.generation) + 1
        Source.objects.filter(pk=source.pk).update(begun=number)
    return number


def stage(source: Source, generation: int, said: Sequence[Said]) -> Outcome:
    """Write rows of a generation that is not in force yet; of two of one identity the later counts.

    The outcome compares with what is in force. Raises :class:`BadGeneration`.
    """
    given = {identity.pk: data for identity, data in said}
    with accounts.locked(source.account):
        source.refresh_from_db()
        refuse_wrong(source, generation)
        work = compare(source, source.generation, given, alone, at=now())
        store(source, generation, work)
        learn_types(source, work)
    return outcome(work)


def refuse_wrong(source: Source, generation: int) -> None:
    if not source.generation < generation <= source.begun:
        raise BadGeneration(
            f"Generation {generation} of {source.name} cannot be written: {source.generation} is in force,"
            f" {source.begun} was the last that was begun."
        )


@dataclass(slots=True)
class Work:
    """What becomes of one identity. ``is_same``: its profile shows all of it already."""

    identity: int
    profile: int
    before: Data | None
    after: Data
    is_same: bool

    @property
    def is_unchanged(self) -> bool:
        before = self.before
        return before is not None and attributes.values_of(before) == attributes.values_of(self.after)


def laid_over(before: Data, given: dict[str, Any], at: int) -> Data:
    after = dict(before)
    for name, value in given.items():
        if value is None:
            after.pop(name, None)
        else:
            after[name] = [values.plain(value), at]
    return after


def alone(_before: Data, given: dict[str, Any], at: int) -> Data:
    return {name: [values.plain(value), at] for name, value in given.items() if value is not None}


Becomes = Callable[[Data, dict[str, Any], int], Data]
PRESENT = """
    SELECT i.id, i.profile_id, c.data, p.attributes FROM given
    JOIN profiles_profileidentifier i ON i.id = given.identity
    JOIN profiles_profile p ON p.id = i.profile_id
    LEFT JOIN profiles_contribution c
    ON c.source_id = %s AND c.generation = %s AND c.identity_id = i.id
    WHERE i.account_id = %s
"""


def compare(
    source: Source, generation: int, given: dict[int, dict[str, Any]], becomes: Becomes, *, at: int
) -> list[Work]:
    """What becomes of each identity, beside what ``generation`` says of it."""
    found = rows.fetch(
        rows.given(identity="int") + PRESENT,
        rows.listed((pk,) for pk in given),
        source.pk,
        generation,
        source.account_id,
    )
    work = []
    for pk, profile, data, shown in found:
        before: Data | None = None if data is None else orjson.loads(data)
        after = becomes(before or {}, given[pk], at)
        work.append(Work(pk, profile, before, after, is_shown(before, after, orjson.loads(shown))))
    return work


def is_shown(before: Data | None, after: Data, shown: dict[str, Any]) -> bool:
    """Whether the profile stays as it is, and no other source's word is older than these: then the time of
    writing, all that differs, decides nothing."""
    return (
        before is not None
        and before.keys() <= after.keys()
        and all(name in shown and same(shown[name], written[0]) for name, written in after.items())
    )


def same(one: Any, other: Any) -> bool:
    """1, 1.0 and true are three values."""
    return type(one) is type(other) and bool(one == other)


STORE = """
    INSERT INTO profiles_contribution (source_id, generation, identity_id, data, is_same)
    SELECT %s, %s, identity, data, is_same <> 0 FROM given WHERE true
    ON CONFLICT (source_id, generation, identity_id)
    DO UPDATE SET data = excluded.data, is_same = excluded.is_same
"""


def store(source: Source, generation: int, work: Sequence[Work]) -> None:
    in_force = generation == source.generation
    listed = rows.listed(
        (one.identity, one.after, int(one.is_same))
        for one in work
        if not (in_force and one.is_same and one.is_unchanged)
    )
    columns = rows.given(identity="int", data="json", is_same="int")
    rows.write(columns + STORE, listed, source.pk, generation)


def outcome(work: Sequence[Work]) -> Outcome:
    inserted = sum(one.before is None for one in work)
    unchanged = sum(one.is_unchanged for one in work)
    return Outcome(inserted, len(work) - inserted - unchanged, unchanged)


def learn_types(source: Source, work: Sequence[Work]) -> None:
    """Remember of which types the attributes are."""
    types = dict(source.types)
    for one in work:
        for name, (value, _at) in one.after.items():
            kind = values.type_of(value)
            if types.get(name) != kind:
                types[name] = values.wider(types.get(name), kind)
    if types != source.types:
        Source.objects.filter(pk=source.pk).update(types=types)


def switch(source: Source, generation: int) -> int:
    """Put a generation into force; return how many identities of the one before are not in it.

    One transaction: readers see the old set or the new one. Those of whom nobody says anything any more and
    who did nothing leave the population. Raises :class:`BadGeneration`.
    """
    with accounts.locked(source.account):
        source.refresh_from_db()
        refuse_wrong(source, generation)
        old = source.generation
        Source.objects.filter(pk=source.pk).update(generation=generation)
        show(source, generation)
        renew(source, generation)
        removed = take_off(source, old, generation)
    source.refresh_from_db()
    for overtaken in begun_before(source, old):
        discard(source, overtaken)
    tidy(source)
    return removed


CHANGED = """
    SELECT c.identity_id, i.profile_id FROM profiles_contribution c
    JOIN profiles_profileidentifier i ON i.id = c.identity_id
    WHERE c.source_id = %s AND c.generation = %s AND NOT c.is_same AND c.identity_id > %s
    ORDER BY c.identity_id LIMIT %s
"""


SHOW = """
    UPDATE profiles_profile SET is_listed = true WHERE NOT is_listed AND id IN (
        SELECT i.profile_id FROM profiles_contribution c
        JOIN profiles_profileidentifier i ON i.id = c.identity_id
        WHERE c.source_id = %s AND c.generation = %s
    )
"""


def show(source: Source, generation: int) -> None:
    """Whom only this set has named is somebody now."""
    with connection.cursor() as cursor:
        cursor.execute(SHOW, [source.pk, generation])


def renew(source: Source, generation: int) -> None:
    """The attributes of those of whom the new set says something new, page by page."""
    last = 0
    while page := rows.fetch(CHANGED, source.pk, generation, last, PAGE):
        attributes.refresh({profile for _pk, profile in page})
        last = page[-1][0]


MISSING = """
    SELECT c.identity_id, i.profile_id FROM profiles_contribution c
    JOIN profiles_profileidentifier i ON i.id = c.identity_id
    WHERE c.source_id = %s AND c.generation = %s AND c.identity_id > %s AND NOT EXISTS (
        SELECT 1 FROM profiles_contribution n
        WHERE n.source_id = c.source_id AND n.generation = %s AND n.identity_id = c.identity_id
    )
    ORDER BY c.identity_id LIMIT %s
"""


def take_off(source: Source, old: int, generation: int) -> int:
    """Of whom the new set says nothing: their attributes go, or they do."""
    last = removed = 0
    while page := rows.fetch(MISSING, source.pk, old, last, generation, PAGE):
        profiles = {profile for _pk, profile in page}
        attributes.drop_empty(profiles)
        attributes.refresh(profiles)
        removed += len(page)
        last = page[-1][0]
    return removed


def discard(source: Source, generation: int) -> None:
    """Forget a generation that never came into force, and the people only it has named.

    Raises :class:`BadGeneration`.
    """
    source.refresh_from_db()
    if generation == source.generation:
        raise BadGeneration(f"Generation {generation} of {source.name} is in force and cannot be discarded.")
    old = rows_of(source, generation=generation)
    while page := list(old.values_list("pk", "identity__profile")[:PAGE]):
        with accounts.locked(source.account):
            Contribution.objects.filter(pk__in=[pk for pk, _profile in page]).delete()
            attributes.drop_empty({profile for _pk, profile in page})


def begun_before(source: Source, old: int) -> list[int]:
    """Generations that can never come into force any more. ``old``: the one that was until now."""
    staged = rows_of(source, generation__lt=source.generation).exclude(generation=old)
    return sorted(staged.values_list("generation", flat=True).distinct())


def tidy(source: Source) -> None:
    """Remove what is not in force any more; whom nobody names left when it went out of force."""
    old = rows_of(source, generation__lt=source.generation)
    while page := list(old.values_list("pk", flat=True)[:PAGE]):
        Contribution.objects.filter(pk__in=page).delete()


def rows_of(source: Source, **which: int) -> QuerySet[Contribution]:
    return Contribution.objects.filter(source=source, **which).order_by()


def now() -> int:
    return time.time_ns() // 1_000
