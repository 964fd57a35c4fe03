"""The requests of the last minutes as bars, and the same in words.

The picture is an SVG whose lengths are attributes: a page under a strict policy may have no style attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils import formats
from django.utils.translation import gettext, ngettext

from tracking.debugger import Wanted, tables
from tracking.models import Event
from tracking.pulse import Minute

HEIGHT = 100  # of the busiest minute; lengths are in units of the picture
STEP, GAP = 10, 2
LOWEST = 2  # of anything that is not nothing


@dataclass(frozen=True)
class Bar:
    """One minute: ``stored`` from the line upwards, ``refused`` on top of it."""

    minute: Minute
    x: int
    stored: int
    refused: int

    @property
    def stored_y(self) -> int:
        return HEIGHT - self.stored

    @property
    def refused_y(self) -> int:
        return self.stored_y - self.refused


@dataclass(frozen=True)
class Chart:
    """Minutes, the oldest first, of which there is at least one, and what was asked for."""

    minutes: Sequence[Minute]
    wanted: Wanted

    height, bar_width = HEIGHT, STEP - GAP

    @property
    def width(self) -> int:
        return len(self.minutes) * STEP

    @property
    def first(self) -> Minute:
        return self.minutes[0]

    @property
    def last(self) -> Minute:
        return self.minutes[-1]

    @property
    def busiest(self) -> Minute:
        return max(self.minutes, key=lambda minute: minute.total)

    @property
    def most(self) -> str:
        return readable(self.busiest.total)

    @property
    def shows_stored(self) -> bool:
        return Event in tables(self.wanted)

    @property
    def shows_refused(self) -> bool:
        return any(table is not Event for table in tables(self.wanted))

    def bars(self) -> Iterator[Bar]:
        most = self.busiest.total
        for number, minute in enumerate(self.minutes):
            refused = share(minute.refused, most)
            stored = min(share(minute.stored, most), HEIGHT - refused)
            yield Bar(minute, number * STEP + GAP // 2, stored, refused)

    def summary(self) -> str:
        """What the picture shows, for those who do not see it and for a first glance."""
        total, most = sum(minute.total for minute in self.minutes), self.busiest
        if not total:
            return gettext("Nothing that fits came in during the last %(count)d minutes.") % {
                "count": len(self.minutes)
            }
        if self.shows_stored and self.shows_refused:
            said = ngettext("%(total)s request", "%(total)s requests", total)
        elif self.shows_stored:
            said = ngettext("%(total)s stored request", "%(total)s stored requests", total)
        else:
            said = ngettext("%(total)s refused request", "%(total)s refused requests", total)
        busiest = gettext("the busiest minute is %(time)s UTC with %(most)s") % {
            "time": f"{most.begins:%H:%M}",
            "most": self.most,
        }
        return f"{said % {'total': readable(total)}}; {busiest}"


def readable(count: int) -> str:
    return formats.number_format(count, force_grouping=True)


def share(count: int, most: int) -> int:
    """The length of ``count`` requests, where ``most`` reach the top."""
    return max(LOWEST, round(HEIGHT * count / most)) if count else 0
