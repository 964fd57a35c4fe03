"""Bringing events that the events table has lost back from the lake.

What counts in the lake comes back under its own id, which makes a second replay do nothing. What was set
aside, because it reached further than the table, may meet other events under the same ids: it comes back
under new ones, with an event id that says where it is from and that the table takes only once. Whoever was
erased is not in the lake any more; what retention has let go, or would, does not come back. Figures and
models are computed from the table and the lake, so they are as before. Login edges are not in the lake, nor
is the source of a login: where the edges are lost too, a device's events are its own until its next login,
in histories and in what is learned of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from config.customers.directory import directory
from config.faults import Fault
from tracking import lake, lake_rewrite, retention
from tracking.identity import newest
from tracking.lake_columns import COLUMNS
from tracking.lake_faults import reaching
from tracking.models import Event
from tracking.parts import (
    Manifest,
    asides,
    customer_folders,
    customer_of,
    folder_of,
    open_duck,
    parquet,
    read_manifest,
    sound,
)

logger = logging.getLogger("tracking")

ROWS = 5_000
SAME = ("customer_id", "event", "ts", "received", "item_type", "item_id")  # besides the id
RESERVE = {
    "sqlite": "UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = 'tracking_event'",
    "postgresql": """
        SELECT setval(ids, greatest(%s, pg_sequence_last_value(ids)))
        FROM (SELECT pg_get_serial_sequence('tracking_event', 'id')::regclass AS ids) AS numbered
    """,
}


@dataclass
class Replayed:
    """How many events of a customer were restored, and how many were there already.

    ``others``: those whose ids belong to other events of the table; they stay in the lake alone.
    """

    restored: int = 0
    there: int = 0
    others: int = 0


class NotInLake(Exception):
    """The customer has nothing in the lake."""


Told = Callable[[str, Replayed], None]


def replay(customer_id: str | None = None, *, told: Told) -> None:
    """Restore what is missing, of one customer or of all; ``told`` hears the outcome for each.

    Safe to call again after a crash at any point, and while events come in. Raises :class:`NotInLake`,
    :class:`~config.faults.Fault` and :class:`~tracking.lake_rewrite.LakeBusy`.
    """
    with reaching(lost="The lake was not replayed"):
        reserve(max((read_manifest(folder_of(one)).last_id for one in lake.customers()), default=0))
        lake.archive()  # A lake that does not belong to this table is set aside.
        with lake_rewrite.locked():
            known = [customer_of(folder) for folder in customer_folders()]
            if customer_id is not None and customer_id not in known:
                raise NotInLake(f"customer {customer_id[:64]} has no files in the lake.")
            for one in known if customer_id is None else [customer_id]:
                told(one, replay_customer(one))


def reserve(last_id: int) -> None:
    """New events get ids beyond ``last_id``: what is in the lake is known by its id."""
    connection = connections[settings.EVENTS_DB]
    with connection.cursor() as cursor:
        if last_id:
            cursor.execute(RESERVE[connection.vendor], [last_id])
        if last_id and connection.vendor == "sqlite" and not cursor.rowcount:  # no event has ever been stored
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('tracking_event', %s)", [last_id])


def replay_customer(customer_id: str) -> Replayed:
    """The caller holds the lock."""
    folder, outcome = folder_of(customer_id), Replayed()
    manifest = read_manifest(folder)
    for rows in events_in(customer_id, sound(folder, manifest.files)):
        restore(rows, outcome)
    lake.move_cursor(max(lake.position(), manifest.last_id))
    for name in asides(folder):
        aside = read_manifest(folder, name)
        for rows in events_in(customer_id, still_there(folder, aside)):
            restore_aside(rows, outcome, origin=f"lake-{aside.last_id}")
    return outcome


def still_there(folder: str, aside: Manifest) -> Iterator[Path]:
    """What was set aside may have been damaged, or removed with a person who was in it."""
    for name in aside.files:
        try:
            yield from sound(folder, [name])
        except Fault as fault:
            logger.warning("A part that was set aside is passed over: %s", fault)


def events_in(customer_id: str, paths: Iterable[Path]) -> Iterator[list[Event]]:
    """The events of files that may be stored, some at a time, in the order of their ids."""
    chosen = list(paths)
    if not chosen:
        return
    days = {one.customer_id: one.retention for one in directory.all()}.get(customer_id, settings.RETENTION)
    kept = f"NOT ({retention.in_sql(days)})" if days else "true"
    with closing(open_duck()) as duck:
        result = duck.execute(f"SELECT * FROM {parquet(chosen)} WHERE {kept} ORDER BY id")  # noqa: S608
        names = [column[0] for column in result.description or ()]
        while found := result.fetchmany(ROWS):
            rows = [dict(zip(names, row, strict=True)) | {"customer_id": customer_id} for row in found]
            kept_rows = lake.without_erased([tuple(row.get(name) for name in COLUMNS) for row in rows])
            yield [event_of(row) for row in kept_rows]


def event_of(row: Sequence[Any]) -> Event:
    values = dict(zip(COLUMNS, row, strict=True))
    # What was set aside is not re-keyed.
    values["user"] = newest(values["customer_id"], values["user"])
    # Files from before there were these columns.
    values["seq"], values["order_id"] = values["seq"] or 0, values["order_id"] or ""
    return Event(**values)


def restore(rows: list[Event], outcome: Replayed) -> None:
    """Store what is missing under its own id."""
    there = by_id(rows)
    outcome.others += sum(row.pk in there and there[row.pk] != content(row) for row in rows)
    outcome.there += sum(there.get(row.pk) == content(row) for row in rows)
    store([row for row in rows if row.pk not in there], outcome)


def restore_aside(rows: list[Event], outcome: Replayed, *, origin: str) -> None:
    """Store what is missing under an id of its own."""
    there = by_id(rows)
    missing = [row for row in rows if there.get(row.pk) != content(row)]
    outcome.there += len(rows) - len(missing)
    for row in missing:
        row.event_id = row.event_id or f"{origin}-{row.pk}"
        row.pk = None
    store(missing, outcome)


def by_id(rows: list[Event]) -> dict[int, list[Any]]:
    """Id -> what tells events apart, of those in the table between the first and the last of the rows."""
    if not rows:
        return {}
    between = Event.objects.filter(pk__gte=rows[0].pk, pk__lte=rows[-1].pk)
    return {pk: rest for pk, *rest in between.values_list("pk", *SAME)}


def content(row: Event) -> list[Any]:
    return [getattr(row, name) for name in SAME]


def store(rows: list[Event], outcome: Replayed) -> None:
    """Insert rows, but for those whose event id the table has: a sender may have repeated itself."""
    named = {row.event_id for row in rows if row.event_id}
    same = Event.objects.filter(customer_id__in={row.customer_id for row in rows}, event_id__in=named)
    taken = set(same.values_list("event_id", "seq"))
    new = [row for row in rows if (row.event_id, row.seq) not in taken]
    Event.objects.bulk_create(new, ignore_conflicts=True)
    outcome.restored += len(new)
    outcome.there += len(rows) - len(new)
