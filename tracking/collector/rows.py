"""What the intake hands to the writer: one tuple per database row, in the order of the columns."""

from __future__ import annotations

from typing import NamedTuple

# Columns that say something of the person; an event that is nobody's is stored without.
OF_PERSON = ("user", "segments", "order_id")


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
    order_id: str = ""  # last: what stands in a journal from before it is shorter


def unlinked(row: EventRow) -> EventRow:
    """The same event as nobody's."""
    return row._replace(user="", segments="", order_id="")


class EdgeRow(NamedTuple):
    """A row of :class:`tracking.models.IdentityEdge`."""

    customer_id: str
    source: str
    target: str
    ts: int
