"""Changing the key of pseudonyms ...

The command is killed again and again while a collector takes events. After the call that ends every row of
tables and lake is re-keyed exactly once, and none is missing.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.tracking.collector_process import ROOT, CollectorProcess, environment, prepare, python

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
KILLS = 12 if os.environ.get("CHAOS") == "full" else 2
POSTGRES = os.environ.get("TEST_POSTGRES_ADMIN_URL", "postgres://postgres@127.0.0.1:5432/postgres")
OLD, NEW = "the-old-key-" + "0a1b2" * 9, "the-new-key-" + "z9y8x" * 9
USERS, DAYS, A_DAY = 20, 3, 1_000
FILL = f"""
import django; django.setup()
import time
from tracking import lake, replay
from tracking.replay import HistoricEvent
now = time.time_ns() // 1000
for day in range(1, {DAYS} + 1):
    ts = now - day * 86_400_000_000
    replay.store("4711", [HistoricEvent("click", f"u{{n % {USERS}}}", ts + n, 1, "7") for n in range({A_DAY})]
        + [HistoricEvent("login", f"u{{n}}", ts, source=f"device{{n}}") for n in range(9)])
    lake.archive()
"""
# The command in smaller steps, so that there is a middle to be killed in.
ROTATE = """
import django; django.setup()
from django.core.management import call_command
from tracking.rotation import rekey, run
rekey.BATCH, run.SETTLE_SECONDS = 50, 0.5
call_command("rotate_pseudonyms", "--json")
"""
# Users of all rows, by their raw id where they are in the form of today, else as they are.
FOUND = f"""
import django; django.setup()
import json
from collections import Counter
from tracking import lake_rewrite, lake, parts
from tracking.identity import pseudonym
from tracking.models import Event, IdentityEdge
names = {{pseudonym("4711", name): name for n in range({USERS}) for name in (f"u{{n}}", f"device{{n}}")}}
stored = [names.get(user, user) for user in Event.objects.values_list("user", flat=True)]
pairs = IdentityEdge.objects.values_list("source", "target")
edges = sorted({{(names.get(s, s), names.get(t, t)) for s, t in pairs}})
lake.archive()
files = lake_rewrite.parquet(lake.files("4711"))
rows = parts.open_duck().sql(f'SELECT "user", count(*) FROM {{files}} GROUP BY "user"').fetchall()
archived = {{names.get(user, user): number for user, number in rows}}
print(json.dumps([Counter(stored), archived, edges, IdentityEdge.objects.count()]))
"""
BEGUN = "SELECT count(*) FROM tracking_event WHERE \"user\" >= 'g' AND \"user\" < 'h'"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def env(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        yield environment(tmp_path, LODESTAR_PSEUDONYM_KEY=OLD)
        return
    name = f"rotation_{os.getpid()}"
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        url = POSTGRES.rpartition("/")[0] + f"/{name}"
        yield environment(tmp_path, DATABASE_URL=url, LODESTAR_PSEUDONYM_KEY=OLD)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def rotation(env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ROTATE]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rekeyed(env: dict[str, str]) -> int:
    if "DATABASE_URL" in env:
        with psycopg.connect(env["DATABASE_URL"]) as connection:
            return connection.execute(BEGUN).fetchone()[0]
    with closing(sqlite3.connect(Path(env["LODESTAR_VAR_DIR"]) / "events.sqlite3", timeout=20)) as connection:
        return connection.execute(BEGUN).fetchone()[0]


def kill_at_work(env: dict[str, str], *, chance: random.Random) -> int:
    """Kill one call up to a second and a half after it has begun to change rows; how it ended."""
    before, running = rekeyed(env), rotation(env)
    deadline = time.monotonic() + 60
    while rekeyed(env) == before and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 1.5))
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=10)
    return running.returncode


def test_rekeys_each_row_once_however_often_it_is_killed(env: dict[str, str]) -> None:
    chance = random.Random(11)  # noqa: S311 - the same moments in every run
    prepare(env)
    python(env, "-c", FILL)
    env = {name: value for name, value in env.items() if name != "LODESTAR_PSEUDONYM_KEY"}
    env["LODESTAR_PSEUDONYM_KEYS"] = f"{OLD},{NEW}"
    collector = CollectorProcess(env)
    collector.start()
    try:
        assert [kill_at_work(env, chance=chance) for _ in range(KILLS)].count(-signal.SIGKILL)
        running = rotation(env)
        sent = visit(collector.port, running)
        said, complaints = running.communicate(timeout=200)
        assert running.returncode == 0, complaints
        assert json.loads(said)["finished"]
    finally:
        collector.stop()

    expected = Counter({f"u{n}": DAYS * A_DAY // USERS for n in range(USERS)})
    expected.update(f"u{n}" for n in range(9) for _day in range(DAYS))  # the logins themselves
    expected.update(sent)
    stored, archived, edges, number = json.loads(python(env, "-c", FOUND))
    assert stored == dict(expected)
    assert archived == dict(expected)
    assert edges == [[f"device{n}", f"u{n}"] for n in range(9)]
    assert number == 9 * DAYS


def visit(port: int, running: subprocess.Popen[str]) -> list[str]:
    """Click as long as the command runs; return who did."""
    sent: list[str] = []
    while running.poll() is None:
        user = f"u{len(sent) % USERS}"
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/api/4711/click/{user}/1/7", timeout=20
        ) as answer:
            assert answer.status == 204
        sent.append(user)
        time.sleep(0.01)
    return sent
