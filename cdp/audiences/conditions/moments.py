"""Moments as documents write them, and the spans of time that windows are (`cdp.md` 3.3, rules 2, 3).

A moment is a date (`2025-01-31`, midnight in the account's time zone) or a date-time (`2025-01-31T09:00:00Z`;
without an offset in the account's time zone). Results are microseconds since 1970 in UTC.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cdp.audiences.conditions.document import Window

SECONDS = {"hour": 3_600, "day": 86_400, "week": 604_800}
MONTHS = {"month": 1, "year": 12}
UNITS = (*SECONDS, *MONTHS)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST = -(2**62)  # earlier than every moment


class Span(NamedTuple):
    """From ``first`` on, None for always, until before ``end``."""

    first: int | None
    end: int


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def is_date(text: str) -> bool:
    return bool(DATE.match(text))


def parsed(text: str, zone: ZoneInfo, *, days: int = 0) -> datetime:
    """The moment; of a date its midnight, ``days`` later. Raises ValueError."""
    if is_date(text):
        day = date.fromisoformat(text)
        try:
            return midnight(day + timedelta(days=days), zone)
        except OverflowError:
            raise ValueError(text) from None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def start_of(text: str, zone: ZoneInfo) -> int:
    return micros(parsed(text, zone))


def end_of(text: str, zone: ZoneInfo) -> int:
    """What comes after it: after the whole day of a date, after the microsecond of a date-time."""
    return micros(parsed(text, zone, days=1)) + (not is_date(text))


def until(text: str, zone: ZoneInfo) -> int:
    """The end of `between`: a date-time is not included, a date is, with its whole day."""
    return micros(parsed(text, zone, days=1))


def stepped(moment: datetime, n: int, unit: str, zone: ZoneInfo) -> int:
    """``n`` units later, or earlier if it is negative. Months and years are steps in the zone's calendar,
    the 31st becomes the last of a shorter month. What no calendar holds is the edge of time."""
    try:
        if unit in SECONDS:
            return micros(moment + timedelta(seconds=n * SECONDS[unit]))
        local = moment.astimezone(zone)
        year, month = divmod(local.year * 12 + local.month - 1 + n * MONTHS[unit], 12)
        day = min(local.day, monthrange(year, month + 1)[1])
        return micros(local.replace(year=year, month=month + 1, day=day))
    except (ValueError, OverflowError):
        return FIRST if n < 0 else -FIRST


def span(window: Window, *, as_of: datetime, zone: ZoneInfo) -> Span:
    """The window as it stands at ``as_of``; what comes later is not seen."""
    now = micros(as_of) + 1
    match window.kind:
        case "in_last":
            return Span(stepped(as_of, -window.n, window.unit, zone), now)
        case "not_in_last":
            return Span(None, min(now, stepped(as_of, -window.n, window.unit, zone)))
        case "between":
            return Span(start_of(window.start, zone), min(now, until(window.end, zone)))
        case "before":
            return Span(None, min(now, start_of(window.end, zone)))
        case "after":
            return Span(start_of(window.start, zone), now)
    return Span(None, now)


def iso(moment: datetime) -> str:
    """As texts say it: `2025-01-31T09:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
