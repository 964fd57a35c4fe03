"""Committed events as Parquet files, for learning and statistics.

Below ``settings.LAKE_ROOT``, per customer: ``customer=<id>/day=YYYY-MM-DD/<first id>-<last id>.parquet``
and a ``manifest.json`` that names the files which count. Readers take their list from the manifest, so a
file that is being written, or one that a merge has replaced, is never read, and no row is read twice.

Columns: ``id, event, "user", item_type, item_id, ts, received, quantity, price, currency, percentage,
rating, category_path, scenario, model_id, request_uuid, segments, lang, trigger_name``. Times are
microseconds since 1970 in UTC; ``price`` is DECIMAL(18,4) of one unit; ``"user"`` is the pseudonym, '' for
nobody. The day is that of ``ts``. Logins are not applied: join :func:`tracking.queries.ownership` to count a
device's events for its account.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from django.conf import settings
from django.db import connections

from config.faults import writing_to
from config.files import InUse, hold
from tracking import horizon
from tracking.identity import newest
from tracking.models import Cursor
from tracking.parts import (
    all_or_none,
    folder_of,
    open_duck,
    read_manifest,
    sql_text,
    write_days,
    write_manifest,
)
from tracking.people import tombstones

logger = logging.getLogger("tracking")

CURSOR = "lake"
MOST_ROWS = 250_000  # read into memory at a time, about 300 MB
MOST_PARTS_A_DAY = 12
# A reader that holds an older manifest may still open a merged part for this long.
GRACE_SECONDS = 900.0
TEXTS = (
    *("event", "user", "item_id", "currency", "category_path", "scenario"),
    *("model_id", "request_uuid", "segments", "lang", "trigger_name"),
)
NUMBERS = ("item_type", "quantity", "percentage", "rating")  # NULL is written as -1 on the way
COLUMNS = ("id", "customer_id", *TEXTS, *NUMBERS, "ts", "received", "price")
CUSTOMER, USER, SEGMENTS = (COLUMNS.index(name) for name in ("customer_id", "user", "segments"))
TS, RECEIVED = COLUMNS.index("ts"), COLUMNS.index("received")
PARQUET = """
    SELECT id, event, "user", nullif(item_type, -1)::INTEGER AS item_type, item_id, ts, received,
        nullif(quantity, -1)::INTEGER AS quantity,
        CASE WHEN isnan(price) THEN NULL ELSE price::DECIMAL(18, 4) END AS price, currency,
        nullif(percentage, -1)::SMALLINT AS percentage, nullif(rating, -1)::SMALLINT AS rating,
        category_path, scenario, model_id, request_uuid, segments, lang, trigger_name
"""


def files(customer_id: str) -> list[Path]:
    """The Parquet files that hold a customer's events, each event in exactly one."""
    folder = folder_of(customer_id)
    return [folder / name for name in read_manifest(folder).files]


def customers() -> list[str]:
    """The ids of all customers who have files."""
    found = settings.LAKE_ROOT.glob("customer=*/manifest.json")
    return sorted(unquote(path.parent.name.removeprefix("customer=")) for path in found)


def archive() -> int:
    """Copy what was committed since the last call into the lake; return the number of events.

    Safe to call again after a crash at any point: a part becomes visible with its manifest, which also says
    how far it reaches. Two calls at once do not disturb each other; the second returns 0. Raises
    :class:`~config.faults.Fault` when the disk is full; the events stay in the database and follow later.
    """
    with writing_to(settings.LAKE_ROOT, lost="Events were not archived to the lake"):
        settings.LAKE_ROOT.mkdir(parents=True, exist_ok=True)
        try:
            mine = hold(settings.LAKE_ROOT / ".lock")
        except InUse:
            return 0
        with mine:
            return archive_alone()


def archive_alone() -> int:
    upto = horizon.settled_id()
    forget_other_database(upto)
    total = 0
    while rows := read_rows(after=position(), upto=upto):
        total += write_rows(without_erased(rows))
        move_cursor(int(rows[-1][0]))
    compact()
    return total


def forget_other_database(upto: int) -> None:
    """Files that reach further than the events database come from one that is gone: begin anew."""
    # The newest events may have been erased since the cursor passed them.
    known = max(upto, position()) if upto else 0
    foreign = [c for c in customers() if known and read_manifest(folder_of(c)).last_id > known]
    if foreign:
        logger.warning("The lake of customers %s belongs to another database; it is built again.", foreign)
        for customer_id in customers():
            shutil.rmtree(folder_of(customer_id))
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
            return tuple("" if place in (USER, SEGMENTS) else value for place, value in enumerate(row))
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


def columns_of(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Rows as one array per column, the form in which DuckDB reads without copying values one by one."""
    arrays: dict[str, Any] = {}
    for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        if name in NUMBERS:
            arrays[name] = np.array([-1 if v is None else v for v in values], dtype=np.int64)
        elif name == "price":
            arrays[name] = np.array([np.nan if v is None else float(v) for v in values])
        elif name in ("id", "ts", "received"):
            arrays[name] = np.array(values, dtype=np.int64)
        else:
            arrays[name] = np.array(values, dtype=object)
    return arrays


def compact() -> int:
    """Merge days of many parts into one file each; return how many days were merged."""
    return sum(compact_customer(folder_of(customer_id)) for customer_id in customers())


def compact_customer(folder: Path) -> int:
    manifest = read_manifest(folder)
    days: dict[str, list[str]] = {}
    for name in manifest.files:
        days.setdefault(name.partition("/")[0], []).append(name)
    crowded = {day: parts for day, parts in days.items() if len(parts) > MOST_PARTS_A_DAY}
    with all_or_none(folder) as new:
        for day, parts in crowded.items():
            merge(folder, day, parts, new=new)
            manifest.files = [name for name in manifest.files if name not in parts]
            manifest.retired |= dict.fromkeys(parts, time.time())
        manifest.files += new
        gone = [name for name, since in manifest.retired.items() if time.time() - since > GRACE_SECONDS]
        if crowded or gone:
            manifest.retired = {n: since for n, since in manifest.retired.items() if n not in gone}
            write_manifest(folder, manifest)
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    return len(crowded)


def merge(folder: Path, day: str, parts: list[str], *, new: list[str]) -> None:
    """Write the rows of a day's parts as one file; ``new`` gets its name."""
    listed = ", ".join(f"'{sql_text(folder / part)}'" for part in parts)
    source = (
        f"SELECT *, '{day.removeprefix('day=')}' AS day "  # noqa: S608 - names of our own files
        f"FROM read_parquet([{listed}], hive_partitioning = false) ORDER BY ts"
    )
    with closing(open_duck()) as duck:
        write_days(duck, source, folder, f"merged-{time.time_ns()}", new=new)


def sweep() -> None:
    """Remove what a crash left half written."""
    for left in leftovers():
        with suppress(OSError):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def leftovers() -> Iterator[Path]:
    an_hour_ago = time.time() - 3600
    for path in (*settings.LAKE_ROOT.glob("customer=*/.tmp-*"), *unnamed_parts()):
        with suppress(OSError):
            if path.stat().st_mtime < an_hour_ago:
                yield path


def unnamed_parts() -> Iterator[Path]:
    """Parts in their place whose process was killed before the manifest named them."""
    for folder in settings.LAKE_ROOT.glob("customer=*"):
        manifest = read_manifest(folder)
        named = {*manifest.files, *manifest.retired}
        for part in folder.glob("day=*/*.parquet"):
            if str(part.relative_to(folder)) not in named:
                yield part
