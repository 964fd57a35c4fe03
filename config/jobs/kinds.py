"""Kinds of messages: who delivers them, how many in one call, and what two of one key become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from config.jobs.models import Outbox

HOUR = 3600
# Before the first to the tenth try; the schedule of the Standard Webhooks specification, 75 hours.
SCHEDULE_SECONDS = (0, 5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)

Payload = dict[str, Any]
Deliverer = Callable[[Outbox], int | None]
DelivererOfMany = Callable[[list[Outbox]], int | None]
Merge = Callable[[Payload, Payload], Payload]
Remains = Callable[[Payload, Payload], Payload | None]
Together = Callable[[Outbox], Q]


class RetryLater(Exception):
    """The delivery failed for now. ``seconds``: what the other side asked to wait, at most a day.

    ``tries``: give up after so many tries instead of ten.
    """

    def __init__(
        self,
        seconds: float | None = None,
        *,
        reason: str = "",
        tries: int = len(SCHEDULE_SECONDS),
        status: int | None = None,
    ) -> None:
        super().__init__(reason or "The other system asked for a later try.")
        self.seconds = seconds
        self.tries = tries
        self.status = status


class OneByOne(Exception):
    """The receiver would not have these messages together; the text says why."""


def newest(_older: Payload, newer: Payload) -> Payload:
    """What becomes of two messages of one key that wait: the newer says everything."""
    return newer


def nothing(_older: Payload, _newer: Payload) -> Payload | None:
    """What an older message still has to say once a newer one of its key was stored beside it."""
    return None


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How messages of one kind are delivered: up to ``most`` that ``together`` finds in one call."""

    deliver: DelivererOfMany
    merge: Merge = newest
    remains: Remains = nothing
    most: int = 1
    together: Together | None = None


kinds: dict[str, Kind] = {}


def delivery(
    kind: str, *, merge: Merge = newest, remains: Remains = nothing
) -> Callable[[Deliverer], Deliverer]:
    """Register the decorated function as the deliverer of ``kind``.

    ``merge`` makes one payload of an older and a newer message of one key; ``remains`` says what an older one
    alone says, None if that is nothing.
    """

    def register(deliverer: Deliverer) -> Deliverer:
        kinds[kind] = Kind(deliver=lambda messages: deliverer(messages[0]), merge=merge, remains=remains)
        return deliverer

    return register


def delivery_of_many(
    kind: str, *, most: int, together: Together, merge: Merge = newest, remains: Remains = nothing
) -> Callable[[DelivererOfMany], DelivererOfMany]:
    """The same for a function that takes several messages: up to ``most`` that wait and match ``together``.

    What it raises counts for all of them; :class:`OneByOne` has each tried alone.
    """

    def register(deliverer: DelivererOfMany) -> DelivererOfMany:
        kinds[kind] = Kind(deliver=deliverer, merge=merge, remains=remains, most=most, together=together)
        return deliverer

    return register


def merged(kind: str, older: Payload, newer: Payload) -> Payload:
    return kinds[kind].merge(older, newer) if kind in kinds else newer


def remains(kind: str, older: Payload, newer: Payload) -> Payload | None:
    return kinds[kind].remains(older, newer) if kind in kinds else None
