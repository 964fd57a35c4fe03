"""Full export: ``python -m tests.benchmarks export``, with options ``... tests.benchmarks.bench_export``.

First 200,000 items (``--items N --runs N``), then the part of a million (:mod:`tests.benchmarks.million`).

Drives the shipped command with its default settings on SQLite, each run in its own process, against an
engine that is a process too. Peak memory is that of the run above a dry run of the same command. Beside
it stands the limit: ready dictionaries written with orjson, as many bytes in as many files.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import million
from tests.benchmarks.exported import command, engine, environment, prepare

PAGE_SIZES = (10_000, 500)
MIN_RATE = 40_000
MAX_PEAK_MB = 250

LIMIT = """
import sqlite3, sys, time, orjson
database, folder, page = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows = sqlite3.connect(database).execute("SELECT payload FROM content_item")
items = [orjson.loads(row[0]) for row in rows]
start = time.perf_counter()
for number, first in enumerate(range(0, len(items), page)):
    document = {"contentList": {"_media-type": "x", "content": items[first : first + page]}}
    with open(f"{folder}/limit_{number}", "wb") as out:
        out.write(orjson.dumps(document))
print(len(items) / (time.perf_counter() - start))
"""


def limit(var: Path, *, page_size: int) -> float:
    out = subprocess.run(
        [sys.executable, "-c", LIMIT, str(var / "lodestar.sqlite3"), str(var), str(page_size)],
        capture_output=True,
        check=True,
        text=True,
    )
    return float(out.stdout)


def measure(var: Path, *, runs: int) -> list[dict[str, float]]:
    env = environment(var)
    _, idle = command(env, "--dry-run")
    found = []
    for page_size in PAGE_SIZES:
        rates, peaks, limits = [], [], []
        for _ in range(runs):
            limits.append(limit(var, page_size=page_size))
            summary, peak = command(env, f"--page-size={page_size}")
            rates.append(summary["items"] / summary["seconds"])
            peaks.append(peak - idle)
        found.append(
            {
                "page size": page_size,
                "items/s": statistics.median(rates),
                "peak MB": statistics.median(peaks),
                "orjson items/s": statistics.median(limits),
                "ratio": statistics.median(rates) / statistics.median(limits),
            }
        )
    return found


def table(rows: list[dict[str, float]]) -> str:
    names = list(rows[0])
    lines = ["  ".join(f"{name:>14}" for name in names)]
    for row in rows:
        lines.append("  ".join(f"{row[name]:>14,.{2 if name == 'ratio' else 0}f}" for name in names))
    return "\n".join(lines)


def main(arguments: Sequence[str] = ()) -> int:
    """Print a table for each part; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=textwrap.shorten(__doc__ or "", 200))
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-export-") as folder, engine():
        var = Path(folder)
        prepare(var, items=options.items)
        found = measure(var, runs=options.runs)
    print(f"Full export of {options.items:,} items of 1 KB on SQLite, median of {options.runs} runs")  # noqa: T201
    print(table(found))  # noqa: T201
    # The mark is for pages of 10,000; pages of 500 mostly measure how fast the disk syncs 400 files.
    missed = found[0]["items/s"] < MIN_RATE or max(row["peak MB"] for row in found) > MAX_PEAK_MB
    print(f"Goal: {MIN_RATE:,} items/s and {MAX_PEAK_MB} MB: {'MISSED' if missed else 'met'}")  # noqa: T201
    return int(missed) | million.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
