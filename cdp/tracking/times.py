"""When it happened, as clients say it (reference `cdp.md` 6.2)."""

from __future__ import annotations

from datetime import UTC, datetime

from tracking.fields import BadEvent, shown

EARLIEST = 7 * 86_400_000_000
LATEST = 5 * 60_000_000
MICROSECONDS = {10: 1_000_000, 13: 1_000, 16: 1}  # of a number of so many digits


def moment(name: str, text: str, *, now: int) -> int:
    """Microseconds since 1970; ``now`` where the clock of the client is off by too much, or nothing is said.

    Takes ISO 8601 (UTC where no zone is said) and seconds, milliseconds or microseconds since 1970.
    """
    if not text:
        return now
    ts = read(name, text)
    return ts if now - EARLIEST <= ts <= now + LATEST else now


def read(name: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) in MICROSECONDS:
        return int(text) * MICROSECONDS[len(text)]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadEvent(
            400,
            f"{name} must be a time (2026-01-31T09:00:00Z, or milliseconds since 1970); got {shown(text)}",
        ) from None
    moment = found if found.tzinfo else found.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)
