"""News of the read model for the layers above. Sent after the commit; carries ids, not objects."""

from __future__ import annotations

from dataclasses import dataclass

from django.dispatch import Signal


@dataclass(frozen=True, kw_only=True)
class ItemRef:
    """Names one row of the read model."""

    site_id: int
    item_type: str
    item_type_id: int
    content_id: int
    remote_id: str
    language: str


class NotNow(Exception):
    """A receiver cannot hear news until somebody mends something; they are kept and told again."""


# Both send ``refs: list[ItemRef]``.
item_changed = Signal()  # written or updated and visible
item_removed = Signal()  # no longer visible to the public, or gone
