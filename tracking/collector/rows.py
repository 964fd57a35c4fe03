"""What the intake hands to the writer: one tuple per database row, in the order of the columns."""

from __future__ import annotations

from typing import NamedTuple


class EventRow(NamedTuple):
    """A row of :class:`tracking.models.Event` without its id. Times are microseconds in UTC."""

    customer_id: str
    event: str
    user: str
    item_type: int | None
    item_id: str
    ts: int
    received: int
    quantity: int | None = None
    price: str | None = None  # decimal of one unit
    currency: str = ""
    percentage: int | None = None
    rating: int | None = None
    category_path: str = ""
    scenario: str = ""
    model_id: str = ""
    request_uuid: str = ""
    segments: str = ""
    lang: str = ""
    trigger_name: str = ""
    event_id: str | None = None
    seq: int = 0


class EdgeRow(NamedTuple):
    """A row of :class:`tracking.models.IdentityEdge`."""

    customer_id: str
    source: str
    target: str
    ts: int
