"""Up to which event id everything is decided.

On SQLite one writer at a time commits, so ids appear in order. On PostgreSQL an id is drawn before its
transaction commits: a reader who has seen 6 may have missed 5. Whoever reads by cursor must not go past
:func:`settled_id`.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.db import connections

PATIENCE_SECONDS = 5.0
# Between drawing an id and getting a transaction number lie microseconds of one statement.
DRAW_SECONDS = 0.2


def settled_id() -> int:
    """The highest id below which no event can still appear; 0 when that cannot be said now."""
    newest = number("SELECT coalesce(max(id), 0) FROM tracking_event")
    if connections[settings.EVENTS_DB].vendor != "postgresql" or not newest:
        return newest
    time.sleep(DRAW_SECONDS)
    # Every transaction that drew an id up to `newest` has a number below this one by now.
    next_transaction = number("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while oldest_running() < next_transaction:
        if time.monotonic() > deadline:
            return 0
        time.sleep(0.05)
    return newest


def oldest_running() -> int:
    return number("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


def number(sql: str) -> int:
    with connections[settings.EVENTS_DB].cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])
