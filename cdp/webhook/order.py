"""Which of two actions on the same user and segment is the later one.

By the numbers of their requests (``sequence``) where both have one, else by their arrival (decisions,
webhook). An item that is tried again, and one that waits while a request is applied at once, must not undo
what is later; nor must a request that was overtaken on its way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from cdp.models import BulkBatch, BulkItem, LastChange
from cdp.webhook import settled
from cdp.webhook.apply import Step
from config import rows

if TYPE_CHECKING:
    from cdp.webhook.queue import Item

Pair = tuple[int, int]
EVER = 2**63
FACTS = -1  # stands for the user where a request is about the segment itself


def sequences_of(batches: Collection[UUID]) -> dict[UUID, int]:
    """Batch -> its request's number, of those that have one."""
    found = BulkBatch.objects.filter(pk__in=batches, sequence__isnull=False)
    return {batch: number for batch, number in found.values_list("pk", "sequence") if number is not None}


def overtaken(client_id: str, steps: Sequence[Step], sequences: Sequence[int | None]) -> list[bool]:
    """Whether a later request has changed the pair of each step already; those that are later are noted."""
    numbered = {
        (step.segment, step.user)
        for step, number in zip(steps, sequences, strict=True)
        if number is not None and step.user is not None
    }
    if not numbered:
        return [False] * len(steps)
    known = last_changes(client_id, numbered)
    now = dict(known)
    found = []
    for step, number in zip(steps, sequences, strict=True):
        if number is None or step.user is None:
            found.append(False)
            continue
        pair = step.segment, step.user
        found.append(number < now.get(pair, number))
        now[pair] = max(number, now.get(pair, number))
    note(client_id, {pair: number for pair, number in now.items() if known.get(pair) != number})
    return found


def overtaken_facts(client_id: str, segments: Iterable[int], *, sequence: int | None) -> set[int]:
    """Those of the segments (keys) of which a later request has told already; of the others this is noted."""
    steps = [Step(one, FACTS, is_add=True) for one in dict.fromkeys(segments)]
    late = overtaken(client_id, steps, [sequence] * len(steps))
    return {one.segment for one, is_late in zip(steps, late, strict=True) if is_late}


def last_changes(client_id: str, pairs: Collection[Pair]) -> dict[Pair, int]:
    given, parameters = rows.table(list(pairs), wanted="number", member="number")
    statement = f"""
        SELECT wanted, member, sequence FROM {given}
        JOIN {LastChange._meta.db_table} AS known
        ON client_id = %s AND known.segment = wanted AND known.{quoted("user")} = member
    """  # noqa: S608 - names of ours
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, client_id])
        return {(segment, user): number for segment, user, number in cursor.fetchall()}


def note(client_id: str, numbers: Mapping[Pair, int]) -> None:
    now = timezone.now()
    LastChange.objects.bulk_create(
        [
            LastChange(client_id=client_id, segment=segment, user=user, sequence=number, changed_at=now)
            for (segment, user), number in sorted(numbers.items())
        ],
        batch_size=1_000,
        update_conflicts=True,
        unique_fields=["client_id", "segment", "user"],
        update_fields=["sequence", "changed_at"],
    )


def quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


def supersede_waiting(client_id: str, steps: Sequence[Step], *, is_sequenced: bool) -> None:
    """Of a request that is applied at once: older items of its pairs, failed ones too.

    Where both have numbers these decide, when the turn of the item comes.
    """
    pairs = {(one.segment, one.user): EVER for one in steps if one.user is not None}
    older = Q(status=BulkItem.Status.QUEUED) | Q(attempts__gt=0)
    supersede(client_id, older, pairs, is_sequenced=is_sequenced)


def supersede_tried(client_id: str, applied: Sequence[tuple[Item, int | None]]) -> None:
    """Of items that were applied, each with its request's number: older items of their pairs that failed or
    are tried again."""
    older = Q(attempts__gt=0)
    if not BulkItem.objects.filter(older, client_id=client_id).exists():
        return
    for is_sequenced in (False, True):
        newest = {
            (one.segment, one.user): one.pk
            for one, number in applied
            if one.user is not None and (number is not None) == is_sequenced
        }
        supersede(client_id, older, newest, is_sequenced=is_sequenced)


def supersede(client_id: str, older: Q, newest: Mapping[Pair, int], *, is_sequenced: bool) -> None:
    """Leave out the items of some pairs with numbers below those given."""
    found = BulkItem.objects.filter(older, client_id=client_id)
    if not newest or not found.exists():
        return
    if is_sequenced:
        found = found.filter(batch__sequence__isnull=True)
    found = found.filter(segment__in={segment for segment, _ in newest})
    found = found.filter(user__in=rows.numbers({user for _, user in newest}))
    old = [
        (pk, batch, status)
        for pk, batch, status, segment, user in found.values_list(
            "pk", "batch_id", "status", "segment", "user"
        )
        if user is not None and pk < newest.get((segment, user), 0)
    ]
    settled.drop(pk for pk, _, _ in old)
    changes = settled.counted((batch, "superseded") for _, batch, _ in old)
    for _, batch, status in old:
        if status == BulkItem.Status.FAILED:
            changes[batch]["failed"] -= 1
    settled.count(changes)
