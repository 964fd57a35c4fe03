"""Committed events as Parquet files, for learning and statistics. docs/lake.md is their description.

Per customer ``customer=<id>/day=YYYY-MM-DD/<first id>-<last id>-<token>.parquet`` in the storage ``lake``
and a ``manifest.json`` that names the files which count. Readers take their list from the manifest, so a
file that is being written, or one that a merge has replaced, is never read, and no row is read twice.

Times are microseconds since 1970 in UTC; ``price`` is DECIMAL(18,4) of one unit; ``"user"`` is the pseudonym,
'' for nobody. The day is that of ``ts``. Logins are not applied: join :func:`tracking.queries.ownership` to
count a device's events for its account.
"""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from config.faults import Fault
from config.files import InUse
from tracking import horizon, lake_calm, lake_files, lake_lock
from tracking.identity import newest
from tracking.lake_calm import CURSOR
from tracking.lake_columns import COLUMNS, CUSTOMER, PARQUET, PERSONAL, RECEIVED, TS, USER, columns_of
from tracking.lake_faults import reaching
from tracking.lake_merge import compact
from tracking.models import Cursor
from tracking.parts import (
    ASIDE,
    Manifest,
    all_or_none,
    customer_folders,
    customer_of,
    folder_of,
    open_duck,
    read_manifest,
    sound,
    write_days,
    write_manifest,
)
from tracking.people import tombstones

logger = logging.getLogger("tracking")

MOST_ROWS = 250_000  # read into memory at a time, about 300 MB


def files(customer_id: str) -> list[Path]:
    """Local Parquet files that hold a customer's events, each event in exactly one.

    Raises :class:`~config.faults.Fault` when a file is damaged or the place of the lake cannot be reached.
    """
    folder = folder_of(customer_id)
    with reaching(lost="The lake was not read"):
        copies = lake_files.copies(folder)
        manifest = read_manifest(folder)
        lake_files.forget(copies, folder, named={*manifest.files, *manifest.retired})
        return sound(folder, manifest.files)


def customers() -> list[str]:
    """The ids of all customers who have files. Raises :class:`~config.faults.Fault`."""
    with reaching(lost="The lake was not read"):
        there = lake_files.storage().exists
        found = (folder for folder in customer_folders() if there(f"{folder}/manifest.json"))
        return sorted(map(customer_of, found))


def archive() -> int:
    """Copy what was committed since the last call into the lake; return the number of events.

    Safe to call again after a crash at any point: a part becomes visible with its manifest, which also says
    how far it reaches. Two calls at once do not disturb each other; the second returns 0. Raises
    :class:`~config.faults.Fault` when the disk is full or a bucket out of reach; the events stay
    in the database and follow later.
    """
    with reaching(lost="Events were not archived to the lake"):
        try:
            with lake_lock.held():
                return archive_alone()
        except InUse:
            return 0


def archive_alone() -> int:
    upto = horizon.settled_id()
    if lake_calm.reigns(upto):
        return 0
    forget_other_database(upto)
    return catch_up(upto)


def catch_up(upto: int) -> int:
    """Copy the events after the cursor up to an id that is settled. The caller holds the lock."""
    total, done = 0, position()
    while rows := read_rows(after=done, upto=upto):
        total += write_rows(without_erased(rows))
        done = int(rows[-1][0])
        move_cursor(done)
    lake_calm.looked(upto, waiting=compact(customers()))
    return total


def forget_other_database(upto: int) -> None:
    """Files that reach further than the events database come from one that is gone: begin anew.

    They are set aside, not removed: the database may be an older copy, and `replay_lake` brings events back.
    """
    # The newest events may have been erased since the cursor passed them.
    known = max(upto, position()) if upto else 0
    foreign = [c for c in customers() if known and read_manifest(folder_of(c)).last_id > known]
    if foreign:
        logger.warning(
            "The lake of customers %s belongs to another database; it is built again. "
            "`manage.py replay_lake` takes what it held into this one.",
            foreign,
        )
        for customer_id in customers():
            set_aside(customer_id)


def set_aside(customer_id: str) -> None:
    """Let no part of a customer count any more; the next turn of the archive begins with its first event.

    The parts are kept for :data:`~tracking.lake_merge.ASIDE_SECONDS`. The caller holds the lock.
    """
    folder = folder_of(customer_id)
    try:
        manifest = read_manifest(folder)
    except Fault:  # A damaged manifest names nothing that could be brought back.
        manifest = Manifest()
    # The same name when it is done twice, so that nothing is brought back twice.
    write_manifest(folder, manifest, f"{ASIDE}{manifest.last_id}.json")
    lake_files.remove(f"{folder}/manifest.json")
    move_cursor(0)


def position() -> int:
    """The cursor; 0 when the lake was removed, so that it is built again from the database."""
    cursor = Cursor.objects.filter(name=CURSOR).first()
    return cursor.last_id if cursor and customers() else 0


def move_cursor(last_id: int) -> None:
    Cursor.objects.update_or_create(name=CURSOR, defaults={"last_id": last_id})


def read_rows(*, after: int, upto: int) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    sql = f"SELECT {names} FROM tracking_event WHERE id > %s AND id <= %s ORDER BY id LIMIT %s"  # noqa: S608
    with connections[settings.EVENTS_DB].cursor() as cursor:
        cursor.execute(sql, [after, upto, MOST_ROWS])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def without_erased(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What was on its way into the tables when a person was erased, and is not swept up yet."""
    buried = tombstones.everybody()
    return [left for row in rows if (left := after_erasure(row, buried))] if buried else rows


def after_erasure(row: tuple[Any, ...], buried: tombstones.Buried) -> tuple[Any, ...] | None:
    for after, until, at in buried.get((row[CUSTOMER], newest(row[CUSTOMER], row[USER])), ()):
        if after < row[TS] <= until and row[RECEIVED] <= at:
            return None
        if after < row[TS] <= min(until, at):
            return tuple("" if place in PERSONAL else value for place, value in enumerate(row))
    return row


def write_rows(rows: list[tuple[Any, ...]]) -> int:
    """Write the rows into their customers' folders; return how many were not there yet."""
    by_customer: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_customer.setdefault(row[1], []).append(row)
    return sum(add(customer_id, part) for customer_id, part in by_customer.items())


def add(customer_id: str, rows: list[tuple[Any, ...]]) -> int:
    folder = folder_of(customer_id)
    manifest = read_manifest(folder)
    # After a crash between manifest and cursor the same rows come again.
    rows = [row for row in rows if row[0] > manifest.last_id]
    if not rows:
        return 0
    label = f"{rows[0][0]}-{rows[-1][0]}"
    with all_or_none(folder) as new:
        with closing(open_duck()) as duck:
            duck.register("events", columns_of(rows))
            source = f"{PARQUET}, strftime(make_timestamp(ts), '%Y-%m-%d') AS day FROM events ORDER BY ts"
            write_days(duck, source, folder, label, new=new)
        manifest.files += new
        manifest.last_id = rows[-1][0]
        manifest.rows += len(rows)
        write_manifest(folder, manifest)
    return len(rows)
