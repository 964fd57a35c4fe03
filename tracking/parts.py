"""The files of one customer's lake: parts that appear whole, and the manifest that says which count."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.conf import settings

from config.files import sync

if TYPE_CHECKING:
    import duckdb


@dataclass
class Manifest:
    """Which files of a customer count, and up to which event id they hold everything."""

    version: int = 1
    last_id: int = 0
    rows: int = 0
    files: list[str] = field(default_factory=list)  # relative to the customer's folder
    retired: dict[str, float] = field(default_factory=dict)  # merged parts and when they were


def folder_of(customer_id: str) -> Path:
    root: Path = settings.LAKE_ROOT
    return root / f"customer={quote(customer_id, safe='')}"


def read_manifest(folder: Path) -> Manifest:
    try:
        return Manifest(**json.loads((folder / "manifest.json").read_text()))
    except FileNotFoundError:
        return Manifest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    temporary = folder / f".tmp-manifest-{os.getpid()}"
    try:
        temporary.write_text(json.dumps(asdict(manifest), indent=1))
        sync(temporary)
        temporary.replace(folder / "manifest.json")
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync(folder)


def sql_text(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def all_or_none(folder: Path) -> Iterator[list[str]]:
    """Gathers the names of new files; those that no manifest came to name go when the block fails."""
    new: list[str] = []
    try:
        yield new
    except BaseException:
        named = read_manifest(folder).files
        for name in new:
            if name not in named:
                (folder / name).unlink(missing_ok=True)
        raise


def open_duck() -> duckdb.DuckDBPyConnection:
    """A new DuckDB in memory. Imported on first use: collectors and web processes never need it."""
    import duckdb

    return duckdb.connect()


def write_days(
    duck: duckdb.DuckDBPyConnection, source: str, folder: Path, label: str, *, new: list[str]
) -> None:
    """Write the query's rows as one synced file per day; ``new`` gets each name below ``folder``."""
    temporary = folder / f".tmp-{os.getpid()}-{label}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        duck.execute(
            f"COPY ({source}) TO '{sql_text(temporary)}' "
            "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), FILENAME_PATTERN 'part')"
        )
        for written in sorted(temporary.glob("day=*/*.parquet")):
            new.append(publish(written, folder, label))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def publish(written: Path, folder: Path, label: str) -> str:
    """Sync a file and move it to its place."""
    target = folder / written.parent.name / f"{label}{suffix_of(written)}.parquet"
    target.parent.mkdir(exist_ok=True)
    sync(written)
    written.replace(target)
    sync(target.parent)
    return str(target.relative_to(folder))


def suffix_of(written: Path) -> str:
    """DuckDB may write several files for a day: `part.parquet`, `part_1.parquet`."""
    return written.stem.removeprefix("part")
