"""The files of one customer's lake: parts that appear whole, and the manifest that says which count.

A customer's ``folder`` is a name below the root of the lake; names of parts are relative to it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from config.faults import Fault
from tracking import lake_files, lake_lock

if TYPE_CHECKING:
    import duckdb

PART = re.compile(
    r"day=\d+-\d\d-\d\d/(\d+-\d+|merged-\d+|rewritten-\d+|rekeyed-\d+)(-[0-9a-f]{8}\d*)?(_\d+)?\.parquet"
)
MAGIC = b"PAR1"  # the first and the last bytes of every Parquet file
TOKEN_BYTES = 4
MOST_NAMED = 3
OF_CUSTOMER = "customer="
ASIDE = "aside-"  # begins the names of manifests whose parts were set aside


@dataclass
class Manifest:
    """Which files of a customer count, and up to which event id they hold everything."""

    version: int = 1
    last_id: int = 0
    rows: int = 0
    files: list[str] = field(default_factory=list)  # relative to the customer's folder
    retired: dict[str, float] = field(default_factory=dict)  # merged parts and when they were


def folder_of(customer_id: str) -> str:
    return OF_CUSTOMER + quote(customer_id, safe="")


def customer_of(folder: str) -> str:
    return unquote(folder.removeprefix(OF_CUSTOMER))


def customer_folders() -> list[str]:
    """The folders of all customers, also of those whose parts no longer count."""
    return [folder for folder in lake_files.children("")[0] if folder.startswith(OF_CUSTOMER)]


def asides(folder: str) -> list[str]:
    """The manifests of parts that were set aside."""
    return [name for name in lake_files.children(folder)[1] if name.startswith(ASIDE)]


def read_manifest(folder: str, name: str = "manifest.json") -> Manifest:
    """Empty where there is none. Raises :class:`~config.faults.Fault` for a damaged one."""
    try:
        return Manifest(**json.loads(lake_files.read_text(f"{folder}/{name}")))
    except FileNotFoundError:
        return Manifest()
    except (ValueError, TypeError) as error:
        raise Fault(f"The lake's {folder}/{name} cannot be read: {error}. {remedy(folder)}") from error


def write_manifest(folder: str, manifest: Manifest, name: str = "manifest.json") -> None:
    """Raises :class:`~config.faults.Fault` when the lock was lost: another may write."""
    lake_lock.confirm()
    lake_files.put_text(json.dumps(asdict(manifest), indent=1), f"{folder}/{name}")


def remedy(folder: str) -> str:
    return f"`manage.py rebuild_lake --customer {customer_of(folder)}` writes it anew from the database."


def sql_text(path: Path) -> str:
    return str(path).replace("'", "''")


def parquet(paths: Sequence[Path]) -> str:
    """DuckDB's source of these files, with their path as ``filename``; older parts lack newer columns."""
    listed = ", ".join(f"'{sql_text(path)}'" for path in paths)
    return f"read_parquet([{listed}], filename = true, hive_partitioning = false, union_by_name = true)"


def sound(folder: str, names: Iterable[str]) -> list[Path]:
    """Local files of parts. Raises :class:`~config.faults.Fault` for one that is missing or cut short."""
    paths = []
    for name in names:
        try:
            path, whole = looked_at(f"{folder}/{name}")
        except FileNotFoundError:
            raise Fault(f"The lake lacks {folder}/{name}. {remedy(folder)}") from None
        if not whole:
            raise Fault(f"The lake's {folder}/{name} is damaged (no Parquet file). {remedy(folder)}")
        paths.append(path)
    return paths


def looked_at(name: str) -> tuple[Path, bool]:
    """A local file, and whether it is whole. Raises FileNotFoundError.

    A copy of what is in a bucket may be damaged alone, by a power cut or a full disk: it is fetched again.
    """
    path = lake_files.local(name)
    if not is_whole(path):
        path = lake_files.again(name)
    return path, is_whole(path)


def is_whole(path: Path) -> bool:
    """Whether a Parquet file begins and ends like one; those that were cut short do not."""
    with path.open("rb") as handle:
        begin = handle.read(len(MAGIC))
        if handle.seek(0, os.SEEK_END) < 3 * len(MAGIC):
            return False
        handle.seek(-len(MAGIC), os.SEEK_END)
        return begin == handle.read() == MAGIC


def name_of(path: Path, folder: str) -> str:
    return path.relative_to(lake_files.desk() / folder).as_posix()


def names_in(folder: str) -> Iterator[str]:
    """What stands in the day folders of a customer, foreign files included."""
    for day in lake_files.children(folder)[0]:
        yield from (f"{day}/{name}" for name in lake_files.children(f"{folder}/{day}")[1])


@contextmanager
def all_or_none(folder: str) -> Iterator[list[str]]:
    """Gathers the names of new files; those that no manifest came to name go when the block fails.

    When the place cannot even be asked, they are left to the sweep.
    """
    new: list[str] = []
    try:
        yield new
    except BaseException:
        with suppress(Exception):
            named = read_manifest(folder).files
            for name in new:
                if name not in named:
                    lake_files.remove(f"{folder}/{name}")
        raise


def open_duck() -> duckdb.DuckDBPyConnection:
    """A new DuckDB in memory. Imported on first use: collectors and web processes never need it."""
    import duckdb

    return duckdb.connect()


def write_days(
    duck: duckdb.DuckDBPyConnection, source: str, folder: str, label: str, *, new: list[str]
) -> None:
    """Write the query's rows as one stored file per day; ``new`` gets each name below ``folder``."""
    label = f"{label}-{secrets.token_hex(TOKEN_BYTES)}"
    temporary = lake_files.desk() / folder / f".tmp-{os.getpid()}-{label}"
    temporary.mkdir(parents=True)
    try:
        duck.execute(
            f"COPY ({source}) TO '{sql_text(temporary)}' "
            "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), FILENAME_PATTERN 'part')"
        )
        for written in sorted(temporary.glob("day=*/*.parquet")):
            name = f"{written.parent.name}/{label}{suffix_of(written)}.parquet"
            new.append(name)
            lake_files.put(written, f"{folder}/{name}")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def suffix_of(written: Path) -> str:
    """DuckDB may write several files for a day; it numbers them, with or without a line."""
    return written.stem.removeprefix("part")
