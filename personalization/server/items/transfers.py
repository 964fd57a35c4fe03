"""Items that go on under another id: their events count for the new one (engine-protocol.md 2.5).

Nothing is rewritten; the lake and the events database keep what was tracked, and whoever reads them asks
here. What is tracked of the old id after the transfer is a new item's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import transaction

from personalization.server.items import store
from personalization.server.items.revisions import Key
from personalization.server.models import ItemTransfer

KEPT_SECONDS = 5.0
MICROSECONDS = 1_000_000
MOST = 10_000


class Moved(NamedTuple):
    """Events of ``source`` with ``after < ts <= until`` (µs) are about ``target``."""

    source: Key
    after: int
    until: int
    target: Key


_kept: dict[str, tuple[float, list[Moved], dict[Key, list[Moved]]]] = {}


def transfer(customer_id: str, pairs: Sequence[tuple[Key, Key]]) -> None:
    """Point the events of each source at its target and remove the source; all or nothing."""
    now = int(time.time() * MICROSECONDS)
    moment = store.moment_now()
    with transaction.atomic():
        ItemTransfer.objects.bulk_create(
            ItemTransfer(
                customer_id=customer_id,
                source_type=source[0],
                source_id=source[1],
                target_type=target[0],
                target_id=target[1],
                ts=now,
            )
            for source, target in pairs
        )
        for source, _target in pairs:
            store.remove(customer_id, item_type=source[0], item_id=source[1], language="", moment=moment)
    _kept.pop(customer_id, None)


def moves(customer_id: str) -> list[Moved]:
    """All transfers of a customer with where the events belong today, the earliest first."""
    return known(customer_id)[1]


def sources(customer_id: str) -> Mapping[Key, object]:
    """The items that any events were transferred from."""
    return known(customer_id)[2]


def today(customer_id: str, key: Key, ts: int) -> Key:
    """The item that an event of ``key`` at ``ts`` (µs) is about."""
    for one in known(customer_id)[2].get(key, ()):
        if one.after < ts <= one.until:
            return one.target
    return key


def known(customer_id: str) -> tuple[float, list[Moved], dict[Key, list[Moved]]]:
    found = _kept.get(customer_id)
    if found is None or time.monotonic() - found[0] >= KEPT_SECONDS:
        moved = read(customer_id)
        by_source: dict[Key, list[Moved]] = {}
        for one in moved:
            by_source.setdefault(one.source, []).append(one)
        found = _kept[customer_id] = (time.monotonic(), moved, by_source)
    return found


def read(customer_id: str) -> list[Moved]:
    """In order of time, so that a transfer also takes along what had been transferred to its source."""
    rows = ItemTransfer.objects.filter(customer_id=customer_id).order_by("ts", "pk")
    found: list[Moved] = []
    for row in rows:
        source, target = (row.source_type, row.source_id), (row.target_type, row.target_id)
        found = [one._replace(target=target) if one.target == source else one for one in found]
        after = max((one.until for one in found if one.source == source), default=-1)
        found.append(Moved(source, after, row.ts, target))
    return found


def forget() -> None:
    """Read everything afresh."""
    _kept.clear()
