"""History in bulk: ``python -m tests.benchmarks import_events [--rows N ...]
[--kinds csv ...]``.

Drives the shipped command with its default settings, each run in its own process: a file of clicks and
purchases that this module makes, once with 400,000 rows and once with a million, as CSV, NDJSON and Parquet,
into SQLite or, with DATABASE_URL, into that database (whose tables are migrated, and where customers of the
run stay behind). Memory is flat when both sizes need about the same. "again" is the same command once more,
which stores nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parents[2]
MOST_GROWTH_MB = 40  # caches are full after some 300,000 rows
KINDS = ("csv", "ndjson", "parquet")
USERS, ITEMS = 200_000, 20_000
START = 1_700_000_000
COLUMNS = ("visitor", "when", "what", "sku", "price", "path", "amount")
MAP = "user=visitor,ts=when,event=what,item=sku,price=price,category=path,quantity=amount"


def row_of(number: int, chance: random.Random) -> list[object]:
    item = int(ITEMS * chance.random() ** 3) + 1
    what = "transaction" if number % 5 == 0 else "view"
    user = int(USERS * chance.random() ** 2) if number % 50 else ""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(START + number * 20))
    return [user, when, what, item, f"{item % 90 + 1}.99", f"shop/{item % 40}", number % 3 + 1]


def generate(folder: Path, *, rows: int) -> list[Path]:
    """The same rows in three kinds; every fiftieth has no user and is to be rejected."""
    chance = random.Random(11)  # noqa: S311
    paths = [folder / f"history-{rows}.{kind}" for kind in KINDS]
    with paths[0].open("w", newline="") as plain, paths[1].open("w") as objects:
        writer = csv.writer(plain)
        writer.writerow(COLUMNS)
        for number in range(1, rows + 1):
            row = row_of(number, chance)
            writer.writerow(row)
            objects.write(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n")
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{paths[0]}')) TO '{paths[2]}' (FORMAT parquet)")
    return paths


def environment(var: Path) -> dict[str, str]:
    return os.environ | {"LODESTAR_VAR_DIR": str(var)}


def manage(var: Path, *arguments: str) -> tuple[str, Any]:
    """Run a command in a process of its own; return what it printed and what the process used."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(var), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        raise SystemExit(f"{arguments[0]} ended with {process.returncode}")
    return output, usage


def measured(var: Path, path: Path, *, customer: str, again: bool) -> dict[str, Any]:
    options = ["--map", MAP, "--event-map", "view=click,transaction=buy", "--currency", "EUR", "--json"]
    output, usage = manage(var, "import_events", str(path), "--customer", customer, *options)
    summary = json.loads(output)
    return {
        "file": path.suffix[1:] + (" again" if again else ""),
        "rows": summary["rows"],
        "stored": summary["stored"],
        "rows/s": summary["rows"] / summary["seconds"],
        "CPU s": usage.ru_utime + usage.ru_stime,
        "rows/CPU s": summary["rows"] / (usage.ru_utime + usage.ru_stime),
        "peak MB": usage.ru_maxrss / 1024,
    }


def new_customer(var: Path) -> str:
    customer = str(random.SystemRandom().randrange(10**8, 10**9))
    manage(var, "create_customer", "--name", f"Bench {customer}", "--type", "commerce", "--id", customer)
    return customer


def measure(folder: Path, *, sizes: list[int], kinds: list[str]) -> list[dict[str, Any]]:
    rows = []
    for size in sizes:
        for path in (one for one in generate(folder, rows=size) if one.suffix[1:] in kinds):
            customer = new_customer(folder)
            rows.append(measured(folder, path, customer=customer, again=False))
            rows.append(measured(folder, path, customer=customer, again=True))
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    lines = ["  ".join(f"{name:>14}" for name in names)]
    for row in rows:
        lines.append(
            "  ".join(f"{v:>14,.{n == 'CPU s':d}f}" if n != "file" else f"{v:>14}" for n, v in row.items())
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=textwrap.shorten(__doc__ or "", 200))
    parser.add_argument("--rows", type=int, nargs="+", default=[400_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    options = parser.parse_args([one for one in sys.argv[1:] if one != "import_events"])
    sizes = sorted(options.rows)
    with tempfile.TemporaryDirectory(prefix="bench-import-") as folder:
        manage(Path(folder), "migrate", "--verbosity=0")
        rows = measure(Path(folder), sizes=sizes, kinds=options.kinds)
    print("import_events, load of the machine:", *(f"{load:.1f}" for load in os.getloadavg()))  # noqa: T201
    print(table(rows))  # noqa: T201
    same = 2 * len(options.kinds)
    pairs = zip(rows[:same], rows[-same:], strict=True)
    growth = max(late["peak MB"] - early["peak MB"] for early, late in pairs)
    if growth > MOST_GROWTH_MB:
        raise SystemExit(f"Memory grew by {growth:.0f} MB from the smallest file to the largest.")


if __name__ == "__main__":
    main()
