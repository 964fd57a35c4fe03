"""Up to which event id everything is decided.

On SQLite one writer at a time commits, so ids appear in order. On PostgreSQL an id is drawn before its
transaction commits: a reader who has seen 6 may have missed 5. Whoever reads by cursor must not go past
:func:`settled_id`.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.db import connections

PATIENCE_SECONDS = 5.0
# Whoever inserts holds this lock before the first id is drawn and until the rows can be seen. The oldest
# running transaction would also do, but that is one of the whole server: any other database delays it.
WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'tracking_event'::regclass AND mode = 'RowExclusiveLock'
      AND granted AND pid IS DISTINCT FROM pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def settled_id() -> int:
    """The highest id below which no event can still appear; 0 when that cannot be said now."""
    newest = int(rows("SELECT coalesce(max(id), 0) FROM tracking_event")[0][0])
    if connections[settings.EVENTS_DB].vendor != "postgresql" or not newest:
        return newest
    deadline = time.monotonic() + PATIENCE_SECONDS
    undecided = writers()
    while undecided:
        if time.monotonic() > deadline:
            return 0
        time.sleep(0.02)
        undecided &= writers()
    return newest


def writers() -> set[str]:
    """The transactions of others that may have drawn ids and are not over."""
    return {str(name) for (name,) in rows(WRITERS)}


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connections[settings.EVENTS_DB].cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
