"""The collector in full: both databases, 64 and 256 connections, batches, waiting times, memory.

`python -m tests.benchmarks tracking`. Marks of the same run: granian answering an empty 204 over ASGI; the
collector itself answering 204 to a robot, whose event is judged and not stored; a Django view that saves a
row in the same database; 1,700 events a second, which RudderStack publishes for two cores. Goals: with 64
connections 0.8 of granian on SQLite and 0.6 on PostgreSQL, with 256 connections 1.0; 15 times the view;
batches of 50 at least 20,000 events a second; p99 under 50 ms at half of the highest rate; memory flat over a
million events. Needs wrk.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.bench_collector import COUNT, measure_asgi, measure_view, serving
from tests.benchmarks.databases import new_database, reachable
from tests.benchmarks.load import SCRIPT
from tests.tracking.collector_process import PREPARE, environment, python

SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
MILLION = int(os.environ.get("BENCH_EVENTS", "1000000"))
PUBLISHED = 1_700  # RudderStack, two cores
BATCH = 50
GOALS = {("SQLite", 64): 0.8, ("SQLite", 256): 1.0, ("PostgreSQL", 64): 0.6, ("PostgreSQL", 256): 1.0}
GOAL_VIEW = 15
GOAL_BATCHES = 20_000
MOST_GROWTH_MB = 30
ROBOT = "User-Agent: Googlebot/2.1 (+http://www.google.com/bot.html)"
GOAL_P99_MS = 50.0


class Load(NamedTuple):
    """What wrk says: requests a second, and the 99th percentile of the waiting time in milliseconds."""

    rate: float
    p99: float


def wrk(
    port: int,
    *args: str,
    connections: int,
    script: str = SCRIPT.name,
    header: str = "X-None: 0",
    budgeted: bool = False,
) -> Load:
    """``budgeted``: answers that refuse what is over the customer's 50,000 events a second are left out."""
    command = ["wrk", "-t", "2", "-c", str(connections), "-d", f"{SECONDS}s", "--latency", "--timeout", "30s"]
    command += ["-H", header]
    path = SCRIPT.with_name(script)
    command += ["-s", str(path), f"http://127.0.0.1:{port}", "--", *args]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    assert not refused or budgeted, said
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    wait = re.search(r"99%\s+([0-9.]+)(us|ms|s)", said)
    assert rate, said
    assert wait, said
    taken = float(rate[1]) - (int(refused[1]) / SECONDS if refused else 0)
    return Load(taken, float(wait[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[wait[2]])


@contextmanager
def installation(database: str) -> Iterator[dict[str, str]]:
    """An installation with the collector's tables only, on SQLite or on a PostgreSQL database of its own."""
    settings = {"LODESTAR_DEBUG": "0", "SECRET_KEY": "benchmark-only-" * 4}
    with tempfile.TemporaryDirectory(prefix="lodestar-bench-") as folder:
        if database == "SQLite":
            env = environment(Path(folder), **settings)
            python(env, "-c", PREPARE)
            yield env
            return
        with new_database() as url:
            env = environment(Path(folder), DATABASE_URL=url, **settings)
            python(env, "-c", PREPARE)
            yield env


def resident_mb(port: int) -> float:
    """Memory of the process that listens on the port."""
    found = subprocess.run(
        ["pgrep", "-f", f"tracking.collector --port {port}"], capture_output=True, text=True
    )
    status = Path(f"/proc/{int(found.stdout.split()[0])}/status").read_text()
    size = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert size
    return int(size[1]) / 1024


def singles(database: str, empty: dict[int, float]) -> Iterator[tuple[str, str, str, bool]]:
    """Single events at both numbers of connections, then p99 at half of the highest rate."""
    highest = 0.0
    with installation(database) as env:
        with serving(env, "tracking.collector", "--port", "{port}") as port:
            judged = wrk(port, "r", connections=64, header=ROBOT).rate
        assert int(python(env, "-c", COUNT)) == 0, "a robot's event was stored"
        view = measure_view(env, "v")
        for connections in (64, 256):
            before = int(python(env, "-c", COUNT))
            with serving(env, "tracking.collector", "--port", "{port}") as port:
                load = wrk(port, f"s{connections}", connections=connections)
            stored = int(python(env, "-c", COUNT)) - before
            assert stored >= load.rate * SECONDS * 0.98, f"only {stored} events are stored"
            ratio, goal = load.rate / empty[connections], GOALS[database, connections]
            shown = (
                f"{ratio:.2f} of granian (goal {goal}), {load.rate / judged:.2f} of unstored, "
                f"{load.rate / view:.1f} times the view (goal {GOAL_VIEW}), "
                f"{load.rate / PUBLISHED:.1f} times 1,700"
            )
            yield (
                f"{database}, {connections} connections",
                f"{load.rate:,.0f}/s, p99 {load.p99:.1f} ms",
                shown,
                ratio >= goal and load.rate >= GOAL_VIEW * view,
            )
            highest = max(highest, load.rate)
        with serving(env, "tracking.collector", "--port", "{port}") as port:
            load = paced(port, highest / 2, connections=64)
        yield (
            f"{database}, about half of that rate",
            f"{load.rate:,.0f}/s, p99 {load.p99:.1f} ms",
            f"goal p99 {GOAL_P99_MS:.0f} ms",
            load.p99 < GOAL_P99_MS,
        )


def paced(port: int, rate: float, *, connections: int) -> Load:
    """The load at about ``rate`` a second. An answer takes part of each turn, how much only a trial tells."""
    turn = connections / rate * 1000
    load = wrk(port, "trial", f"{turn:.3f}", connections=connections, script="paced.lua")
    answer = connections / load.rate * 1000 - turn
    return wrk(port, "p", f"{max(turn - answer, 0.0):.3f}", connections=connections, script="paced.lua")


def batches(database: str) -> Iterator[tuple[str, str, str, bool]]:
    """Batches of 50: a million events that fill the database's caches, and what a second million adds."""
    with installation(database) as env, serving(env, "tracking.collector", "--port", "{port}") as port:
        load, _ = in_batches(port, "warm")
        before = resident_mb(port)
        _, sent = in_batches(port, "b")
        grown = resident_mb(port) - before
    rate = load.rate * BATCH
    yield (
        f"{database}, batches of {BATCH}",
        f"{rate:,.0f} events/s, p99 {load.p99:.0f} ms",
        f"goal {GOAL_BATCHES:,}; {grown:+.0f} MB in the second {sent:,.0f} events (goal {MOST_GROWTH_MB})",
        rate >= GOAL_BATCHES and grown <= MOST_GROWTH_MB,
    )


def in_batches(port: int, name: str) -> tuple[Load, float]:
    """At least a million events in batches: the first load, and how many events there were."""
    loads: list[Load] = []
    while sum(load.rate for load in loads) * BATCH * SECONDS < MILLION:
        loads.append(wrk(port, f"{name}{len(loads)}", connections=16, script="batches.lua", budgeted=True))
    return loads[0], sum(load.rate for load in loads) * BATCH * SECONDS


def main() -> int:
    """Print a line for each measurement; 1 when a goal is missed."""
    if not shutil.which("wrk"):
        sys.stderr.write("Install wrk (Debian package wrk) for this benchmark.\n")
        return 2
    databases = ["SQLite", *(["PostgreSQL"] if reachable() else [])]
    with installation("SQLite") as env:
        empty = {connections: measure_asgi(env, "e", connections=connections) for connections in (64, 256)}
    met = True
    for connections, rate in empty.items():
        sys.stdout.write(f"{f'granian, {connections} connections':<36}{rate:>12,.0f}/s\n")
    for database in databases:
        for measure in (singles(database, empty), batches(database)):
            for name, figure, beside, good in measure:
                sys.stdout.write(f"{name:<36}{figure:<28}{beside}{'' if good else '  MISSED'}\n")
                sys.stdout.flush()
                met = met and good
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
