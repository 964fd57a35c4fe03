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

    def erase(self, spans: Sequence[Span], *, at: int) -> int:
        """Remove what was received until ``at`` (microseconds); return how much that was.

        What was received later but happened before belongs to nobody from now on. Safe to call again, and
        after a crash at any point.
        """
        ...
