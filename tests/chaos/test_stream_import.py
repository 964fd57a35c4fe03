"""Web server and worker are killed while rows about people arrive and are processed, and ...

CHAOS=full sends 50,000 rows to both databases; CHAOS_SEED repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.chaos.postgres import Cluster
from tests.chaos.storm import seed_of_run
from tests.flows.installation import Installation, eventually
from tests.flows.processes import kill_one
from tests.flows.stream import Source, prepare, row

FULL = os.environ.get("CHAOS") == "full"
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800 if FULL else 500)]
ROWS, KILLS, CHUNK = (50_000, 20, 1_000) if FULL else (4_000, 4, 500)
BOTH = ["sqlite", "postgresql"]
RUN = """
import json
from cdp.dataflows.models import Run
one = Run.objects.get(number="{run}")
names = "state received inserted updated unchanged removed failed done_chunks done_rows".split()
print(json.dumps({{name: getattr(one, name) for name in names}}))
"""
PEOPLE = "SELECT attributes FROM profiles_profile ORDER BY id"


class Tables:
    """The database as it is, read from outside."""

    def __init__(self, site: Installation) -> None:
        self.site = site

    @contextmanager
    def connection(self) -> Iterator[Any]:
        if url := self.site.extra_env.get("DATABASE_URL"):
            with psycopg.connect(url) as connection:
                yield connection
        else:
            path = self.site.var_dir / "lodestar.sqlite3"
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
                yield connection

    def people(self) -> list[dict[str, Any]]:
        """The attributes of everybody; one statement, so one state of the database."""
        with self.connection() as connection:
            found = connection.execute(PEOPLE).fetchall()
        return [json.loads(one) if isinstance(one, str) else one for (one,) in found]

    def run(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.site.python(RUN.format(run=number)).splitlines()[-1])
        return found


def installed(tmp_path: Path, postgresql: Cluster, database: str) -> Installation:
    site = Installation(var_dir=tmp_path / "var")
    if database == "postgresql":
        site.extra_env["DATABASE_URL"] = postgresql.new_database()
    site.migrate()
    return site


def sent_under_fire(site: Installation, source: Source, rows: list[dict[str, Any]], seed: object) -> set[str]:
    """Send everything while processes are killed; which of them were."""
    chance = random.Random(f"{seed_of_run()}-{seed}")
    sender = threading.Thread(
        target=source.send_all,
        args=(rows,),
        kwargs={"chunk": CHUNK, "wait": lambda: time.sleep(0.2)},
        daemon=True,
    )
    killed: list[str] = []
    sender.start()
    while len(killed) < KILLS or len(set(killed)) < 2:
        time.sleep(chance.uniform(0.2, 1.5))
        if kind := kill_one(site, chance):
            killed.append(kind)
    sender.join(900)
    assert not sender.is_alive(), "the source still waits for an answer"
    return set(killed)


def ended(tables: Tables, number: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        found = tables.run(number)
        return found if found["state"] not in ("queued", "running") else None

    found = eventually(over, seconds=600 if FULL else 240, what="the end of the run")
    assert isinstance(found, dict)
    return found


def counts(**other: int) -> dict[str, Any]:
    """What a run of all rows says that went well."""
    whole = {"state": "succeeded", "received": ROWS, "done_chunks": ROWS // CHUNK, "done_rows": ROWS}
    return whole | {"inserted": 0, "updated": 0, "unchanged": 0, "removed": 0, "failed": 0} | other


@pytest.mark.skipif(not FULL, reason="the other test begins with an import; CHAOS=full kills during it too")
@pytest.mark.parametrize("database", BOTH)
def test_each_row_is_applied_once(tmp_path: Path, postgresql: Cluster, database: str) -> None:
    site = installed(tmp_path, postgresql, database)
    source = Source(site, prepare(site))
    # Everybody comes twice; what a row says the second time must not be undone by a repetition of the first.
    people = range(1, ROWS // 2 + 1)
    rows = [row(number) for number in people] + [row(number, round_=1) for number in people]
    tables = Tables(site)
    with site.serving("--workers", "2"):
        assert sent_under_fire(site, source, rows, database) == {"web", "worker"}
        found = ended(tables, source.run)
    assert found == counts(inserted=ROWS // 2, updated=ROWS // 2)
    assert sorted(tables.people(), key=lambda one: int(one["id"])) == [row(one, round_=1) for one in people]


class Reader:
    """Looks at everybody again and again; what it saw that was neither the old set nor the new one."""

    def __init__(self, tables: Tables, sets: dict[int, int]) -> None:
        self.tables, self.sets = tables, sets
        self.over = threading.Event()
        self.wrong: list[str] = []
        self.seen: set[int] = set()
        self.thread = threading.Thread(target=self.read, daemon=True)

    def read(self) -> None:
        while not self.over.is_set():
            self.look()
            time.sleep(0.05)

    def look(self) -> None:
        # Names of a set that is not in force yet belong to profiles that say nothing.
        people = [one for one in self.tables.people() if one]
        rounds = {one["round"] for one in people}
        if len(rounds) != 1 or len(people) != self.sets[rounds.copy().pop()]:
            self.wrong.append(f"{len(people)} people of the rounds {rounds}")
        elif any(one != row(one["id"], round_=one["round"]) for one in people):
            self.wrong.append("somebody has attributes of two rounds")
        self.seen |= rounds

    @contextmanager
    def reading(self) -> Iterator[None]:
        self.thread.start()
        try:
            yield
        finally:
            self.over.set()
            self.thread.join(60)


@pytest.mark.parametrize("database", BOTH if FULL else ["postgresql"])
def test_readers_see_the_old_set_or_the_new_one(tmp_path: Path, postgresql: Cluster, database: str) -> None:
    site = installed(tmp_path, postgresql, database)
    stream_id = prepare(site, mode="overwrite")
    tables = Tables(site)
    old, kept = ROWS // 2, ROWS // 4  # a half of the old people is in the new set, with as many others
    first, second = Source(site, stream_id), Source(site, stream_id)
    with site.serving("--workers", "2"):
        first.send_all(
            [row(number, round_=1) for number in range(1, old + 1)], chunk=CHUNK, wait=lambda: time.sleep(0.2)
        )
        assert ended(tables, first.run)["inserted"] == old
        reader = Reader(tables, {1: old, 2: ROWS})
        new = [row(number, round_=2) for number in range(kept + 1, kept + ROWS + 1)]
        with reader.reading():
            assert sent_under_fire(site, second, new, database) == {"web", "worker"}
            found = ended(tables, second.run)
            eventually(lambda: 2 in reader.seen or reader.wrong, what="a look at the new set")
    assert found == counts(inserted=ROWS - (old - kept), updated=old - kept, removed=kept)
    assert not reader.wrong, reader.wrong[:3]
    assert reader.seen == {1, 2}
    assert sorted(tables.people(), key=lambda one: int(one["id"])) == new
