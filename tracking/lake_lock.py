"""One writer of the lake at a time: a lock file, and among several machines a lock of the events database.

The database lets go of its lock when the connection is lost, and another machine may begin to write. So the
holder asks with :func:`confirm` before each step that others would see.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

from config.faults import Fault
from config.files import InUse, hold
from tracking import lake_files
from tracking.collector.sinks import postgres_options

KEY = 0x4C6F64655F6C616B  # any number that nothing else locks
ASK_EVERY_SECONDS = 0.2
LOST = (
    "The connection to the events database that keeps other machines from writing to the lake was lost. "
    "Nothing more was written; the worker tries again, and commands can be called again."
)
HOLDS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND (classid, objid) = (%s, %s)
"""


class Holding(threading.local):
    """The connection with which this thread holds the lock; None where the lock file is enough."""

    connection: psycopg.Connection[tuple[Any, ...]] | None = None


holding = Holding()


@contextmanager
def held(*, patience: float = 0.0) -> Iterator[None]:
    """Raises :class:`~config.files.InUse` when another holds it for longer than ``patience`` seconds."""
    lake_files.desk().mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    with hold(lake_files.desk() / ".lock", patience=patience), among_machines(deadline) as connection:
        holding.connection = connection
        try:
            yield
        finally:
            holding.connection = None


def confirm() -> None:
    """Raises :class:`~config.faults.Fault` where this thread's lock among several machines was lost."""
    if holding.connection is None:
        return
    try:
        found = holding.connection.execute(HOLDS, [KEY >> 32, KEY & 0xFFFFFFFF]).fetchone()
    except psycopg.Error as error:
        raise Fault(LOST) from error
    if found != (1,):
        raise Fault(LOST)


def among_machines(deadline: float) -> nullcontext[None] | psycopg.Connection[tuple[Any, ...]]:
    """A bucket has no locks; where several machines can write to it, they share a PostgreSQL."""
    described = connections[settings.EVENTS_DB].settings_dict
    if lake_files.in_folder() or connections[settings.EVENTS_DB].vendor != "postgresql":
        return nullcontext()
    # Held until this connection closes; one of Django's own could close earlier.
    connection = psycopg.connect(**postgres_options(described), autocommit=True)
    try:
        while connection.execute("SELECT pg_try_advisory_lock(%s)", [KEY]).fetchone() != (True,):
            if time.monotonic() >= deadline:
                raise InUse("another machine writes to the lake")
            time.sleep(ASK_EVERY_SECONDS)
    except BaseException:
        connection.close()
        raise
    return connection
