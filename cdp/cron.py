"""Expressions of five fields that say in which minutes something is due, as in crontab(5).

Minute, hour, day of the month, month, day of the week. A field is ``*``, numbers, names (``jan``, ``mon``),
ranges and lists of them, each with a step: ``*/15``, ``mon-fri``, ``0-30/10,45``. Where both days are given
one of them is enough. Celery's parser, which is installed, takes neither names of months nor 7 for Sunday,
and wants both days to match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PART = re.compile(r"(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?", re.ASCII)
MOST = 200  # characters of an expression
# The 29th of February on one day of the week may be 40 years away, where a century has no leap day.
FARTHEST_DAYS = 41 * 366


class BadCron(ValueError):
    """An expression that cannot be; the message is a rule with the part that breaks it, without a subject."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One of the five: what it is called, its numbers from ``least`` to ``most``, and their names."""

    name: str
    least: int
    most: int
    names: Sequence[str] = ()

    def number(self, text: str) -> int:
        known = text.lower()
        if known in self.names:
            return self.names.index(known) + self.least
        if not (text.isdigit() and len(text) <= 2 and self.least <= int(text) <= self.most):
            words = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
            raise BadCron(f"has {text!r} as {self.name}, which must be {self.least} to {self.most}{words}")
        return int(text)

    def numbers(self, text: str) -> frozenset[int]:
        return frozenset(one for part in text.split(",") for one in self.of_part(part))

    def of_part(self, text: str) -> range:
        span, slash, step = text.partition("/")
        found = PART.fullmatch(span)
        if found is None or (slash and not (step.isascii() and step.isdigit() and int(step[:9]) > 0)):
            raise BadCron(f"has {text!r} as {self.name}; write it like 5, 1-5, */15 or 1,2")
        if found["all"]:
            first, last = self.least, self.most
        else:
            first = self.number(found["first"])
            # 5/15 is 5 and every fifteenth from there on.
            last = self.number(found["last"]) if found["last"] else self.most if slash else first
        if first > last:
            raise BadCron(f"has {text!r} as {self.name}, which ends before it begins")
        return range(first, last + 1, int(step[:9]) if slash else 1)


MINUTE = Field(name="minute", least=0, most=59)
HOUR = Field(name="hour", least=0, most=23)
DAY = Field(name="day of the month", least=1, most=31)
MONTH = Field(name="month", least=1, most=12, names=MONTHS)
WEEKDAY = Field(name="day of the week", least=0, most=7, names=DAYS)  # 7 is Sunday too
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True, kw_only=True)
class Cron:
    """The minutes in which something is due, by a clock on the wall."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # both days are given: one of them is enough

    def matches(self, moment: datetime) -> bool:
        """Whether something is due in the minute of ``moment``, whose zone does not matter."""
        return moment.minute in self.minutes and moment.hour in self.hours and self.has_day(moment)

    def has_day(self, one: date) -> bool:
        day, weekday = one.day in self.days, one.isoweekday() % 7 in self.weekdays
        on_the_day = day or weekday if self.either_day else day and weekday
        return one.month in self.months and on_the_day

    def following(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first minute later than ``moment`` that is due by the clock of ``zone``.

        What would be due in an hour that this clock skips is left out, and an hour that comes twice counts
        once. Raises :class:`BadCron` where nothing ever is due.
        """
        today = moment.astimezone(zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(FARTHEST_DAYS)):
            if self.has_day(day):
                for turn in self.turns(day, zone):
                    if turn > moment:
                        return turn
        raise BadCron("has no moment that ever comes")

    def turns(self, day: date, zone: ZoneInfo) -> Iterator[datetime]:
        """The moments of a day in UTC, in their order."""
        for hour, minute in product(sorted(self.hours), sorted(self.minutes)):
            wall = datetime.combine(day, time(hour, minute), tzinfo=zone)
            turn = wall.astimezone(UTC)
            if turn.astimezone(zone) == wall:  # as written on the clock: else the hour is skipped
                yield turn


def parse(text: str) -> Cron:
    """Read an expression. Raises :class:`BadCron`."""
    fields = text.split() if len(text) <= MOST else []
    if len(fields) != len(FIELDS):
        raise BadCron(
            "must have five fields: minute, hour, day of the month, month and day of the week; got"
            f" {text[:80]!r}"
        )
    found = [rule.numbers(written) for rule, written in zip(FIELDS, fields, strict=True)]
    minutes, hours, days, months, weekdays = found
    either_day = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not either_day and min(days) > max(LONGEST_MONTHS[month - 1] for month in months):
        raise BadCron(f"has {fields[2]!r} as day of the month, which comes in none of its months")
    return Cron(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(one % 7 for one in weekdays),
        either_day=either_day,
    )
