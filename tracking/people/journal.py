"""What collectors have accepted and not moved into the tables yet, as a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from django.conf import settings
from django.db import connections

from tracking.people import postgres_journal, sqlite_journals
from tracking.people.spans import Span


class Journal:
    name = "journal"

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        yield from keeper().find(spans)

    def outdated(self, customer_id: str) -> int:
        return int(keeper().outdated(customer_id))

    def rekey(self, customer_id: str) -> Iterator[int]:
        """Only what the tables refused: all else is moved into them within seconds, and is re-keyed there."""
        yield keeper().rekey_refused(customer_id)

    def erase(self, spans: Sequence[Span], *, at: int) -> int:
        return int(keeper().erase(spans, at=at))


def keeper() -> ModuleType:
    on_postgres = connections[settings.EVENTS_DB].vendor == "postgresql"
    return postgres_journal if on_postgres else sqlite_journals
