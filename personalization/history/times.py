"""The times of a file, in the forms that exports write them in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

EARLIEST = 631_152_000_000_000  # 1990 in microseconds, as the intake has it
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = 300_000_000
NUMBER = re.compile(r"[0-9]{9,17}(\.[0-9]*)?")
DIRECTIVE = re.compile(r"%(.)", re.DOTALL)
SAMPLE = datetime(2021, 11, 23, 14, 35, 46, tzinfo=UTC)
FORMS = "ISO 8601, or seconds, milliseconds or microseconds since 1970"


class BadTime(ValueError):
    """The value is no time an event can have; the message says why."""


def zone_of(name: str) -> tzinfo:
    """The time zone of that name. Raises :class:`BadTime`."""
    known = available_timezones()
    if name in known:
        return ZoneInfo(name)
    by_lower = {one.lower(): one for one in sorted(known)}
    close = get_close_matches(name.lower(), by_lower, n=1)
    hint = f" Did you mean {by_lower[close[0]]!r}?" if close else " Names are like Europe/Paris."
    raise BadTime(f"--time-zone: there is no time zone {name!r}.{hint}")


def time_format(given: str) -> str:
    """A form of :meth:`datetime.strptime` that says a whole date. Raises :class:`BadTime`."""
    if not given:
        return ""
    if "Z" in DIRECTIVE.findall(given):
        raise BadTime("--time-format: names of zones (%Z) are ambiguous; use %z, or --time-zone.")
    try:
        again = datetime.strptime(SAMPLE.strftime(given), given)  # noqa: DTZ007 - only its date counts
    except ValueError as fault:
        raise BadTime(f"--time-format: {given[:80]!r} cannot be read: {fault}.") from fault
    if again.date() != SAMPLE.date():
        raise BadTime(
            f"--time-format: {given[:80]!r} must hold year, month and day, such as '%d.%m.%Y %H:%M'."
        )
    return given


def reader(*, zone: tzinfo, now: int, form: str = "") -> Callable[[object], int]:
    """What turns a value into microseconds since 1970. ``zone`` is that of times without one, ``now`` in
    microseconds; a time of the hour that a clock repeats in autumn is the first of both. ``form``: how
    texts are written, as in :func:`time_format`.
    """

    def moment(value: object) -> int:
        found = micros(formed(value, form) if form else value, zone=zone)
        if not EARLIEST <= found <= now + AHEAD:
            raise BadTime("the time is not between 1990 and now")
        return found

    return moment


def formed(value: object, form: str) -> object:
    """The time of a text of this form; what is a time already stays, and so does nothing."""
    words = "" if value is None else str(value).strip()
    if isinstance(value, date) or words in ("", "nan"):
        return value
    try:
        return datetime.strptime(words, form)  # noqa: DTZ007 - the zone is given afterwards
    except (ValueError, OverflowError) as fault:
        raise BadTime(f"the time is not of the form {form}") from fault


def micros(value: object, *, zone: tzinfo) -> int:
    if isinstance(value, datetime):
        return since_1970(value, zone)
    if isinstance(value, date):
        return since_1970(datetime(value.year, value.month, value.day, tzinfo=zone), zone)
    words = "" if value is None else str(value).strip()
    try:
        # Asked first, for most times are written so; a number of 9 digits and more is no ISO time.
        return since_1970(datetime.fromisoformat(words), zone)
    except (ValueError, OverflowError) as fault:
        if NUMBER.fullmatch(words):
            return counted(Decimal(words))
        if not words or words == "nan":
            raise BadTime("no time") from fault
        raise BadTime(f"the time is not {FORMS}") from fault


def counted(number: Decimal) -> int:
    """Seconds have 9 to 11 digits, milliseconds 12 to 14, microseconds 15 to 17."""
    if number < 100_000_000_000:
        return int(number * 1_000_000)
    return int(number * 1_000) if number < 100_000_000_000_000 else int(number)


def since_1970(found: datetime, zone: tzinfo) -> int:
    passed = (found if found.tzinfo else found.replace(tzinfo=zone)) - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
