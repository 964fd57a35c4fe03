"""The one place in which segments, their groups and their members change (reference `cdp.md` 4.2, 4.5).

A group that a customer data platform fills is locked: people may look at it and its segments, and change
neither. ``by_platform`` is for the platform itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from config import rows
from personalization.segments import locks
from personalization.segments.models import IDENTIFIER, Membership, Segment, SegmentGroup

R = TypeVar("R", SegmentGroup, Segment)
LONGEST_NAME = 100
MEMBERS = Membership._meta.db_table


class SegmentFault(Exception):
    """A change that cannot be; ``code`` is for programs, the message for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Locked(SegmentFault):
    """The group is kept by a customer data platform."""

    def __init__(self, group: SegmentGroup) -> None:
        super().__init__(
            "segment_group_locked",
            f"The segment group {group.identifier} is filled by the customer data platform and cannot be"
            " changed by hand; remove the activation that names it first.",
        )


def create_group(*, identifier: str, name: str) -> SegmentGroup:
    check(identifier, name)
    with unique(identifier):
        return SegmentGroup.objects.create(identifier=identifier, name=name)


def change_group(
    group: SegmentGroup, *, identifier: str | None = None, name: str | None = None
) -> SegmentGroup:
    unlocked(group)
    return changed(group, identifier=identifier, name=name)


def remove_group(group: SegmentGroup) -> None:
    """Remove a group with its segments and their members."""
    unlocked(group)
    group.delete()


def create_segment(
    group: SegmentGroup, *, identifier: str, name: str, by_platform: bool = False, **told: Any
) -> Segment:
    """``told``: what the platform says of the audience."""
    if not by_platform:
        unlocked(group)
    check(identifier, name)
    with unique(identifier):
        return Segment.objects.create(group=group, identifier=identifier, name=name, **told)


def change_segment(
    segment: Segment,
    *,
    identifier: str | None = None,
    name: str | None = None,
    group: SegmentGroup | None = None,
) -> Segment:
    unlocked(segment.group)
    if group is not None:
        unlocked(group)
        segment.group = group
    return changed(segment, identifier=identifier, name=name)


def remove_segment(segment: Segment) -> None:
    unlocked(segment.group)
    segment.delete()


def assign(segment: Segment, users: Collection[int], *, by_platform: bool = False) -> int:
    """Put users (primary keys) into a segment; return how many were not in it."""
    if not by_platform:
        unlocked(segment.group)
    return add_members((segment.pk, user) for user in users)


def unassign(segment: Segment, users: Collection[int], *, by_platform: bool = False) -> int:
    """Take users out of a segment; return how many were in it."""
    if not by_platform:
        unlocked(segment.group)
    return remove_members((segment.pk, user) for user in users)


def add_members(pairs: Iterable[tuple[int, int]]) -> int:
    """Pairs of segment and user, as their keys; return how many are new. No lock is asked."""
    given, parameters = rows.table(sorted(set(pairs)), segment="number", member="number")
    # "WHERE true" tells SQLite that the ON after it belongs to the conflict.
    statement = f"""
        INSERT INTO {MEMBERS} (segment_id, user_id, since)
        SELECT segment, member, %s FROM {given} WHERE true
        ON CONFLICT (segment_id, user_id) DO NOTHING
    """  # noqa: S608 - a table of ours
    with connection.cursor() as cursor:
        cursor.execute(statement, [connection.ops.adapt_datetimefield_value(timezone.now()), *parameters])
        return int(cursor.rowcount)


def remove_members(pairs: Iterable[tuple[int, int]]) -> int:
    """The reverse of :func:`add_members`; return how many there were."""
    given, parameters = rows.table(sorted(set(pairs)), segment="number", member="number")
    statement = f"""
        DELETE FROM {MEMBERS} WHERE (segment_id, user_id) IN (SELECT segment, member FROM {given})
    """  # noqa: S608 - a table of ours
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def known_members(pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of some pairs that are there."""
    given, parameters = rows.table(list(pairs), segment="number", member="number")
    statement = f"""
        SELECT segment, member FROM {given}
        JOIN {MEMBERS} ON segment_id = segment AND user_id = member
    """  # noqa: S608 - a table of ours
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return set(cursor.fetchall())


def users_of(keys: Iterable[int]) -> set[int]:
    """Those of some primary keys that users have."""
    found = get_user_model()._default_manager.filter(pk__in=rows.numbers(set(keys)))
    return set(found.values_list("pk", flat=True))


def unlocked(group: SegmentGroup) -> None:
    if locks.is_locked(group.identifier):
        raise Locked(group)


def changed(row: R, *, identifier: str | None, name: str | None) -> R:
    row.identifier = row.identifier if identifier is None else identifier
    row.name = row.name if name is None else name
    check(row.identifier, row.name)
    with unique(row.identifier):
        row.save()
    return row


def check(identifier: str, name: str) -> None:
    if not re.fullmatch(IDENTIFIER, identifier):
        raise SegmentFault(
            "bad_identifier",
            "An identifier begins with a letter and has letters, digits, _ and -, at most 64 of them; "
            f"got {identifier[:80]!r}.",
        )
    if not name.strip() or len(name) > LONGEST_NAME or "\0" in name:
        raise SegmentFault("bad_name", f"A name has 1 to {LONGEST_NAME} characters; got {name[:120]!r}.")


@contextmanager
def unique(identifier: str) -> Iterator[None]:
    """Turn a second use of an identifier into a sentence; what was written before it stays usable."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise SegmentFault("identifier_taken", f"The identifier {identifier} is taken.") from None
