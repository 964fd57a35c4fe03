"""Lists that editors write: what a model of the kind editorial_list recommends, and what a blacklist hides.

Lists belong to a customer and have an identifier, by which models and the API of old plug-ins name them
(engine-protocol.md 2.7, 5.6).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from personalization.server.models import EditorialList, Scenario

Entry = tuple[int, str, int]  # item type, item id, relevance
KEPT_SECONDS = 1.0
MOST_ENTRIES = 10_000
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

_kept: dict[tuple[str, str], tuple[float, Stored | None]] = {}
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


class WrongList(ValueError):
    """Entries that cannot be stored; the message says which and why."""


class Stored(NamedTuple):
    """A list as it is stored: its entries, the most relevant first, and when it was written."""

    entries: list[Entry]
    updated_at: datetime


def read(customer_id: str, identifier: str) -> list[Entry]:
    """The entries of a list, the most relevant first, at most a second old; none where there is no list."""
    found = kept(customer_id, identifier)
    return found.entries if found else []


def changed_at(customer_id: str, identifier: str) -> datetime:
    """When a list was written last, at most a second ago; long ago where there is none."""
    found = kept(customer_id, identifier)
    return found.updated_at if found else NEVER


def kept(customer_id: str, identifier: str) -> Stored | None:
    known = _kept.get((customer_id, identifier))
    if known is None or time.monotonic() - known[0] >= KEPT_SECONDS:
        known = _kept[customer_id, identifier] = (time.monotonic(), find(customer_id, identifier))
    return known[1]


def find(customer_id: str, identifier: str) -> Stored | None:
    row = EditorialList.objects.filter(customer_id=customer_id, identifier=identifier).first()
    if row is None:
        return None
    entries = [(int(kind), str(item), int(relevance)) for kind, item, relevance in row.entries]
    return Stored(sorted(entries, key=lambda entry: -entry[2]), row.updated_at)


def stored(customer_id: str, identifier: str) -> list[Entry] | None:
    """The entries as they are stored now, the most relevant first; None where there is no list."""
    found = find(customer_id, identifier)
    return found.entries if found else None


def replace(customer_id: str, identifier: str, entries: Sequence[Entry]) -> None:
    """Make these the entries of a list, which is made where it is not there. Raises :class:`WrongList`."""
    for (kind, item), times in Counter((kind, item) for kind, item, _ in entries).items():
        if times > 1:
            raise WrongList(f"The item {item} of type {kind} stands in the list {times} times.")
    if len(entries) > MOST_ENTRIES:
        raise WrongList(f"A list may hold at most {MOST_ENTRIES} items; got {len(entries)}.")
    with transaction.atomic():
        EditorialList.objects.update_or_create(
            customer_id=customer_id,
            identifier=identifier,
            defaults={"entries": [list(entry) for entry in entries]},
        )
    _kept.pop((customer_id, identifier), None)


def remove(customer_id: str, identifier: str) -> bool:
    """Remove a list; whether there was one."""
    with transaction.atomic():
        rows = EditorialList.objects.filter(customer_id=customer_id, identifier=identifier)
        count, _ = rows.delete()
        if count:
            # What is gone has no date of its own, and answers that held it must not stay in caches.
            Scenario.objects.filter(customer_id=customer_id).update(updated_at=timezone.now())
    _kept.pop((customer_id, identifier), None)
    return bool(count)


def forget() -> None:
    """Read every list afresh."""
    _kept.clear()
