"""Keeping the lake tidy: days of many parts become one file, and what a crash left goes."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress

from config.faults import Fault
from tracking import lake_files
from tracking.parts import (
    PART,
    all_or_none,
    asides,
    customer_folders,
    folder_of,
    names_in,
    open_duck,
    parquet,
    read_manifest,
    sound,
    write_days,
    write_manifest,
)

logger = logging.getLogger("tracking")

MOST_PARTS_A_DAY = 12
# A reader that holds an older manifest may still open a merged part for this long.
GRACE_SECONDS = 900.0
LEFT_SECONDS = 3600.0
ASIDE_SECONDS = 30 * 86_400.0


def compact(customers: Iterable[str]) -> bool:
    """Merge days of many parts into one file each; return whether merged parts wait for their time to go.

    A customer with a damaged part is left as it is; the log, `doctor` and every reader name it.
    """
    waiting = False
    for customer_id in customers:
        try:
            waiting |= compact_customer(folder_of(customer_id))
        except Fault as fault:
            logger.error("The lake of customer %s was not merged: %s", customer_id, fault)
    return waiting


def compact_customer(folder: str) -> bool:
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
        lake_files.remove(f"{folder}/{name}")
    return bool(manifest.retired)


def merge(folder: str, day: str, parts: list[str], *, new: list[str]) -> None:
    """Write the rows of a day's parts as one file; ``new`` gets its name."""
    source = (
        f"SELECT * EXCLUDE (filename), '{day.removeprefix('day=')}' AS day "  # noqa: S608 - our own names
        f"FROM {parquet(sound(folder, parts))} ORDER BY ts"
    )
    with closing(open_duck()) as duck:
        write_days(duck, source, folder, f"merged-{time.time_ns()}", new=new)


def tidy() -> None:
    """Remove from this machine what a crash left half written, and copies of parts that no longer count.

    Erased people are in such copies, so every machine does it for itself.
    """
    desk = lake_files.desk()
    for left in (*desk.glob("customer=*/.tmp-*"), *desk.glob(f"customer=*/{lake_files.FETCHED}*")):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    for folder in desk.glob("customer=*"):
        if copies := lake_files.copies(folder.name):
            lake_files.forget(copies, folder.name, named=counted(folder.name))


def counted(folder: str) -> set[str]:
    """The parts of a customer that count or may still be read; none where the manifest cannot be read."""
    try:
        manifest = read_manifest(folder)
    except Fault:
        return set()
    return {*manifest.files, *manifest.retired}


def sweep() -> None:
    """Remove from the lake what no manifest came to name, and what was set aside long ago."""
    for folder in customer_folders():
        sweep_customer(folder)


def sweep_customer(folder: str) -> None:
    for name in asides(folder):
        if age_of(f"{folder}/{name}") > ASIDE_SECONDS:
            lake_files.remove(f"{folder}/{name}")
    for name in unnamed_parts(folder):
        if age_of(f"{folder}/{name}") > LEFT_SECONDS:
            lake_files.remove(f"{folder}/{name}")


def unnamed_parts(folder: str) -> Iterator[str]:
    """Parts in their place whose process was killed before a manifest named them; no files of others."""
    named: set[str] = set()
    for name in ("manifest.json", *asides(folder)):
        manifest = read_manifest(folder, name)
        named |= {*manifest.files, *manifest.retired}
    yield from (name for name in names_in(folder) if name not in named and PART.fullmatch(name))


def age_of(name: str) -> float:
    """Seconds since a file was written; none for one that is gone."""
    try:
        return time.time() - lake_files.storage().get_modified_time(name).timestamp()
    except FileNotFoundError:
        return 0.0
