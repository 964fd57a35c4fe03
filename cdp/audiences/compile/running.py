"""Running statements over many rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# Of PostgreSQL. With its 4 MB a sum over 100,000 people went to disk, which doubled the time; compiling a
# statement took longer than it saved; each parallel worker grouped all events for itself, three times as long
# as one process; and grouping a million people by hashing took six times as long as sorting their events.
SETTINGS = (
    "SET LOCAL work_mem = '128MB'",
    "SET LOCAL jit = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
    "SET LOCAL enable_hashagg = off",
)


@contextmanager
def cursor() -> Iterator[CursorWrapper]:
    """A cursor with room for sets of people; on SQLite without a transaction, which locked writers out."""
    if connection.vendor != "postgresql":
        with connection.cursor() as plain:
            yield plain
        return
    with transaction.atomic(), connection.cursor() as roomy:
        for setting in SETTINGS:
            roomy.execute(setting)
        yield roomy
