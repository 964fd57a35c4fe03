"""Writing parts of the lake anew without some of their rows: whole or not at all, one part at a time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.files import InUse
from tracking import lake_calm, lake_files, lake_lock
from tracking.collector.rows import OF_PERSON
from tracking.lake_faults import reaching
from tracking.parts import (
    PART,
    Manifest,
    all_or_none,
    folder_of,
    looked_at,
    name_of,
    names_in,
    open_duck,
    parquet,
    read_manifest,
    sound,
    write_days,
    write_manifest,
)

PATIENCE_SECONDS = 600.0  # a merge of many days may be under way


class LakeBusy(Exception):
    """Another process writes to the lake; trying again later helps."""


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
    try:
        with lake_lock.held(patience=patience):
            lake_calm.stir()
            yield
    except InUse:
        raise LakeBusy("Another process has been writing to the lake for long; try again later.") from None


def rewrite(customer_id: str, change: Change, *, at_once: bool) -> int:
    """Apply ``change`` to every part of a customer; return how many rows it concerned.

    The caller holds the lock. ``at_once``: the parts before go now, and with them those that were kept for
    readers; else readers that have just looked into the manifest can still open them for a while. Raises
    :class:`~config.faults.Fault` when the disk is full; parts that were done stay done.
    """
    folder = folder_of(customer_id)
    with reaching(lost="The lake was not written anew"):
        if at_once:
            remove_stale(folder, change)
        found = rows_in(folder, sound(folder, read_manifest(folder).files), change)
        for name in found:
            replace_part(folder, name, change, at_once=at_once)
    return sum(found.values())


def rows_in(folder: str, paths: Sequence[Path], change: Change) -> dict[str, int]:
    """How many rows of each part the change concerns; parts without any are left out."""
    if not paths:
        return {}
    sql = f"SELECT filename, count(*) FROM {parquet(paths)} WHERE {change.concerned} GROUP BY filename"  # noqa: S608
    with closing(open_duck()) as duck:
        return {name_of(Path(path), folder): rows for path, rows in duck.sql(sql).fetchall()}


def replace_part(folder: str, name: str, change: Change, *, at_once: bool) -> None:
    manifest = read_manifest(folder)
    with replacing(folder, name, manifest, at_once=at_once) as new:
        manifest.rows -= write_rest(folder, name, change, new=new)


@contextmanager
def replacing(folder: str, name: str, manifest: Manifest, *, at_once: bool = False) -> Iterator[list[str]]:
    """A block that writes what comes in the place of a part, and gathers the names; the manifest follows.

    The part before goes ``at_once``, or stays a while for readers that have it named to them.
    """
    with all_or_none(folder) as new:
        yield new
        manifest.files = [one for one in manifest.files if one != name] + new
        if not at_once:
            manifest.retired[name] = time.time()
        write_manifest(folder, manifest)
    if at_once:
        lake_files.remove(f"{folder}/{name}")


def write_rest(folder: str, name: str, change: Change, *, new: list[str]) -> int:
    """Write what stays of a part, if anything does; return how many rows went."""
    part, day = parquet(sound(folder, [name])), name.partition("/")[0].removeprefix("day=")
    counts = f"SELECT count(*) FILTER ({change.drop}), count(*) FROM {part}"  # noqa: S608
    with closing(open_duck()) as duck:
        [(gone, total)] = duck.sql(counts).fetchall()
        if gone < total:
            columns = duck.sql(f"SELECT * FROM {part} LIMIT 0").columns  # noqa: S608
            source = (
                f"SELECT * EXCLUDE (filename) REPLACE ({blank(columns, change)}), '{day}' AS day"  # noqa: S608
                f" FROM {part} WHERE NOT ({change.drop}) ORDER BY ts"
            )
            write_days(duck, source, folder, f"rewritten-{time.time_ns()}", new=new)
    return int(gone)


def blank(columns: Sequence[str], change: Change) -> str:
    """What replaces the columns that say something of a person; older parts lack some."""
    return ", ".join(
        f'CASE WHEN {change.unlink} THEN \'\' ELSE "{name}" END AS "{name}"'
        for name in OF_PERSON
        if name in columns
    )


def remove_stale(folder: str, change: Change) -> None:
    """Remove what no manifest counts any more and still holds rows: merged parts, and what a crash left.

    Parts of ours that cannot be read go unread.
    """
    manifest = read_manifest(folder)
    counted = set(manifest.files)
    stale = {name for name in names_in(folder) if name not in counted and is_stale(folder, name, change)}
    if gone := stale & set(manifest.retired):
        manifest.retired = {n: since for n, since in manifest.retired.items() if n not in gone}
        write_manifest(folder, manifest)
    lake_lock.confirm()
    for name in stale:
        lake_files.remove(f"{folder}/{name}")
    # Whoever writes holds the lock, which is ours.
    for left in (lake_files.desk() / folder).glob(".tmp-*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def is_stale(folder: str, name: str, change: Change) -> bool:
    import duckdb

    path, whole = looked_at(f"{folder}/{name}")
    ours = PART.fullmatch(name) is not None
    if not whole:
        return ours
    try:
        return bool(rows_in(folder, [path], change))
    except duckdb.Error:  # a file of somebody else, with other columns
        return ours
