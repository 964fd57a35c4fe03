"""The collector without one of its guards, CHAOS_WITHOUT. Proves that the harness would tell."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable

import django

from tests.chaos.surging_collector import never_be_calm, serve

GAP_SECONDS = 4.0  # between two steps that belong together, for a kill to find
FEWEST_MOVED = 100  # events, so that some without ids are among them


def answer_before_commit() -> None:
    from tracking.collector import server
    from tracking.collector.writer import Submission, Writer

    class HastyWriter(Writer):
        def put(self, submissions: list[Submission]) -> None:
            self.on_done(submissions)
            super().put([Submission(one.rows, one.edges, context=one.context) for one in submissions])

        def _store(self, batch: list[Submission]) -> None:
            time.sleep(0.02)
            super()._store(batch)

        def _run(self) -> None:
            running = True
            while running:
                batch, running = self._next_batch()
                self._store(batch)
            self.sink.close()

    server.Collector.writer_class = HastyWriter


def answer_before_the_disk() -> None:
    """Committed in the memory of PostgreSQL only."""
    from tracking.collector import sinks

    sinks.session = lambda **_seconds: "-c synchronous_commit=off"


def store_repeated_ids() -> None:
    """The test takes the unique index away."""
    from tracking.collector import sinks, surge

    sinks.SKIP_REPEATED = ""
    surge.Meter.is_crowded = False  # type: ignore[assignment]


def move_cursor_later() -> None:
    """The events of a journal on SQLite are committed, and its cursor after them."""
    from tracking.collector import sinks, surge
    from tracking.collector import sqlite_journal as original

    class Journal(original.SqliteJournal):
        def _move(self, both: sqlite3.Connection, *, most: int, refuse: bool = False) -> int:
            [(newest,)] = both.execute("SELECT max(id) FROM journal.event")
            [(done,)] = both.execute(original.DONE, (self._name,))
            upto = max(newest or 0, done)
            if upto - done < FEWEST_MOVED:
                return 0
            both.execute("BEGIN")
            both.execute(original.BEGINNING, (self._name,))
            [(before,)] = both.execute(sinks.NEWEST)
            both.execute(original.MOVE_EVENTS, (done, upto))
            both.execute(original.MOVE_EDGES, (done, upto, before))
            both.execute("COMMIT")
            time.sleep(GAP_SECONDS)
            both.execute(original.ADVANCE, (upto, self._name))
            both.execute("DELETE FROM journal.event WHERE id <= ?", (upto,))
            return int(upto - done)

    surge.SqliteJournal = Journal  # type: ignore[misc]
    never_be_calm()


def delete_later() -> None:
    """The batches of the journal on PostgreSQL are moved, and deleted after that."""
    from tracking.collector import postgres_journal as original
    from tracking.collector import surge

    part = "WHERE id IN (SELECT id FROM part WHERE before < %s)"
    columns = "id, size, events, edges"
    delete = f"DELETE FROM tracking_journaledbatch {part}\n        RETURNING {columns}"
    keep = original.MOVE_BATCHES.replace(delete, f"SELECT {columns} FROM tracking_journaledbatch {part}")
    keep = keep.replace("SELECT coalesce(sum(size), 0) FROM taken", "SELECT id, size FROM taken")
    assert "DELETE" not in keep

    class Journal(original.PostgresJournal):
        def move(self) -> int:
            with self._moving.usable() as connection:
                [[waiting]] = connection.execute("SELECT coalesce(sum(size), 0) FROM tracking_journaledbatch")
                if waiting < FEWEST_MOVED:
                    return 0
                moved = connection.execute(keep, (original.MOST_ROWS_MOVED,)).fetchall()
                time.sleep(GAP_SECONDS)
                numbers = [row[0] for row in moved]
                connection.execute("DELETE FROM tracking_journaledbatch WHERE id = ANY(%s)", [numbers])
            return sum(row[1] for row in moved)

    surge.PostgresJournal = Journal  # type: ignore[misc]
    never_be_calm()


GUARDS: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        answer_before_commit,
        answer_before_the_disk,
        store_repeated_ids,
        move_cursor_later,
        delete_later,
    )
}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    GUARDS[os.environ["CHAOS_WITHOUT"]]()
    serve()
