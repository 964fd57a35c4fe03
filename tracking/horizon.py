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

EVENTS = "tracking_event"
PATIENCE_SECONDS = 5.0
# Whoever inserts holds this lock before the first id is drawn and until the rows can be seen. The oldest
# running transaction would also do, but that is one of the whole server: any other database delays it.
WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = %s::regclass AND mode = 'RowExclusiveLock'
      AND granted AND pid IS DISTINCT FROM pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def settled_id(*, table: str = EVENTS, patience: float = PATIENCE_SECONDS) -> int:
    """The highest id up to which no row can still appear; 0 when that cannot be said within ``patience``.

    ``table``: one of the events database whose ids its writers draw themselves.
    """
    newest = int(rows(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0])  # noqa: S608 - a name of ours
    if connections[settings.EVENTS_DB].vendor != "postgresql" or not newest:
        return newest
    deadline = time.monotonic() + patience
    undecided = writers(table)
    while undecided:
        if time.monotonic() > deadline:
            return 0
        time.sleep(0.02)
        undecided &= writers(table)
    return newest


def writers(table: str) -> set[str]:
    """The transactions of others that may have drawn ids and are not over."""
    return {str(name) for (name,) in rows(WRITERS, table)}


def rows(sql: str, *values: str) -> list[tuple[Any, ...]]:
    with connections[settings.EVENTS_DB].cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())
