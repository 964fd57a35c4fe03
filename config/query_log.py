"""Development mode without Django's log of queries.

With DEBUG every query is formatted and kept. On SQLite formatting is another query, which pages of dozens of
queries feel, and nothing empties the log of a command: an import of three million rows kept 150 MB of it.
Whoever asks for a log (tests that count queries do) still gets one.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper


def without_log(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    logging_cursor = type(connection).make_debug_cursor

    def make_debug_cursor(cursor: Any) -> CursorWrapper:
        if connection.force_debug_cursor:
            return logging_cursor(connection, cursor)
        return connection.make_cursor(cursor)

    connection.make_debug_cursor = make_debug_cursor  # type: ignore[method-assign,assignment]


def install() -> None:
    connection_created.connect(without_log, dispatch_uid="without_query_log")
