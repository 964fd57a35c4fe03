"""History in bulk: imported files and simulated visitors, past the socket but by the same rules.

Rows go through :mod:`tracking.fields` and the same sinks as live events, in large transactions. Only imports
and simulations call this; live events go through the intake.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from tracking import fields
from tracking.collector.rows import EdgeRow, EventRow
from tracking.collector.single import edges_of, item_type_of, read
from tracking.collector.sinks import Sink, sink_for
from tracking.events import NOT_DEFINED, RULES, Shape
from tracking.fields import BadEvent, shown
from tracking.identity import pseudonym
from tracking.parameters import COMMON
from tracking.people import tombstones
from tracking.rotation import keys

EARLIEST = 631_152_000_000_000  # 1990
PAUSE_SECONDS = 0.005  # lets live writers of the same SQLite file in
MOST_REMEMBERED = 16_384
NEEDS_ITEM = frozenset(code for code, rule in RULES.items() if rule.shape in (Shape.ITEM, Shape.ITEMS))


class HistoricEvent(NamedTuple):
    """One event of the past. ``user`` is the raw id; it is stored as its pseudonym.

    ``ts``: an aware datetime, or microseconds since 1970 in UTC. ``price``: of one unit, decimal as text.
    For ``login``: ``user`` is the target and ``source`` the id used before.
    ``event_id`` makes a second import of the same row a duplicate instead of a second event; the events of a
    bundle share it and count in ``seq``, from 0.
    """

    event: str
    user: str
    ts: datetime | int
    item_type: int | None = None
    item_id: str = ""
    quantity: int | None = None
    price: str | None = None
    currency: str = ""
    percentage: int | None = None
    rating: int | None = None
    category_path: str = ""
    scenario: str = ""
    event_id: str | None = None
    source: str = ""
    trigger_name: str = ""
    model_id: str = ""
    request_uuid: str = ""
    segments: str = ""
    lang: str = ""
    seq: int = 0
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class StoreResult:
    """How many events were new, were there already, and were refused."""

    stored: int
    duplicates: int
    rejected: int = 0


OnReject = Callable[[int, HistoricEvent, str], None]
OnCommit = Callable[[StoreResult], None]


def store(
    customer_id: str,
    rows: Iterable[HistoricEvent],
    *,
    batch: int = 20_000,
    alphanumeric: bool = False,
    on_reject: OnReject | None = None,
    on_commit: OnCommit | None = None,
) -> StoreResult:
    """Commit historic events, ``batch`` of them in one transaction.

    ``on_reject(number, row, sentence)`` is told of every row that breaks a rule (numbered from 1) and the
    rest is stored; without it the first such row raises :class:`BadEvent` naming the number, and the batches
    before it stay. ``on_commit`` is told the state of things behind every transaction. ``alphanumeric``:
    whether the customer's items have string ids.
    """
    keys.note_quietly()
    stored = offered = 0
    reader = Reader(customer_id, alphanumeric=alphanumeric)
    with closing(sink_for(bulk=True)) as sink:
        events: list[EventRow] = []
        edges: list[EdgeRow] = []
        for row, event in reader.accepted(rows, on_reject):
            events.append(event)
            if row.source:
                edges.extend(reader.edges(row, event))
            if len(events) >= batch:
                offered, stored = offered + len(events), stored + flush(sink, events, edges)
                if on_commit:
                    on_commit(StoreResult(stored, offered - stored, reader.rejected))
        offered, stored = offered + len(events), stored + flush(sink, events, edges)
    outcome = StoreResult(stored, offered - stored, reader.rejected)
    if on_commit:
        on_commit(outcome)
    return outcome


def check(
    customer_id: str,
    rows: Iterable[HistoricEvent],
    *,
    alphanumeric: bool = False,
    on_reject: OnReject | None = None,
) -> int:
    """How many of the events :func:`store` would take; stores nothing and refuses the same rows."""
    reader = Reader(customer_id, alphanumeric=alphanumeric)
    return sum(1 for _ in reader.accepted(rows, on_reject))


def flush(sink: Sink, events: list[EventRow], edges: list[EdgeRow]) -> int:
    """Commit and empty both lists."""
    if not events:
        return 0
    stored = sink.store(*tombstones.apply(events, edges))
    events.clear()
    edges.clear()
    time.sleep(PAUSE_SECONDS)
    return stored


class Reader:
    """Checks historic rows; remembers users and items, which repeat."""

    def __init__(self, customer_id: str, *, alphanumeric: bool) -> None:
        self.customer_id = customer_id
        self.alphanumeric = alphanumeric
        self.received = time.time_ns() // 1000
        self.rejected = 0
        self._users: dict[str, str] = {}
        self._items: dict[str, str] = {}

    def accepted(
        self, rows: Iterable[HistoricEvent], on_reject: OnReject | None
    ) -> Iterator[tuple[HistoricEvent, EventRow]]:
        """Those that break no rule; ``on_reject`` as in :func:`store`."""
        for number, row in enumerate(rows, 1):
            try:
                event = self.read(row)
            except BadEvent as reason:
                if on_reject is None:
                    raise BadEvent(400, f"row {number}: {reason.message}") from reason
                on_reject(number, row, reason.message)
                self.rejected += 1
            else:
                yield row, event

    def read(self, row: HistoricEvent) -> EventRow:
        """Raises :class:`BadEvent` with the rule that is broken."""
        if row.event not in RULES:
            raise BadEvent(400, f"event {shown(row.event)} not found; known are {', '.join(RULES)}")
        if (row.event == "login") != bool(row.source) or row.source == row.user != "":
            raise BadEvent(400, "source must be another user id and only come with login")
        if row.event in NEEDS_ITEM:
            if not row.item_id or row.item_type is None:
                raise BadEvent(400, f"item_type and item_id must be given for {row.event}")
        elif row.item_id:
            raise BadEvent(400, f"item_id must not be given for {row.event}")
        *carried, order = settled(row.event, given_by(row))
        columns = (
            self.customer_id,
            row.event,
            self.user(row.user),
            item_type(row.item_type) if row.item_id and row.item_type is not None else None,
            self.item(row.item_id) if row.item_id else "",
            self.moment(row.ts),
            self.received,
            *carried,
            row.event_id if row.event_id is None else EVENT_ID("event_id", row.event_id),
            row.seq,
            order,
        )
        return EventRow._make(columns)

    def user(self, raw: str) -> str:
        known = self._users.get(raw)
        if known is None:
            forget(self._users)
            if not raw or len(raw.encode()) > fields.LONGEST_USER_BYTES:
                raise BadEvent(400, "user must be 1 to 1,024 bytes long")
            known = "" if raw == NOT_DEFINED else pseudonym(self.customer_id, raw)
            self._users[raw] = known
        return known

    def item(self, item_id: str) -> str:
        known = self._items.get(item_id)
        if known is None:
            forget(self._items)
            known = fields.item_id(item_id, alphanumeric=self.alphanumeric)
            self._items[item_id] = known
        return known

    def moment(self, ts: datetime | int) -> int:
        if isinstance(ts, datetime):
            if ts.tzinfo is None:
                raise BadEvent(400, f"ts must be a time with a zone; got {shown(ts.isoformat())}")
            ts = round(ts.timestamp() * 1_000_000)
        if not EARLIEST <= ts <= self.received + 300_000_000:
            raise BadEvent(400, f"ts must be between 1990 and now, in microseconds; got {ts}")
        return ts

    def edges(self, row: HistoricEvent, event: EventRow) -> list[EdgeRow]:
        """The edge of a login, unless one of its sides is nobody."""
        self.user(row.source)
        keys.settled.look()
        return edges_of(self.customer_id, row.source, row.user, ts=event.ts)


EVENT_ID = RULES["click"].by_name["eventid"].parse
# The columns behind `received`, in the order of a row, as far as an event may bring them; the order is last.
SETTLED = (
    *EventRow._fields[EventRow._fields.index("quantity") : EventRow._fields.index("event_id")],
    "order_id",
)
CARRIED = tuple(parameter for parameter in COMMON if parameter.column in SETTLED)
given_by = attrgetter(*SETTLED)


def forget(known: dict[str, str]) -> None:
    """Empty a memory that is full: what a million rows need must not grow with them."""
    if len(known) >= MOST_REMEMBERED:
        known.clear()


@lru_cache(maxsize=MOST_REMEMBERED)
def settled(code: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The columns of :data:`SETTLED` as a request with these values would have stored them.

    The rules are those of live events: what the event does not take is ignored. Rows repeat one another.
    """
    rule = RULES[code]
    given = dict(zip(SETTLED, values, strict=True))
    price, currency = given.pop("price"), given.pop("currency")
    given["fullprice"] = None if price is None else f"{price}{currency}"
    if currency:
        fields.CURRENCY("currency", currency)
    sent = [
        (parameter.name, str(given[parameter.column]))
        for parameter in rule.parameters + CARRIED
        if given.get(parameter.column) not in (None, "")
    ]
    found = read(rule, sent)
    return tuple(found.get(name, EventRow._field_defaults[name]) for name in SETTLED)


@lru_cache(maxsize=MOST_REMEMBERED)
def item_type(number: int) -> int:
    return int(item_type_of("item_type", str(number)))
