"""What an import is told and what it tells: the order, the rows it could read, why others were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DataError

from personalization.contracts import Credentials, items_of
from personalization.server.items import mapping, store
from personalization.server.items.mapping import Columns
from personalization.server.models import ImportRun

SHOWN_REJECTIONS = 20
# What a value may raise on its way into the database, or out of a document that nobody foresaw.
UNUSABLE = (DataError, ValueError, TypeError, ArithmeticError)


class Unusable(ValueError):
    """A document that holds no items; the message names its address."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """An import run with what its job needs to carry it out."""

    run: ImportRun
    moment: str
    uris: list[str]
    credentials: Credentials
    alphanumeric: bool


@dataclass(kw_only=True)
class Outcome:
    """Counts of an import, and why items were left out: the first reasons only, however many there are."""

    imported: int = 0
    removed: int = 0
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def reject(self, reason: str) -> None:
        self.rejected += 1
        if len(self.reasons) < SHOWN_REJECTIONS:
            self.reasons.append(reason)

    @property
    def sentences(self) -> str:
        """The reasons for the import history, one a line."""
        more = self.rejected - len(self.reasons)
        return "\n".join([*self.reasons, *([f"{more} more items were rejected."] if more else [])])


def read_items(raw: Any, order: Order, *, source: str, outcome: Outcome) -> list[Columns]:
    """Map the items of one document; the unusable ones end as reasons and stop nothing.

    Raises :class:`Unusable` where the document is no list of items.
    """
    try:
        items = items_of(raw)
    except ValueError as fault:
        raise Unusable(f"{source}: {fault}") from None
    found = []
    for one in items:
        try:
            found.append(
                mapping.columns_of(one, item_type=order.run.item_type, alphanumeric=order.alphanumeric)
            )
        except mapping.Rejected as reason:
            outcome.reject(str(reason))
        except UNUSABLE as fault:
            outcome.reject(f"An item cannot be read: {described(fault)}.")
    return found


def store_items(
    rows: Sequence[Columns], order: Order, *, outcome: Outcome, now: datetime | None = None
) -> None:
    """Write at most :data:`store.BATCH` rows; what the database refuses ends as a reason."""
    try:
        outcome.imported += upserted(rows, order, now=now)
    except UNUSABLE:
        for row in rows:
            try:
                outcome.imported += upserted([row], order, now=now)
            except UNUSABLE as fault:
                outcome.reject(f"Item {row.item_id[:80]!r} cannot be stored: {described(fault)}.")


def upserted(rows: Sequence[Columns], order: Order, *, now: datetime | None) -> int:
    return store.upsert(
        order.run.customer_id, rows, language=order.run.language, moment=order.moment, now=now
    )


def described(fault: Exception) -> str:
    """Kind and first line of an error."""
    text = str(fault).strip()
    return f"{type(fault).__name__}: {text.splitlines()[0][:200]}" if text else type(fault).__name__
