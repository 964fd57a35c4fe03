"""Recommendation calls over HTTP: ``python -m tests.benchmarks calls``. Needs wrk.

The shipped ``manage.py serve --workers 2``, default settings outside development, answers ``front`` with
two attributes for users with 50 clicks among 100,000 items, on SQLite and, where it is there, on PostgreSQL.
wrk runs beside it on the same cores. A mark in the same rounds: a view that only says a word, which is what
HTTP, the server and the middleware cost on this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import requests

from tests.benchmarks.bench_recommend import USERS
from tests.benchmarks.databases import new_database, reachable
from tests.flows.installation import Installation

SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "16"))
# Calls per second, and milliseconds at the 99th percentile, on PostgreSQL.
GOAL_RATE, GOAL_P99 = 400.0, 50.0
SCRIPT = str(Path(__file__).with_name("calls.lua"))
# The models count as built, or the worker of the server would spend the first minutes on building them all.
PREPARE = """
from personalization.server.models import Model, ModelBuild
from tests.benchmarks import bench_recommend
customer = bench_recommend.prepare()
for model in Model.objects.filter(customer_id=customer):
    ModelBuild.objects.create(model=model, status=ModelBuild.Status.ACTIVE)
print(customer)
"""
ANALYSE = "from django.db import connection; connection.cursor().execute('ANALYZE')"
PRODUCTION = {
    "LODESTAR_DEBUG": "0",
    "SECRET_KEY": "benchmark-only-" * 4,
    "LODESTAR_URLS": "tests.benchmarks.word_view",
}
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Measured(NamedTuple):
    rate: float  # answers per second
    p99: float  # milliseconds


def main() -> int:
    """Print a line for each database and case; 1 when a goal is missed."""
    if not shutil.which("wrk"):
        sys.stderr.write("Install wrk (Debian package wrk) for this benchmark.\n")
        return 2
    missed = False
    for database in ("SQLite", *(["PostgreSQL"] if reachable() else [])):
        with tempfile.TemporaryDirectory(prefix="bench-calls-") as folder, store(database) as env:
            installation = Installation(var_dir=Path(folder), extra_env=PRODUCTION | env)
            calls, mark = measured(installation)
        met = calls.rate >= GOAL_RATE and calls.p99 < GOAL_P99
        missed |= not met
        sys.stdout.write(
            f"{database:12} calls {calls.rate:6.0f}/s, p99 {calls.p99:6.1f} ms"
            f" (goal {GOAL_RATE:g}, {GOAL_P99:g}: {'met' if met else 'MISSED'});"
            f" a word {mark.rate:6.0f}/s, p99 {mark.p99:6.1f} ms; calls to it {calls.rate / mark.rate:.2f}\n"
        )
        sys.stdout.flush()
    return int(missed)


@contextmanager
def store(database: str) -> Iterator[dict[str, str]]:
    """The environment of a database of its own."""
    if database == "SQLite":
        yield {}
        return
    with new_database() as url:
        yield {"DATABASE_URL": url}


def measured(installation: Installation) -> tuple[Measured, Measured]:
    """Calls and the mark, medians of rounds that alternate."""
    installation.manage("migrate", "--verbosity=0")
    customer = installation.python(PREPARE).split()[-1]
    installation.python(ANALYSE)
    rounds: dict[str, list[Measured]] = {"calls": [], "word": []}
    with installation.serving("--workers", "2"):
        answer = requests.get(f"{installation.base}/api/v2/{customer}/u{USERS}/front.json", timeout=60)
        assert len(answer.json()["recommendationItems"]) == 10, answer.text
        script = ["-s", SCRIPT, installation.base, "--", customer, str(USERS), str(USERS)]
        run(script)  # both processes have the catalogue and the plan now
        for _ in range(ROUNDS):
            rounds["calls"].append(run(script))
            rounds["word"].append(run([f"{installation.base}/bench/word"]))
    calls, word = (
        Measured(*(statistics.median(one[n] for one in of) for n in range(2))) for of in rounds.values()
    )
    return calls, word


def run(arguments: list[str]) -> Measured:
    """One run of wrk; fails on any answer that is not 2xx."""
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--timeout", "30s", "--latency"]
    said = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    p99 = re.search(r"99%\s+([0-9.]+)(us|ms|s)\b", said)
    assert rate, said
    assert p99, said
    return Measured(float(rate[1]), float(p99[1]) * UNITS[p99[2]])


if __name__ == "__main__":
    sys.exit(main())
