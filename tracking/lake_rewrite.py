"""Writing parts of the lake anew without some of their rows: whole or not at all, one part at a time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from config.faults import writing_to
from config.files import InUse, hold
from tracking.parts import (
    all_or_none,
    folder_of,
    open_duck,
    read_manifest,
    sql_text,
    write_days,
    write_manifest,
)

PATIENCE_SECONDS = 600.0  # a merge of many days may be under way


class LakeBusy(Exception):
    """Another process writes to the lake; trying again later helps."""


OF_PERSON = ("user", "segments")


@dataclass(frozen=True, kw_only=True)
class Change:
    """Which rows go and which lose their user: SQL conditions over the columns of the lake."""

    drop: str
    unlink: str = "false"

    @property
    def concerned(self) -> str:
        return f"(({self.drop}) OR ({self.unlink}))"


def quoted(text: str) -> str:
    """A text as it stands in SQL."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def locked(*, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Keep everybody else from writing to the lake. Raises :class:`LakeBusy`."""
    settings.LAKE_ROOT.mkdir(parents=True, exist_ok=True)
    try:
        mine = hold(settings.LAKE_ROOT / ".lock", patience=patience)
    except InUse:
        raise LakeBusy("Another process has been writing to the lake for long; try again later.") from None
    with mine:
        yield


def rewrite(customer_id: str, change: Change, *, at_once: bool) -> int:
    """Apply ``change`` to every part of a customer; return how many rows it concerned.

    The caller holds the lock. ``at_once``: the parts before go now, and with them those that were kept for
    readers; else readers that have just looked into the manifest can still open them for a while. Raises
    :class:`~config.faults.Fault` when the disk is full; parts that were done stay done.
    """
    folder = folder_of(customer_id)
    with writing_to(settings.LAKE_ROOT, lost="The lake was not written anew"):
        if at_once:
            remove_stale(folder, change)
        named = [folder / name for name in read_manifest(folder).files]
        found = rows_in(named, change)
        for path in found:
            replace_part(folder, path, change, at_once=at_once)
    return sum(found.values())


def rows_in(paths: Sequence[Path], change: Change) -> dict[Path, int]:
    """How many rows of each part the change concerns; parts without any are left out."""
    there = [path for path in paths if path.exists()]
    if not there:
        return {}
    sql = f"SELECT filename, count(*) FROM {parquet(there)} WHERE {change.concerned} GROUP BY filename"  # noqa: S608
    with closing(open_duck()) as duck:
        return {Path(name): rows for name, rows in duck.sql(sql).fetchall()}


def parquet(paths: Sequence[Path]) -> str:
    listed = ", ".join(f"'{sql_text(path)}'" for path in paths)
    return f"read_parquet([{listed}], filename = true, hive_partitioning = false)"


def replace_part(folder: Path, path: Path, change: Change, *, at_once: bool) -> None:
    name = str(path.relative_to(folder))
    manifest = read_manifest(folder)
    with all_or_none(folder) as new:
        gone = write_rest(folder, path, change, new=new)
        manifest.files = [one for one in manifest.files if one != name] + new
        manifest.rows -= gone
        if not at_once:
            manifest.retired[name] = time.time()
        write_manifest(folder, manifest)
    if at_once:
        path.unlink(missing_ok=True)


def write_rest(folder: Path, path: Path, change: Change, *, new: list[str]) -> int:
    """Write what stays of a part, if anything does; return how many rows went."""
    part, day = parquet([path]), path.parent.name.removeprefix("day=")
    blank = ", ".join(
        f'CASE WHEN {change.unlink} THEN \'\' ELSE "{name}" END AS "{name}"' for name in OF_PERSON
    )
    rest = f"SELECT * EXCLUDE (filename) REPLACE ({blank}), '{day}' AS day FROM {part}"  # noqa: S608
    counts = f"SELECT count(*) FILTER ({change.drop}), count(*) FROM {part}"  # noqa: S608
    with closing(open_duck()) as duck:
        [(gone, total)] = duck.sql(counts).fetchall()
        if gone < total:
            source = f"{rest} WHERE NOT ({change.drop}) ORDER BY ts"
            write_days(duck, source, folder, f"rewritten-{time.time_ns()}", new=new)
    return int(gone)


def remove_stale(folder: Path, change: Change) -> None:
    """Remove what no manifest counts any more and still holds rows: merged parts, and what a crash left."""
    manifest = read_manifest(folder)
    named = {folder / name for name in manifest.files}
    stale = rows_in([path for path in folder.glob("day=*/*.parquet") if path not in named], change)
    if gone := {str(path.relative_to(folder)) for path in stale} & set(manifest.retired):
        manifest.retired = {n: since for n, since in manifest.retired.items() if n not in gone}
        write_manifest(folder, manifest)
    for path in stale:
        path.unlink(missing_ok=True)
    # Whoever writes holds the lock, which is ours.
    for left in folder.glob(".tmp-*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
