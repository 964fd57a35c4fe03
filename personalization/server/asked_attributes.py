"""Which attributes requests want models divided by (engine-protocol.md 5.9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from personalization.server.models import AskedAttribute

MOST = 20  # of a model; names come from requests
_noted: dict[tuple[int, str], date] = {}


def note(model: int, attributes: Iterable[str]) -> None:
    """Remember that somebody asked for these; written once a day for each."""
    today = datetime.now(UTC).date()
    for attribute in list(attributes)[:MOST]:
        if _noted.get((model, attribute)) != today:
            if len(_noted) > 10_000:
                _noted.clear()
            _noted[model, attribute] = today
            store(model, attribute[:64], today)


def store(model: int, attribute: str, today: date) -> None:
    rows = AskedAttribute.objects.filter(model=model)
    if not rows.filter(attribute=attribute).update(last_asked=today) and rows.count() < MOST:
        row = AskedAttribute(model_id=model, attribute=attribute, last_asked=today)
        AskedAttribute.objects.bulk_create([row], ignore_conflicts=True)


def forget() -> None:
    """Note everything again."""
    _noted.clear()
