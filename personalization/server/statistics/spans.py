"""Ranges of time and how finely they are divided (engine-protocol.md 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Name -> how long, and how long each slice of it is.
PRESETS = {
    "day": (DAY, HOUR),
    "week": (7 * DAY, 12 * HOUR),
    "month": (30 * DAY, DAY),
    "quarter": (91 * DAY, 7 * DAY),
    "year": (371 * DAY, 7 * DAY),
}
MOST_SLICES = 1_000


class WrongSpan(ValueError):
    """A range of time that cannot be reported; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """From ``begin`` up to, but without, ``end``, in slices of the length ``slice``."""

    begin: datetime
    end: datetime
    slice: timedelta

    def __post_init__(self) -> None:
        if self.begin >= self.end:
            raise WrongSpan(f"The range must begin before it ends; got {self.begin} to {self.end}.")
        if (self.end - self.begin) / self.slice > MOST_SLICES:
            raise WrongSpan(f"The range has more than {MOST_SLICES} slices of {self.slice}.")

    def slices(self) -> list[datetime]:
        """The beginnings of all slices."""
        count = -(-(self.end - self.begin) // self.slice)
        return [self.begin + number * self.slice for number in range(count)]


def preset(name: str, *, now: datetime) -> Span:
    """The last day, week, month, quarter or year up to ``now``."""
    length, part = PRESETS[name]
    return Span(begin=now - length, end=now, slice=part)


def custom(begin: datetime, end: datetime) -> Span:
    """Any range, divided like the shortest preset that is as long."""
    part = next((part for length, part in PRESETS.values() if end - begin <= length), 7 * DAY)
    return Span(begin=begin.astimezone(UTC), end=end.astimezone(UTC), slice=part)
