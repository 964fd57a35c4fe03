"""The collector, killed under load, ...

Senders repeat a request with its event id until it is answered, as a careful client would. Afterwards every
answered event must be in the database, once.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from itertools import count

import psycopg
import pytest

from tests.tracking.collector_process import CollectorProcess, environment, prepare, python

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]
KILLS = 25 if os.environ.get("CHAOS") == "full" else 4
SENDERS = 16
SURGING = "tests.chaos.surging_collector"
POSTGRES = os.environ.get("TEST_POSTGRES_ADMIN_URL", "postgres://postgres@127.0.0.1:5432/postgres")


class Senders:
    """Threads that send events over kept connections and note which were answered."""

    numbers_from = 0

    def __init__(self, port: int) -> None:
        self.port = port
        self.numbers = count(self.numbers_from)
        self.answered: set[str] = set()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._send_on) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def finish(self) -> set[str]:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)
        return self.answered

    def _send_on(self) -> None:
        while not self.stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                    self._send_over(connection)
            except OSError:
                time.sleep(0.01)

    def _send_over(self, connection: socket.socket) -> None:
        """Send until the connection breaks; an event without an answer stays the thread's next one."""
        mine = threading.current_thread().__dict__
        while not self.stop.is_set():
            event_id = mine.setdefault("unanswered", f"e{next(self.numbers)}")
            if self._one(connection, event_id):
                self.answered.add(mine.pop("unanswered"))

    def _one(self, connection: socket.socket, event_id: str) -> bool:
        return self._answered(connection, f"/api/4711/click/user/1/2?categorypath=A%2FB&eventid={event_id}")

    def _answered(self, connection: socket.socket, path: str) -> bool:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: events.test\r\n\r\n".encode())
        answer = connection.recv(4096)
        if not answer:
            raise ConnectionResetError
        return answer.startswith(b"HTTP/1.1 204")


class Anonymous(Senders):
    """They send no event id and nothing twice."""

    numbers_from = 1

    def _send_over(self, connection: socket.socket) -> None:
        while not self.stop.is_set():
            item = str(next(self.numbers))
            if self._answered(connection, f"/api/4711/click/user/1/{item}"):
                self.answered.add(item)


COUNT = """
import json, sys, django; django.setup()
from tracking.models import Event
print(json.dumps(list(Event.objects.values_list(sys.argv[1], flat=True))))
"""


def stored_ids(env: dict[str, str], column: str = "event_id") -> list[str]:
    import json

    return json.loads(python(env, "-c", COUNT, column))


def kill_under_load(
    env: dict[str, str],
    *,
    module: str,
    kills: int,
    senders: type[Senders] = Senders,
    column: str = "event_id",
) -> tuple[set[str], list[str]]:
    """Return the ids that were answered and those that are stored."""
    collector = CollectorProcess(env, module=module)
    collector.start()
    sending = senders(collector.port)
    for number in range(kills):
        before = len(sending.answered)
        deadline = time.monotonic() + 30
        while len(sending.answered) < before + 200 and time.monotonic() < deadline:
            time.sleep(0.005 + number % 5 * 0.003)
        collector.kill()
        collector.start()
    answered = sending.finish()
    assert len(answered) >= 200 * kills
    collector.kill()
    if module == SURGING:  # what stands in the journal is moved by the next collector
        collector.start()
        assert collector.stop() == 0
    return answered, stored_ids(env, column)


@pytest.fixture
def sqlite(tmp_path):
    env = environment(tmp_path)
    prepare(env)
    return env


@pytest.fixture
def postgres(tmp_path):
    name = f"lodestar_chaos_{os.getpid()}"
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("PostgreSQL is not reachable")
    admin.execute(f'CREATE DATABASE "{name}"')
    env = environment(tmp_path, DATABASE_URL=POSTGRES.rpartition("/")[0] + f"/{name}")
    prepare(env)
    yield env
    admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    admin.close()


@pytest.mark.parametrize("module", ["tracking.collector", SURGING])
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_has_stored_every_answered_event_once(request: pytest.FixtureRequest, database: str, module: str):
    env = request.getfixturevalue(database)
    answered, stored = kill_under_load(env, module=module, kills=KILLS)
    assert not answered - set(stored)
    assert len(stored) == len(set(stored))


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_moves_an_event_without_an_id_once(request: pytest.FixtureRequest, database: str):
    """Only the journal's own cursor keeps these apart; each is sent once and has an item of its own."""
    env = request.getfixturevalue(database)
    answered, stored = kill_under_load(env, module=SURGING, kills=KILLS, senders=Anonymous, column="item_id")
    assert not answered - set(stored)
    assert len(stored) == len(set(stored))


def test_would_be_caught_answering_before_the_commit(sqlite: dict[str, str]):
    answered, stored = kill_under_load(sqlite, module="tests.chaos.hasty_collector", kills=KILLS)
    assert answered - set(stored), "the harness cannot tell a safe collector from an unsafe one"


def test_answers_what_it_accepted_before_it_stops(sqlite: dict[str, str]):
    collector = CollectorProcess(sqlite)
    collector.start()
    senders = Senders(collector.port)
    wait_until(lambda: len(senders.answered) > 300)
    assert collector.stop() == 0
    assert not senders.finish() - set(stored_ids(sqlite))


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
