"""Reading events back: a user's history across logins, what is new.

**Whose events are these?** A login edge hands everything that the source did up to that moment over to the
target (engine-protocol, 1.3: "complete history of the source id is moved"). What the same device does after
a logout stays its own until its next login. So an event of user S at time t belongs to S until the first
edge out of S at or after t; then to that edge's target, until the target itself is handed over, and so on.
Nothing is rewritten: edges can be removed and the history is as before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connections

from tracking.forms import Forms
from tracking.models import Event, IdentityEdge

# A device is handed over a few times a year; what goes beyond these bounds is old history.
MOST_INTERVALS = 64
DEEPEST_CHAIN = 8
SIDES = ("source", "target")
END_OF_TIME = 2**62
COLUMNS = (
    "event, item_type, item_id, ts, quantity, price, currency, percentage, rating, category_path, scenario"
)


class PastEvent(NamedTuple):
    """One event of a user's history. ``ts``: microseconds since 1970 in UTC; ``price``: of one unit."""

    event: str
    item_type: int | None
    item_id: str
    ts: int
    quantity: int | None
    price: Decimal | float | None
    currency: str
    percentage: int | None
    rating: int | None
    category_path: str
    scenario: str


class Interval(NamedTuple):
    """The events of ``user`` with ``after < ts <= until``."""

    user: str
    after: int
    until: int


@dataclass(frozen=True, slots=True)
class Ownership:
    """Events of ``source`` with ``after < ts <= until`` count as events of ``owner``."""

    source: str
    after: int
    until: int
    owner: str


Read = tuple[tuple[str, ...], int]  # event codes, all when empty, and how many of the newest


def history(customer_id: str, *users: str, events: Iterable[str] = (), limit: int = 100) -> list[PastEvent]:
    """The newest events of a user, newest first, with those of earlier ids resolved.

    ``users``: the pseudonyms of one user (:func:`tracking.rotation.keys.living`), one unless keys are rotated
    just now; "" (not_defined) has no history.
    ``events``: event codes to keep, all when empty. Cost: one indexed query for the edges of each step back
    (one for almost everybody) and one for the events; at most 64 handed-over intervals are looked at.
    """
    [found] = histories(customer_id, *users, reads=[(tuple(events), limit)])
    return found


def histories(customer_id: str, *users: str, reads: Sequence[Read]) -> list[list[PastEvent]]:
    """Several histories of one user for the cost of one, each as :func:`history` gives it.

    Almost nobody ever logged in from another id: whether this user did is asked together with the events.
    """
    if not any(users):
        return [[] for _ in reads]
    forms = Forms(customer_id)
    [user] = {forms.name(one) for one in users}
    own = [Interval(form, 0, END_OF_TIME) for form in forms.of([user])]
    rows = read_past(customer_id, own, reads, edges_of=[one.user for one in own])
    if any(part == EDGE for part, *_ in rows):
        rows = read_past(customer_id, holdings(customer_id, *users), reads)
    found: list[list[PastEvent]] = [[] for _ in reads]
    for part, *row in rows:
        if len(found[part]) < reads[part][1]:
            found[part].append(PastEvent(*row))
    return found


EDGE = -1
AN_EDGE = (
    f"SELECT {EDGE} AS part, '' AS event, CAST(NULL AS integer) AS item_type, '' AS item_id, ts,"  # noqa: S608
    " CAST(NULL AS integer) AS quantity, CAST(NULL AS numeric) AS price, '' AS currency,"
    " CAST(NULL AS integer) AS percentage, CAST(NULL AS integer) AS rating, '' AS category_path,"
    " '' AS scenario FROM tracking_identityedge WHERE customer_id = %s AND {side} IN ({marks}) LIMIT 1"
)


def read_past(
    customer_id: str, intervals: Sequence[Interval], reads: Sequence[Read], *, edges_of: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    """Number of the read and its events, the newest first; :data:`EDGE` where one of ``edges_of`` has any."""
    marks = ", ".join(["%s"] * len(edges_of))
    parts = [AN_EDGE.format(side=side, marks=marks) for side in SIDES] if edges_of else []
    values: list[Any] = [value for _ in parts for value in (customer_id, *edges_of)]
    for number, (codes, limit) in enumerate(reads):
        wanted = f" AND event IN ({', '.join(['%s'] * len(codes))})" if codes else ""
        for interval in intervals:
            parts.append(
                f"SELECT {number} AS part, {COLUMNS} FROM tracking_event WHERE customer_id = %s"  # noqa: S608
                f" AND {quoted_user()} = %s AND ts > %s AND ts <= %s{wanted} ORDER BY ts DESC LIMIT %s"
            )
            values += [customer_id, *interval, *codes, limit]
    several = " UNION ALL ".join(f"SELECT * FROM ({one}) AS p{n}" for n, one in enumerate(parts))  # noqa: S608
    return fetch(f"{several} ORDER BY ts DESC", values)


def of_segment(
    customer_id: str, segment: int, *, event: str, since: int, limit: int = 5_000
) -> list[PastEvent]:
    """The newest events of one code by members of a segment, newest first, since ``since`` (µs).

    Reads all events of the code that were received in that time, by the index over ``received``.
    """
    sql = (
        f"SELECT {COLUMNS} FROM tracking_event WHERE customer_id = %s AND received >= %s"  # noqa: S608
        " AND event = %s AND ts >= %s AND (',' || segments || ',') LIKE %s ORDER BY ts DESC LIMIT %s"
    )
    values = [customer_id, since, event, since, f"%,{int(segment)},%", limit]
    return [PastEvent(*row) for row in fetch(sql, values)]


def any_after(customer_id: str, *, events: Sequence[str], ts: int) -> bool:
    """Whether an event of these codes happened after ``ts`` (µs) and was received since."""
    marks = ", ".join(["%s"] * len(events))
    sql = (
        "SELECT 1 FROM tracking_event WHERE customer_id = %s AND received > %s"  # noqa: S608
        f" AND event IN ({marks}) AND ts > %s LIMIT 1"
    )
    return bool(fetch(sql, [customer_id, ts, *events, ts]))


def holdings(customer_id: str, *users: str) -> list[Interval]:
    """Which intervals of which ids belong now to the user of these pseudonyms; the user's own ones first."""
    forms = Forms(customer_id)
    [user] = {forms.name(one) for one in users}
    last_out, incoming = edges_around(forms, {user})
    own = Interval(user, newest_before(last_out[user], END_OF_TIME), END_OF_TIME)
    found = [own]
    wave = [Interval(s, 0, t) for s, t in incoming[user] if t > own.after]
    for _depth in range(DEEPEST_CHAIN):
        if not wave or len(found) >= MOST_INTERVALS:
            break
        outgoing, incoming = edges_around(forms, {handed.user for handed in wave})
        following = []
        for handed in wave:
            after = newest_before(outgoing[handed.user], handed.until)
            found.append(Interval(handed.user, after, handed.until))
            following += [Interval(s, 0, t) for s, t in incoming[handed.user] if after < t < handed.until]
        wave = list(dict.fromkeys(following))
    return [one._replace(user=form) for one in found[:MOST_INTERVALS] for form in forms.of([one.user])]


def edges_around(
    forms: Forms, users: set[str]
) -> tuple[dict[str, list[int]], dict[str, list[tuple[str, int]]]]:
    """Times of the edges out of each user (ascending), and (source, time) of those into each."""
    outgoing: dict[str, list[int]] = defaultdict(list)
    incoming: dict[str, list[tuple[str, int]]] = defaultdict(list)
    ends = forms.of(users)
    marks = ", ".join(["%s"] * len(ends))
    # Two indexed halves: an OR over both columns reads the whole table on some planners.
    half = "SELECT source, target, ts FROM tracking_identityedge WHERE customer_id = %s AND {} IN ({})"
    newest = " ORDER BY ts DESC LIMIT 500"
    halves = [f"SELECT * FROM ({half.format(side, marks)}{newest}) AS {side}s" for side in SIDES]  # noqa: S608
    sql = " UNION ".join(halves)
    values = [forms.customer_id, *ends, forms.customer_id, *ends]
    for source, target, ts in named(forms, fetch(f"{sql} ORDER BY ts", values)):
        outgoing[source].append(ts)
        incoming[target].append((source, ts))
    return outgoing, incoming


def named(forms: Forms, edges: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """The edges with names for forms; while keys are rotated an edge may stand there in two."""
    return list(dict.fromkeys((forms.name(source), forms.name(target), ts) for source, target, ts in edges))


def newest_before(times: list[int], until: int) -> int:
    """The newest of ascending ``times`` that is before ``until``, 0 when there is none."""
    earlier = [t for t in times if t < until]
    return earlier[-1] if earlier else 0


def ownership(customer_id: str) -> list[Ownership]:
    """All handed-over intervals of a customer with their owner of today, for learning from the lake.

    Join them to the lake's events: ``user = source AND ts > after AND ts <= until`` -> ``owner``; events
    without a match keep their user. Each event matches at most one row.
    """
    forms = Forms(customer_id)
    rows = IdentityEdge.objects.filter(customer_id=customer_id).order_by("ts", "id")
    edges = named(forms, rows.values_list("source", "target", "ts"))
    starts: list[int] = []
    last: dict[str, int] = {}
    for source, _target, ts in edges:
        starts.append(last.get(source, 0))
        last[source] = ts
    # From the newest edge back: whoever holds something just after an edge is known already.
    later: dict[str, tuple[list[int], list[str]]] = defaultdict(lambda: ([], []))
    found = []
    for (source, target, ts), after in zip(reversed(edges), reversed(starts), strict=True):
        owner = owner_after(later[target], ts) or target
        times, owners = later[source]
        times.append(-ts)
        owners.append(owner)
        if after < ts:
            found += [Ownership(form, after, ts, owner) for form in forms.of([source])]
    return found[::-1]


def owner_after(later: tuple[list[int], list[str]], ts: int) -> str:
    """The owner through the first edge after ``ts``. Times are negated, so that the list ascends."""
    times, owners = later
    position = bisect_right(times, -ts - 1)
    return owners[position - 1] if position else ""


def fetch(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connections[settings.EVENTS_DB].cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def quoted_user() -> str:
    return '"user"'  # a reserved word of PostgreSQL


class StoredEvent(NamedTuple):
    """A row as whoever follows the events reads it; ``order_id``: "" where there is none."""

    id: int
    event: str
    user: str
    item_type: int | None
    item_id: str
    ts: int
    quantity: int | None
    price: Decimal | float | None
    currency: str
    percentage: int | None
    rating: int | None
    category_path: str
    scenario: str
    trigger_name: str
    order_id: str


class Login(NamedTuple):
    """What the source did until ``ts`` is the target's."""

    id: int
    source: str
    target: str
    ts: int


def stored_after(customer_id: str, after: int, *, until: int, limit: int) -> list[StoredEvent]:
    """The next rows of a customer by id, ``until`` of :func:`tracking.horizon.settled_id`; for followers."""
    rows = Event.objects.filter(customer_id=customer_id, pk__gt=after, pk__lte=until).order_by("pk")
    return [StoredEvent(*row) for row in rows.values_list(*StoredEvent._fields)[:limit]]


def logins_after(customer_id: str, after: int, *, until: int, limit: int) -> list[Login]:
    """The same of logins."""
    rows = IdentityEdge.objects.filter(customer_id=customer_id, pk__gt=after, pk__lte=until).order_by("pk")
    return [Login(*row) for row in rows.values_list(*Login._fields)[:limit]]


def logins_of(customer_id: str, sources: Iterable[str]) -> list[Login]:
    """All logins out of these pseudonyms, by time, with the ends in the form of today.

    A login that is stored in an older form too is found by the newer one.
    """
    edges = IdentityEdge.objects.filter(customer_id=customer_id, source__in=list(sources))
    return [Login(*row) for row in edges.order_by("ts", "pk").values_list(*Login._fields)]
