"""What collectors have accepted and not moved into the tables yet, as a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import connections

from tracking.people import postgres_journal, sqlite_journals
from tracking.people.spans import Span


class Journal:
    name = "journal"

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        yield from postgres_journal.find(spans) if on_postgres() else sqlite_journals.find(spans)

    def erase(self, spans: Sequence[Span], *, at: int) -> int:
        return postgres_journal.erase(spans, at=at) if on_postgres() else sqlite_journals.erase(spans, at=at)


def on_postgres() -> bool:
    return connections[settings.EVENTS_DB].vendor == "postgresql"
