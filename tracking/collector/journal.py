"""Tables without indexes: what makes an answer durable when more events come than indexes can take.

A commit into the event table touches a page of two indexes for nearly every event; a commit into a journal
only appends. What stands in a journal is moved into the tables by one statement of the database, thousands
of events at a time, exactly once. See :mod:`tracking.collector.surge` for when.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracking.collector.rows import EdgeRow, EventRow

# About a fifth of a second of work in the database, during which others wait to write to its file.
MOST_ROWS_MOVED = 20_000


class Journal(Protocol):
    """Where batches wait. ``append`` and ``move`` may be called from two different threads."""

    def append(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> None:
        """Commit one batch; it is on disk when this returns."""
        ...

    def move(self) -> int:
        """Commit a part of what waits into the tables, the oldest first; return how many events that were.

        Rows that the tables refuse are put aside: they count as moved and stand in the journal's own table
        of refused ones.
        """
        ...

    def close(self) -> None: ...
