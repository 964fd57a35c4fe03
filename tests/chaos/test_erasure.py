"""Erasing a person ...

A collector takes the person's events while the command is killed again and again. After the call that ends,
no file of the state folder holds the pseudonym, but for tombstones, receipts and what the person did later.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.chaos.test_secrecy import readings
from tests.tracking.collector_process import ROOT, CollectorProcess, environment, prepare, python

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]
KILLS = 12 if os.environ.get("CHAOS") == "full" else 2
POSTGRES = os.environ.get("TEST_POSTGRES_ADMIN_URL", "postgres://postgres@127.0.0.1:5432/postgres")
FILL = """
import django; django.setup()
import time
from tracking import lake, replay
from tracking.replay import HistoricEvent
now = time.time_ns() // 1000
for day in range(1, 9):
    ts = now - day * 86_400_000_000
    replay.store("4711", [
        HistoricEvent("click", "mabel" if n % 4 == 0 else f"u{n % 50}", ts + n, 1, str(n % 90 + 1))
        for n in range(1, 4000)
    ] + [HistoricEvent("login", "mabel", ts, source=f"device{day}")])
    lake.archive()
"""
NAME = """
import django; django.setup()
from tracking.identity import pseudonym
print(pseudonym("4711", "mabel"))
"""
# Over what is left: rows of the person in all tables and in all files that count.
LEFT = """
import django; django.setup()
from tracking.identity import pseudonym
from tracking.models import Erasure
from tracking.people import places
from tracking.people.spans import Span
at = Erasure.objects.latest("erased_at").erased_at
spans = [Span("4711", pseudonym("4711", "mabel"))]
rows = [one for place in places.places() for one in place.find(spans)]
print(sum(one.get("received", one["ts"]) <= at for one in rows), "before", len(rows), "in all")
"""
COUNT = """
import django; django.setup()
from tracking.models import Event
print(Event.objects.exclude(user="").count())
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def env(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        yield environment(tmp_path)
        return
    name = f"erasure_{os.getpid()}"
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        yield environment(tmp_path, DATABASE_URL=POSTGRES.rpartition("/")[0] + f"/{name}")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Visits(threading.Thread):
    """The person and others go on clicking."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port, self.done, self.sent = port, threading.Event(), 0

    def run(self) -> None:
        while not self.done.is_set():
            user = "mabel" if self.sent % 3 == 0 else f"u{self.sent % 50}"
            url = f"http://127.0.0.1:{self.port}/api/4711/click/{user}/1/7"
            with urllib.request.urlopen(url, timeout=20) as answer:
                assert answer.status == 204
            self.sent += 1
            time.sleep(0.002)

    def stop(self) -> int:
        self.done.set()
        self.join(30)
        return self.sent


def erase(env: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "erase_user", "--customer", "4711", "--user", "-", "--yes"]
    running = subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert running.stdin is not None
    running.stdin.write(b"mabel\n")
    running.stdin.close()
    running.stdin = None  # or communicate() would write to it
    return running


def killed_at_work(env: dict[str, str], *, chance: random.Random) -> Iterator[int]:
    """Kill erasures up to half a second after they have written down what they do; how each ended."""
    running, began = erase(env), time.monotonic()
    while not unfinished(env) and running.poll() is None:
        assert time.monotonic() < began + 60
        time.sleep(0.01)
    start_up = time.monotonic() - began
    for number in range(KILLS):
        if number:
            running = erase(env)
            time.sleep(start_up)
        time.sleep(chance.uniform(0, 0.5))
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=10)
        yield running.returncode


def unfinished(env: dict[str, str]) -> bool:
    sql = "SELECT count(*) FROM tracking_erasure WHERE finished_at IS NULL"
    if "DATABASE_URL" in env:
        with psycopg.connect(env["DATABASE_URL"]) as connection:
            return connection.execute(sql).fetchone() != (0,)
    with closing(sqlite3.connect(Path(env["LODESTAR_VAR_DIR"]) / "events.sqlite3")) as connection:
        return connection.execute(sql).fetchone() != (0,)


def test_finishes_what_kills_interrupted_while_a_collector_runs(env: dict[str, str]) -> None:
    chance = random.Random(7)  # noqa: S311 - the same moments in every run
    prepare(env)
    python(env, "-c", FILL)
    collector = CollectorProcess(env)
    collector.start()
    visits = Visits(collector.port)
    visits.start()
    try:
        assert -signal.SIGKILL in list(killed_at_work(env, chance=chance))
        last = erase(env)
        said, _nothing = last.communicate(timeout=300)
        assert last.returncode == 0, said.decode()
    finally:
        sent = visits.stop()
        collector.stop()
    assert sent > 50
    assert re.search(rb"events +\d+ erased", said), said
    before, _in_all = map(int, re.findall(r"\d+", python(env, "-c", LEFT)))
    assert before == 0, said.decode()


def test_leaves_the_pseudonym_in_no_file(tmp_path: Path) -> None:
    env = environment(tmp_path)
    prepare(env)
    python(env, "-c", FILL)
    others = int(python(env, "-c", COUNT))
    name = python(env, "-c", NAME).strip().encode()
    collector = CollectorProcess(env)
    collector.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{collector.port}/api/4711/click/mabel/1/7", timeout=20):
        pass
    assert any(name in text for path in files(tmp_path) for text in readings(path))

    running = erase(env)
    said, _nothing = running.communicate(timeout=300)
    collector.stop()

    assert running.returncode == 0, said.decode()
    assert name not in said
    assert [line for path in files(tmp_path) for line in traces(path, name)] == []
    assert int(python(env, "-c", COUNT)) == others - 8 * 1000, said.decode()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def traces(path: Path, name: bytes) -> list[bytes]:
    """Lines that hold the pseudonym, tombstones aside; a database is searched as rows and as bytes."""
    as_bytes, *unpacked = readings(path)
    found = [line for text in unpacked for line in text.splitlines() if name in line]
    found = [line[:120] for line in found if b'"tracking_tombstone"' not in line]
    # A tombstone is in its table and in two indexes.
    if as_bytes.count(name) > (3 if path.name == "events.sqlite3" else 0):
        found.append(f"{path.name}: {as_bytes.count(name)} times as bytes".encode())
    return found
