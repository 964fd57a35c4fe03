"""A demo is built or started over only while nothing else works on its state."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connections

from config import served
from config.files import InUse, hold

PATIENCE_SECONDS = 1.0  # a command in another terminal may just be reading


class Occupied(Exception):
    """Somebody else works on the state; the message says who, and what to do."""


@contextmanager
def alone() -> Iterator[None]:
    """Hold the state folder against a second `demo`; raises :class:`Occupied`."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        lock = hold(settings.VAR_DIR / "demo.lock")
    except InUse:
        raise Occupied(
            f"Another `demo` is being set up in {settings.VAR_DIR}. Wait until it is ready, or stop it with "
            "Ctrl-C; nothing was changed."
        ) from None
    with lock:
        yield


def refuse_while_used() -> None:
    """Raise :class:`Occupied` while a server runs, or another process has a database file open.

    It would go on with files that have no name any more, and lose whatever it writes.
    """
    for server in served.running(settings.VAR_DIR):
        raise Occupied(
            f"The demo is being served at {server.address} (process {server.process}). Stop that with Ctrl-C "
            "first; nothing was changed."
        )
    for path in database_files():
        if is_open_elsewhere(path):
            raise Occupied(
                f"Another process, such as a worker or a collector, uses {path}. Stop it first; nothing was "
                "changed."
            )


def database_files() -> Iterator[Path]:
    for connection in connections.all():
        if connection.vendor == "sqlite":
            connection.close()
            yield Path(connection.settings_dict["NAME"])


def is_open_elsewhere(path: Path) -> bool:
    """Whether another connection to the SQLite file exists, idle or not.

    Only the last one may leave WAL mode (https://www.sqlite.org/wal.html, "Persistence of WAL mode"); the
    next to open the file goes back to it.
    """
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.DatabaseError:
        return False  # no database at all; it is removed
    return False
