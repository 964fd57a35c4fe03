"""Page types of the demo site, and the tables of the read model."""

from __future__ import annotations

from content.items.record import ContentId, DirtyItem, Item

__all__ = ["ContentId", "DirtyItem", "Item"]
