"""One writer of the lake at a time: a lock file, and among several machines a lock of the events database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import psycopg
from django.conf import settings
from django.db import connections

from config.files import InUse, hold
from tracking import lake_files
from tracking.collector.sinks import postgres_options

KEY = 0x4C6F64655F6C616B  # any number that nothing else locks
ASK_EVERY_SECONDS = 0.2


@contextmanager
def held(*, patience: float = 0.0) -> Iterator[None]:
    """Raises :class:`~config.files.InUse` when another holds it for longer than ``patience`` seconds."""
    lake_files.desk().mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    with hold(lake_files.desk() / ".lock", patience=patience), among_machines(deadline):
        yield


def among_machines(deadline: float) -> nullcontext[None] | psycopg.Connection[object]:
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
