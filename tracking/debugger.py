"""What came in lately, stored or refused, for people who connect a site.

Everything is read from the newest end of the tables and within bounds, because nobody waits for a debugger
and the tables hold years. A stored event is shown as the request that would store it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from django.db.models import Max, QuerySet

from tracking import horizon, mistakes
from tracking.events import NOT_DEFINED, RULES, Shape
from tracking.marks import MOST_SHOWN, Mark, Seen
from tracking.models import Event, RefusedRequest

WINDOW = 200_000  # newest rows that are searched
PATIENCE_SECONDS = 0.2  # with writers, before rows are read again instead
STORED, REFUSED = "stored", "refused"
# Columns that are not what a parameter holds.
UNSENT = {"minor_price", "fullprice", "overridetimestamp", "signature", "consent", "usersig"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the reader asked for; empty means everything. ``users``: the stored forms of one user."""

    customer_id: str = ""
    event: str = ""
    users: tuple[str, ...] = ()
    outcome: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One request. ``received``: microseconds since 1970."""

    received: int
    customer_id: str
    event: str
    user: str = ""
    about: str = ""
    status: int = 204
    request: str = ""
    reason: str = ""

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.received / 1e6, UTC)

    @property
    def refused(self) -> bool:
        return self.status >= 400

    @property
    def fix(self) -> str:
        """What to do about the reason of a refusal."""
        return mistakes.told(self.reason).fix if self.reason else ""


@dataclass(frozen=True, kw_only=True)
class News:
    """What is new, the newest first, and where to go on from."""

    lines: list[Line] = field(default_factory=list)
    seen: Seen


def news(wanted: Wanted, *, seen: Seen) -> News:
    """Return the new lines, at most :data:`MOST_SHOWN` stored and as many refused ones."""
    events, refusals = seen.events, seen.refusals
    lines: list[Line] = []
    asked = list(tables(wanted))
    if Event in asked:
        stored, events = read(Event, wanted, events)
        lines += map(of_event, stored)
    if RefusedRequest in asked:
        refused, refusals = read(RefusedRequest, wanted, refusals)
        lines += map(of_refusal, refused)
    lines.sort(key=lambda line: line.received, reverse=True)
    return News(lines=lines, seen=Seen(events, refusals))


def read(model: Any, wanted: Wanted, mark: Mark) -> tuple[list[Any], Mark]:
    """The rows that the reader has not seen, the newest first, and the mark to go on from."""
    # Before the rows are read, so that they are complete up to here.
    settled = horizon.settled_id(table=model._meta.db_table, patience=PATIENCE_SECONDS)
    rows = list(new_rows(model, wanted, mark))
    return rows, mark.moved(settled=settled, shown=[row.pk for row in rows])


def before_newest(model: Any, count: int) -> int:
    """The id below which there are only older rows than the newest ``count``; 0 when there are not as many.

    Counted in rows: ids jump where an import meets what is stored already, and where rows were deleted.
    """
    return int(model.objects.order_by("-pk").values_list("pk", flat=True)[count : count + 1].first() or 0)


def new_rows(model: Any, wanted: Wanted, mark: Mark) -> QuerySet[Any]:
    floor = mark.floor
    if newest_of(model) - floor > WINDOW:
        floor = max(floor, before_newest(model, WINDOW))
    rows: QuerySet[Any] = model.objects.filter(pk__gt=floor)
    if mark.above:
        rows = rows.exclude(pk__in=mark.above)
    return fitting(rows, wanted).order_by("-pk")[:MOST_SHOWN]


def newest_of(model: Any) -> int:
    return int(model.objects.aggregate(newest=Max("pk"))["newest"] or 0)


def fitting(rows: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    """The rows of the customer, event and user asked for. A refused request has no user."""
    names = ("customer_id", "event")
    rows = rows.filter(**{name: getattr(wanted, name) for name in names if getattr(wanted, name)})
    return rows.filter(user__in=wanted.users) if wanted.users else rows


def tables(wanted: Wanted) -> Iterator[Any]:
    """Where to look for what is asked for."""
    if wanted.outcome != REFUSED:
        yield Event
    if wanted.outcome != STORED and not wanted.users:
        yield RefusedRequest


def of_event(row: Event) -> Line:
    return Line(
        received=row.received,
        customer_id=row.customer_id,
        event=row.event,
        user=row.user,
        about=f"{row.item_type}/{row.item_id}" if row.item_type else row.trigger_name,
        request=request_of(row),
    )


def of_refusal(row: RefusedRequest) -> Line:
    return Line(
        received=row.received,
        customer_id=row.customer_id,
        event=row.event,
        status=row.status,
        request=f"{row.method} {row.target}".strip(),
        reason=row.message,
    )


def request_of(row: Event) -> str:
    """The request that stores this event again, with the pseudonym in place of the user id."""
    rule = RULES[row.event]
    subject = [row.customer_id, row.event, row.user or NOT_DEFINED]
    if rule.shape is Shape.LOGIN:
        subject.insert(2, "[source]")
    if row.item_type:
        subject += [str(row.item_type), row.item_id]
    sent = dict(parameters_of(row, rule.by_name))
    query = "?" + urlencode(sent, quote_via=quote, safe="/:,") if sent else ""
    return "GET /api/" + "/".join(quote(part, safe="[]") for part in subject) + query


def parameters_of(row: Event, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if row.price is not None:
        name = "price" if row.event == "wishlist" else "fullprice"
        yield name, f"{plain(row.price)}{row.currency}"
    for name, parameter in known.items():
        if name != parameter.name or parameter.column in UNSENT or name == "currency":
            continue
        value = getattr(row, parameter.column)
        if value not in (None, ""):
            yield name, str(value)


def plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
