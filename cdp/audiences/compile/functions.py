"""What SQLite lacks, as functions of every connection; PostgreSQL has it built in (`dialects`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from cdp.audiences.conditions.automaton import automaton
from cdp.audiences.conditions.pattern import folded

# Both engines read these alike; a day that no month has is no date.
DAY = (
    r"(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[0-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
TIME = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{6})?Z"
NUMBER = r"-?[0-9]{1,14}(?:\.[0-9]{1,4})?"
_day, _time, _number = (re.compile(one) for one in (DAY, DAY + TIME, NUMBER))


def fold(text: object) -> str | None:
    """Of a number, too, which whoever asks leaves out then."""
    return folded(text) if isinstance(text, str) else None


def units(text: str | None) -> int | None:
    """A text that is a number, in ten-thousandths."""
    if text is None or not _number.fullmatch(text):
        return None
    whole, _, part = text.partition(".")
    return int(f"{whole}{part:0<4}")


def iso(text: str | None) -> int | None:
    """1 for a date, 2 for a date-time in UTC, None for other texts."""
    if text is None or len(text) < 10:
        return None
    return 1 if _day.fullmatch(text) else 2 if _time.fullmatch(text) else None


def month_day(text: str | None, zone: str) -> str | None:
    """Month and day of a date or date-time, which is in UTC, in the time zone."""
    kind = iso(text)
    if text is None or kind is None:
        return None
    return text[5:10] if kind == 1 else local(text, zone)[5:10]


def local(text: str, zone: str) -> str:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return moment.astimezone(zone_of(zone)).isoformat()
    except OverflowError:  # the first or the last day that there is
        return text


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def part(path: str | None, place: int) -> str | None:
    """The part behind the slash number ``place``, as split_part does."""
    parts = (path or "").split("/")
    return parts[place - 1] if place <= len(parts) else None


def found(text: str | None, pattern: str, case: int) -> int | None:
    return None if text is None else int(automaton(pattern, case=bool(case)).matches(text))


FUNCTIONS: dict[str, tuple[int, Any]] = {
    "lodestar_fold": (1, fold),
    "lodestar_units": (1, units),
    "lodestar_iso": (1, iso),
    "lodestar_month_day": (2, month_day),
    "lodestar_part": (2, part),
    "lodestar_found": (3, found),
}


def provide(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    if connection.vendor == "sqlite":
        for name, (arguments, function) in FUNCTIONS.items():
            connection.connection.create_function(name, arguments, function, deterministic=True)


def install() -> None:
    connection_created.connect(provide, dispatch_uid="audience_functions")
