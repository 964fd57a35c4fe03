"""What happened around a person, the newest first: events, rows of dataflows, audiences, consents."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext

from cdp.audiences.conditions.moments import micros
from cdp.profiles.models import Contribution, Interaction, Profile
from cdp.screens.sources import labels

Said = dict[str, Any]  # attribute -> value
DEEPEST = 10_000  # so many events of one person are paged through


@dataclass(frozen=True, order=True)
class Entry:
    """``at``: microseconds since 1970. Of an event ``did`` is its key until it is read."""

    at: int
    kind: str
    text: str = field(compare=False, default="")
    source: str = field(compare=False, default="")
    did: int = field(default=0)
    event: Interaction | None = field(compare=False, default=None)


class Timeline:
    """All of it as a sequence that is cut into pages; only the rows of a page are read."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def __len__(self) -> int:
        return self.count

    @cached_property
    def count(self) -> int:
        return len(self.others) + min(DEEPEST, self.profile.interactions.count())

    def __getitem__(self, part: slice) -> list[Entry]:
        did = self.profile.interactions.order_by("-ts", "-pk").values_list("ts", "pk")[: part.stop]
        events = (Entry(at=ts, kind="event", did=pk) for ts, pk in did)
        both = heapq.merge(events, self.others, key=lambda one: one.at, reverse=True)
        return self.filled(list(islice(both, part.start, part.stop)))

    def filled(self, page: list[Entry]) -> list[Entry]:
        rows = Interaction.objects.in_bulk([one.did for one in page if one.did])
        names = labels(self.profile.account, [row.source for row in rows.values()])
        return [one for entry in page if (one := filled(entry, rows, names))]

    @cached_property
    def others(self) -> list[Entry]:
        """What is not an event; of one person these are few."""
        found = [*self.said(), *self.consented(), *self.joined()]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def said(self) -> Iterator[Entry]:
        """What each source said at one time."""
        told: dict[tuple[str, int], Said] = {}
        for row in contributions_of(self.profile):
            for name, (value, at) in row.data.items():
                told.setdefault((row.source.name, at), {})[name] = value
        names = labels(self.profile.account, [source for source, _at in told])
        for (source, at), said in told.items():
            text = ", ".join(f"{name}: {words_of(value)}" for name, value in sorted(said.items()))
            yield Entry(at=at, kind="row", text=text, source=names[source])

    def consented(self) -> Iterator[Entry]:
        rows = list(self.profile.consents.all())
        names = labels(self.profile.account, [row.source for row in rows])
        for row in rows:
            text = f"{row.purpose}: {row.get_status_display()}"
            yield Entry(at=micros(row.given_at), kind="consent", text=text, source=names[row.source])

    def joined(self) -> Iterator[Entry]:
        for row in self.profile.membership_changes.select_related("audience").order_by("-at")[:DEEPEST]:
            words = gettext("joined %(audience)s") if row.joined else gettext("left %(audience)s")
            yield Entry(at=micros(row.at), kind="audience", text=words % {"audience": row.audience.name})


def filled(entry: Entry, rows: dict[int, Interaction], names: dict[str, str]) -> Entry | None:
    """With its event; None for one that went meanwhile."""
    if not entry.did:
        return entry
    row = rows.get(entry.did)
    return replace(entry, event=row, source=names[row.source]) if row else None


def words_of(value: Any) -> str:
    return "–" if value is None else str(value)


def contributions_of(profile: Profile) -> list[Contribution]:
    """What sources in force say."""
    rows = Contribution.objects.filter(identity__profile=profile).select_related("source")
    return [row for row in rows.order_by("source", "identity") if row.generation == row.source.generation]


def attributes_of(profile: Profile) -> list[dict[str, Any]]:
    """``name``, ``value``, ``source`` and ``at`` (a time) of each attribute, as the profile shows it."""
    newest: dict[str, tuple[int, str]] = {}
    for row in contributions_of(profile):
        for name, (_value, at) in row.data.items():
            if name not in newest or newest[name][0] <= at:
                newest[name] = (at, row.source.name)
    names = labels(profile.account, [source for _at, source in newest.values()])
    found = []
    for name, value in sorted(profile.attributes.items()):
        at, source = newest.get(name, (None, ""))
        found.append({"name": name, "value": value, "source": names.get(source, ""), "at": moment(at)})
    return found


def moment(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at / 1_000_000, UTC)
