"""What is stored of one person, in numbers: for whoever looks before taking or erasing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Max, Min

from config.customers.directory import directory
from tracking.people import export
from tracking.people.archive import Lake
from tracking.people.places import places
from tracking.people.spans import Span
from tracking.people.tables import Events, events_of


@dataclass(kw_only=True)
class Kind:
    """Events of one kind. ``first`` and ``last``: microseconds since 1970."""

    event: str
    count: int
    first: int
    last: int

    @property
    def begins(self) -> datetime:
        return datetime.fromtimestamp(self.first / 1e6, UTC)

    @property
    def ends(self) -> datetime:
        return datetime.fromtimestamp(self.last / 1e6, UTC)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """``elsewhere``: place -> rows beside the events; the lake, which holds copies of them, is not read.

    ``devices``: how many devices logged in as this person, and what they did until then (``before_login``).
    """

    kinds: list[Kind]
    segments: list[int]
    elsewhere: dict[str, int]
    devices: int
    before_login: list[Kind]
    erasures: list[dict[str, str]]
    consent_required: bool

    @property
    def is_empty(self) -> bool:
        return not (self.kinds or self.before_login or self.erasures or any(self.elsewhere.values()))


def of(own: tuple[Span, ...], linked: tuple[Span, ...]) -> Summary:
    account = directory.find(own[0].customer_id)
    other = [place for place in places() if place.name not in (Events.name, Lake.name)]
    return Summary(
        kinds=kinds_of(own),
        segments=segments_of(own),
        elsewhere={place.name: sum(1 for _row in place.find(own)) for place in other},
        devices=len({span.user for span in linked}),
        before_login=kinds_of(linked),
        erasures=[export.receipt_of(one) for one in export.tombstones_of(own)],
        consent_required=bool(account and account.consent_required),
    )


def kinds_of(spans: Sequence[Span]) -> list[Kind]:
    """The most frequent first."""
    found: dict[str, Kind] = {}
    for span in spans:
        rows = events_of(span).order_by().values("event")
        for row in rows.annotate(count=Count("pk"), first=Min("ts"), last=Max("ts")):
            known = found.setdefault(row["event"], Kind(**row | {"count": 0}))
            known.count += row["count"]
            known.first, known.last = min(known.first, row["first"]), max(known.last, row["last"])
    return sorted(found.values(), key=lambda one: (-one.count, one.event))


def segments_of(spans: Sequence[Span]) -> list[int]:
    """Every segment that came with an event of the person."""
    found: set[int] = set()
    for span in spans:
        listed = events_of(span).exclude(segments="").order_by().values_list("segments", flat=True)
        for text in listed.distinct():
            found.update(map(int, text.split(",")))
    return sorted(found)
