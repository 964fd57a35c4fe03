"""A million items on SQLite and on PostgreSQL: the last part of ``python -m tests.benchmarks export``.

Beside ``run_export``, in the same run, stand orjson writing the same bytes from ready dictionaries, unsynced,
and ``manage.py dumpdata`` of the same rows to nowhere. Both are measured on a sample and scaled, dumpdata
without its start. Goals: 100,000 items a second on SQLite, 80,000 on PostgreSQL, and at most 250 MB above the
process's size before. ``BENCH_MILLION`` sets the number of items, 0 leaves the part out;
``TEST_POSTGRES_URL`` names the server.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson
import psycopg

from tests.benchmarks.databases import new_database, reachable
from tests.benchmarks.exported import (
    COLUMNS,
    ROOT,
    SITE_ID,
    command,
    engine,
    environment,
    migrate,
    payload,
    prepare,
    rows,
)

ITEMS = int(os.environ.get("BENCH_MILLION", "1000000"))
RUNS = int(os.environ.get("BENCH_ROUNDS", "3"))
PAGE_SIZES = (10_000, 500)
SAMPLE = 100_000  # dictionaries that orjson writes
DUMPED = 10_000  # rows that dumpdata writes; their numbers are one argument of the command line
GOALS = {"SQLite": 100_000, "PostgreSQL": 80_000}
MAX_PEAK_MB = 250


class Export(NamedTuple):
    rate: float  # items a second
    peak: float  # MB above a run that writes nothing


def main() -> int:
    """Print a table for each database; 1 when a goal is missed."""
    if not ITEMS:
        return 0
    missed = 0
    with engine():
        for database in ("SQLite", *(["PostgreSQL"] if reachable() else [])):
            with (
                tempfile.TemporaryDirectory(prefix="bench-export-") as folder,
                filled(database, Path(folder)) as env,
            ):
                missed |= report(database, measured(env, Path(folder)), dumped(env))
    return missed


@contextmanager
def filled(database: str, var: Path) -> Iterator[dict[str, str]]:
    """The environment of an installation with the items, on a database of its own."""
    if database == "SQLite":
        prepare(var, items=ITEMS)
        yield environment(var)
        return
    with new_database() as url:
        env = environment(var, DATABASE_URL=url)
        migrate(var, env)
        fill(url)
        yield env


def fill(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        [(site_id,)] = cursor.execute(SITE_ID).fetchall()
        with cursor.copy(f"COPY content_item ({','.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows(site_id, items=ITEMS):
                copy.write_row(row)
        cursor.execute("VACUUM ANALYZE content_item")


def measured(env: dict[str, str], var: Path) -> dict[str, list[Export | float]]:
    """Name of the measurement -> its runs, which take turns."""
    _, idle = command(env, "--dry-run")
    found: dict[str, list[Export | float]] = {}
    for _ in range(RUNS):
        for size in PAGE_SIZES:
            summary, peak = command(env, f"--page-size={size}")
            assert summary["items"] == ITEMS, summary
            shutil.rmtree(var / "export")
            export = Export(summary["items"] / summary["seconds"], peak - idle)
            found.setdefault(f"run_export, {size:,} a page", []).append(export)
            found.setdefault(f"orjson, {size:,} a page", []).append(written_apart(var, page=size))
    return found


def written_apart(folder: Path, *, page: int) -> float:
    """The mark of orjson, in a process of its own: what this one holds would count as its children's peak."""
    code = f"from tests.benchmarks import million; million.write({str(folder)!r}, page={page})"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    return float(out.stdout)


def write(folder: str, *, page: int) -> None:
    """Print the items a second that orjson writes of ready dictionaries."""
    items = [orjson.loads(payload(number)) for number in range(1, SAMPLE + 1)]
    target = Path(folder) / "limit"
    target.mkdir()
    started = time.perf_counter()
    for first in range(0, len(items), page):
        document = {"contentList": {"_media-type": "x", "content": items[first : first + page]}}
        (target / str(first)).write_bytes(orjson.dumps(document))
    spent = time.perf_counter() - started
    shutil.rmtree(target)
    sys.stdout.write(str(len(items) / spent))


def dumped(env: dict[str, str]) -> float:
    """Rows a second of dumpdata: what :data:`DUMPED` rows take longer than one."""
    return (DUMPED - 1) / (seconds_of_dump(env, rows=DUMPED) - seconds_of_dump(env, rows=1))


def seconds_of_dump(env: dict[str, str], *, rows: int) -> float:
    keys = ",".join(map(str, range(1, rows + 1)))
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "manage.py", "dumpdata", "content.item", f"--pks={keys}"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


def report(database: str, found: dict[str, list[Export | float]], dump: float) -> int:
    sys.stdout.write(f"{ITEMS:,} items of 1 KB on {database}, median of {RUNS} runs\n")
    rates, peaks = {}, []
    for name, runs in found.items():
        rates[name] = statistics.median(run.rate if isinstance(run, Export) else run for run in runs)
        used = [run.peak for run in runs if isinstance(run, Export)]
        peaks += used
        shown = f", {max(used):.0f} MB above start" if used else ""
        sys.stdout.write(f"{name:28}{rates[name]:12,.0f} items/s{shown}\n")
    sys.stdout.write(f"{'dumpdata':28}{dump:12,.0f} items/s\n")
    best = rates[f"run_export, {PAGE_SIZES[0]:,} a page"]
    mark = rates[f"orjson, {PAGE_SIZES[0]:,} a page"]
    met = best >= GOALS[database] and max(peaks) <= MAX_PEAK_MB
    sys.stdout.write(
        f"{best / mark:.2f} of orjson, {best / dump:.0f} times dumpdata; "
        f"goal {GOALS[database]:,} items/s and {MAX_PEAK_MB} MB: {'met' if met else 'MISSED'}\n"
    )
    return int(not met)
