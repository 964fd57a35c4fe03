"""What a place is where something of a person may stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from tracking.people.spans import Span


class Place(Protocol):
    """One place. Every place passes the behaviour test in tests/tracking/test_people.py."""

    @property
    def name(self) -> str:
        """One word for receipts and exports."""
        ...

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        """Everything that stands here of the person, each as a JSON object."""
        ...

    def outdated(self, customer_id: str) -> int:
        """How much stands here of a customer under an older generation of keys (:mod:`tracking.identity`)."""
        ...

    def rekey(self, customer_id: str) -> Iterator[int]:
        """Bring that into the form of today, in batches; yield the size of each.

        Safe to call again, and after a crash at any point. Others read and write meanwhile.
        """
        ...

    def erase(self, spans: Sequence[Span], *, at: int) -> int:
        """Remove what was received until ``at`` (microseconds); return how much that was.

        What was received later but happened before belongs to nobody from now on. Safe to call again, and
        after a crash at any point.
        """
        ...
