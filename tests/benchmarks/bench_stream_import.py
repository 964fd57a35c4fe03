"""Rows of a customer data platform: ``python -m tests.benchmarks stream_import``.

The shipped ``manage.py serve --workers 2`` with default settings takes 100,000 rows about people
(``BENCH_ROWS``) as one run of chunks of 1,000, sent one after the other, and its worker makes people of
them at the same time. BENCH_DATABASE=postgresql does the same on PostgreSQL. Goals: the worker's memory stays
under 300 MB, and the last fifth of the run is processed at half the rate of the first or more: the cost of
a chunk does not grow with its run. Marks of the same run: `bulk_create` of as many rows into the three
tables that a person of the import has, and on PostgreSQL COPY of the imported rows into tables with the
same indexes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.databases import new_database, reachable
from tests.flows.installation import ROOT, Installation
from tests.flows.processes import worker_of
from tests.flows.stream import Source, prepare, row

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
CHUNK = 1_000
GOAL_MB, GOAL_SHARE = 300.0, 0.5
WATCH = """
import django; django.setup()
import sys, time
from cdp.dataflows.models import Run
began = time.perf_counter()
state = "queued", 0, 0
while state[0] in ("queued", "running"):
    runs = Run.objects.filter(kind="production")
    state = runs.values_list("state", "done_rows", "inserted").first() or state
    print(time.perf_counter() - began, *state, flush=True)
    time.sleep(0.25)
"""
MARKS = """
import io, time
from django.db import connection
from cdp.profiles.models import Account, Contribution, Profile, ProfileIdentifier, Source

def timed(do):
    began = time.perf_counter()
    do()
    return time.perf_counter() - began

rows = {rows}
data = Contribution.objects.latest("pk").data
account = Account.objects.create(number=987654, name="Mark")
source = Source.objects.create(account=account, name="mark")

def bulk():
    people = Profile.objects.bulk_create(
        [Profile(account=account) for _ in range(rows)], batch_size=1000)
    names = ProfileIdentifier.objects.bulk_create(
        [ProfileIdentifier(account=account, profile=one, kind="userid", digest=f"{{n:064x}}", sealed="x")
         for n, one in enumerate(people)], batch_size=1000)
    Contribution.objects.bulk_create(
        [Contribution(source=source, generation=0, identity=one, data=data) for one in names],
        batch_size=1000)

def copied():
    with connection.cursor() as cursor:
        for one in (Profile, ProfileIdentifier, Contribution):
            table = one._meta.db_table
            cursor.execute(f"CREATE TABLE mark_{{table}} (LIKE {{table}} INCLUDING ALL)")
            with cursor.copy(f"COPY (SELECT * FROM {{table}} LIMIT {{rows}}) TO STDOUT") as read:
                held = b"".join(bytes(part) for part in read)
            began = time.perf_counter()
            with cursor.copy(f"COPY mark_{{table}} FROM STDIN") as write:
                write.write(held)
            yield time.perf_counter() - began

print(timed(bulk), sum(copied()) if connection.vendor == "postgresql" else 0.0)
"""


class Point(NamedTuple):
    seconds: float
    state: str
    done: int
    inserted: int


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    is_postgresql = os.environ.get("BENCH_DATABASE") == "postgresql"
    if is_postgresql and not reachable():
        sys.stdout.write("left out: no PostgreSQL\n")
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="bench-stream-import-") as folder,
        new_database() if is_postgresql else nullcontext("") as url,
    ):
        env = {"LODESTAR_DEBUG": "0", "SECRET_KEY": "benchmark-only-" * 4}
        installation = Installation(
            var_dir=Path(folder), extra_env=env | ({"DATABASE_URL": url} if url else {})
        )
        installation.manage("migrate", "--verbosity=0")
        stream_id = prepare(installation)
        with installation.serving("--workers", "2"):
            found = measured(installation, stream_id)
        marks = installation.python(MARKS.format(rows=ROWS)).split()[-2:]
        return report(*found, bulk=float(marks[0]), copy=float(marks[1]))


def measured(installation: Installation, stream_id: str) -> tuple[float, list[Point], float, float]:
    """Seconds until all was taken, how far it was when, the worker's memory before and at its peak."""
    worker = worker_of(installation)
    before = peak_mb(worker)
    watch = subprocess.Popen(
        [sys.executable, "-c", WATCH],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "config.settings"} | installation.env(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watch.stdout is not None
    watch.stdout.readline()
    source = Source(installation, stream_id)
    began = time.perf_counter()
    for place in range(0, ROWS, CHUNK):
        rows = [row(number) for number in range(place + 1, place + CHUNK + 1)]
        source.send(rows, sequence=place // CHUNK, final=place + CHUNK >= ROWS)
    taken = time.perf_counter() - began
    output, _ = watch.communicate(timeout=3600)
    return taken, [point(line) for line in output.splitlines()], before, peak_mb(worker)


def point(line: str) -> Point:
    seconds, state, done, inserted = line.split()
    return Point(float(seconds), state, int(done), int(inserted))


def peak_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def rate(points: list[Point], start: float, end: float) -> float:
    """Rows a second between two shares of the run."""
    first = next(one for one in points if one.done >= max(start * ROWS, 1))
    last = next(one for one in points if one.done >= end * ROWS)
    return (last.done - first.done) / max(last.seconds - first.seconds, 1e-9)


def report(taken: float, points: list[Point], before: float, peak: float, *, bulk: float, copy: float) -> int:
    assert (points[-1].state, points[-1].inserted) == ("succeeded", ROWS), points[-1]
    early, late = rate(points, 0.0, 0.2), rate(points, 0.8, 1.0)
    is_even, is_small = late >= GOAL_SHARE * early, peak < GOAL_MB
    sys.stdout.write(
        f"{ROWS:,} rows in chunks of {CHUNK:,}: taken {ROWS / taken:,.0f}/s, processed"
        f" {rate(points, 0.0, 1.0):,.0f}/s\n"
        f"first fifth {early:,.0f}/s, last fifth {late:,.0f}/s (goal {GOAL_SHARE:g} of it:"
        f" {'met' if is_even else 'MISSED'})\n"
        f"worker: {before:.0f} MB at its start, {peak:.0f} MB at its peak (goal {GOAL_MB:g}:"
        f" {'met' if is_small else 'MISSED'})\n"
    )
    whole = points[-1].seconds
    beside = f", of COPY {copy:.1f} s ({whole / copy:.1f})" if copy else ""
    sys.stdout.write(
        f"all of it {whole:.1f} s; marks: time of bulk_create {bulk:.1f} s ({whole / bulk:.1f} times)"
        f"{beside}\n"
    )
    return int(not is_even or not is_small)
