"""Group commit: requests that arrive while a commit is running join the next batch.

One transaction per batch, and every request of a batch is answered after its commit: an answer means "on
disk". A commit costs about a millisecond whether it holds one row or a hundred, so the rate grows with the
load while nobody waits longer than two commits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from tracking.collector.rows import EdgeRow, EventRow
from tracking.collector.sinks import BadRows, Sink
from tracking.people import tombstones

logger = logging.getLogger("tracking")

MOST_QUEUED_ROWS = 100_000
MOST_BATCH_ROWS = 20_000


class Busy(Exception):
    """The rows were not stored; sending them again later helps."""


@dataclass(slots=True, eq=False)
class Submission:
    """The rows of one request; stored together or not at all."""

    rows: Sequence[EventRow]
    edges: Sequence[EdgeRow] = ()
    context: Any = None  # whatever the submitter needs to answer
    error: Exception | None = None
    future: Future[None] | None = field(default=None)


OnDone = Callable[[list[Submission]], None]


def resolve_futures(batch: list[Submission]) -> None:
    for one in batch:
        if one.future is None or one.future.done():
            continue
        if one.error is None:
            one.future.set_result(None)
        else:
            one.future.set_exception(one.error)


class Writer:
    """Commits submissions from a thread of its own. Safe to call from any thread."""

    def __init__(self, sink: Sink, *, on_done: OnDone = resolve_futures) -> None:
        self.sink = sink
        self.on_done = on_done
        self._queue: SimpleQueue[tuple[int, list[Submission]] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._rows = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
        self._thread.start()

    def submit(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> Future[None]:
        """Queue rows; the future is done after their commit. Raises :class:`Busy` when too much waits."""
        submission = Submission(rows, edges, future=Future())
        self.put([submission])
        assert submission.future is not None  # noqa: S101 - set two lines above
        return submission.future

    def put(self, submissions: list[Submission]) -> None:
        """Queue submissions that ``on_done`` will be told of. Raises :class:`Busy`, then for all of them."""
        size = sum(len(one.rows) + len(one.edges) for one in submissions)
        with self._lock:
            if self._closed:
                raise Busy("the event writer is shutting down; send the event again")
            if self._rows + size > MOST_QUEUED_ROWS:
                raise Busy("more events are waiting than can be stored; send the event again in a second")
            self._rows += size
            self._queue.put((size, submissions))

    def close(self, *, timeout: float = 20.0) -> None:
        """Store what is queued, then stop. Later submissions raise :class:`Busy`."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        running = True
        while running:
            batch, running = self._next_batch()
            if batch:
                self._store(batch)
                self.on_done(batch)
                if pause := self.sink.pause:
                    time.sleep(pause)
        self.sink.close()
        tombstones.close()

    def _next_batch(self) -> tuple[list[Submission], bool]:
        """Wait for submissions and take everything that waits with them; False: no more will come."""
        batch: list[Submission] = []
        rows = 0
        group = self._queue.get()
        while group is not None:
            rows += group[0]
            batch += group[1]
            if rows >= MOST_BATCH_ROWS:
                break
            try:
                group = self._queue.get_nowait()
            except Empty:
                break
        with self._lock:
            self._rows -= rows
        return batch, group is not None

    def _store(self, batch: list[Submission]) -> None:
        try:
            self._commit(batch)
        except BadRows as reason:
            self._store_one_by_one(batch, reason)
        except Exception as reason:  # noqa: BLE001 - whatever ails the database, senders must hear of it
            logger.error("Events could not be stored and were refused: %s", type(reason).__name__)
            tombstones.close()  # no request ends in this thread, so Django would keep a dead connection
            error = Busy("the event database does not answer; send the event again in a second")
            for one in batch:
                one.error = error

    def _store_one_by_one(self, batch: list[Submission], reason: BadRows) -> None:
        """One row that the database refuses must not take its batch with it."""
        if len(batch) == 1:
            logger.error("The database refused an event that passed all checks.")
            batch[0].error = reason
            return
        for one in batch:
            self._store([one])

    def _commit(self, batch: list[Submission]) -> None:
        rows = [row for one in batch for row in one.rows]
        edges = [edge for one in batch for edge in one.edges]
        self.sink.store(*tombstones.apply(rows, edges))
