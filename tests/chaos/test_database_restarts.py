"""A PostgreSQL server that is restarted and killed under load ...

Senders repeat a request with its event id until it is answered 2xx. Collector and web server get every
request in turn; neither is ever restarted.
"""

from __future__ import annotations

import http.client
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from config.management.commands.serve import gunicorn
from tests.chaos.cutting_proxy import Habits, cutting_proxy
from tests.chaos.postgres import Cluster, cluster
from tests.chaos.traffic import prepare_sites, signed
from tests.flows.installation import ROOT, eventually, free_port, stop
from tests.tracking.collector_process import CollectorProcess, environment, prepare

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
SENDERS_A_PORT = 4
BETWEEN_FAULTS = 100  # answered events


def address(event_id: str) -> str:
    """Every tenth is a signed event of the past, for which the writer looks tombstones up."""
    sent = [("categorypath", "A/B"), ("eventid", event_id)]
    if event_id.endswith("0"):
        sent = signed("1&2", sent)
    return f"/api/4711/click/user/1/2?{urlencode(sent)}"


def installation(folder: Path, server: Cluster) -> dict[str, str]:
    env = environment(folder, DATABASE_URL=server.url, **prepare_sites(folder))
    prepare(env)
    return env


class Senders:
    """Threads that send events to both ports and note what came back."""

    def __init__(self, *ports: int) -> None:
        self.numbers = count()
        self.answered: dict[int, set[str]] = {port: set() for port in ports}
        self.refused: dict[int, int] = dict.fromkeys(ports, 0)
        self.wrong: list[str] = []
        self.over = threading.Event()
        each = [port for port in ports for _ in range(SENDERS_A_PORT)]
        self.threads = [threading.Thread(target=self.send_on, args=(port,)) for port in each]
        for thread in self.threads:
            thread.start()

    def finish(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def send_on(self, port: int) -> None:
        event_id = self.next_id()
        while not self.over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                while not self.over.is_set():
                    if self.accepted(connection, port, event_id):
                        self.answered[port].add(event_id)
                        event_id = self.next_id()
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(f"{port}: {error!r}")
            finally:
                connection.close()

    def next_id(self) -> str:
        return f"e{next(self.numbers)}"

    def accepted(self, connection: http.client.HTTPConnection, port: int, event_id: str) -> bool:
        connection.request("GET", address(event_id))
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 503 and answer.headers["Retry-After"]:
            self.refused[port] += 1
            self.over.wait(0.05)
        elif answer.status // 100 != 2:
            self.wrong.append(f"{port}: {answer.status} {answer.headers['Retry-After']} {body[:200]!r}")
        return answer.status // 100 == 2

    def wait_for_more(self) -> None:
        """Until both ports have accepted some more events."""
        before = {port: len(ids) for port, ids in self.answered.items()}
        eventually(
            lambda: all(len(self.answered[port]) >= before[port] + BETWEEN_FAULTS for port in before),
            seconds=90,
            what=f"{BETWEEN_FAULTS} more answered events on each port after {before}; {self.wrong[-3:]}",
        )


@contextmanager
def collector_process(env: dict[str, str]) -> Iterator[int]:
    collector = CollectorProcess(env)
    try:
        collector.start()
        yield collector.port
    finally:
        assert collector.stop() == 0


@contextmanager
def web_server(env: dict[str, str], log: Path) -> Iterator[int]:
    """The web process of `serve`, without the worker, whose tables this database has not."""
    port = free_port()
    options = {"host": "127.0.0.1", "workers": 1, "threads": 4, "access_log": False}
    command = gunicorn(port=port, options=options)
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)
        try:
            eventually(
                lambda: takes_events(port), seconds=90, what=f"an event taken by the web server ({log})"
            )
            yield port
        finally:
            stop(process)


def takes_events(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection, suppress(OSError):
        connection.request("GET", "/api/4711/click/user/1/2?eventid=first")
        return connection.getresponse().status == 204
    return False


def stored_ids(server: Cluster) -> list[str]:
    with psycopg.connect(server.url) as connection:
        return [row[0] for row in connection.execute("SELECT event_id FROM tracking_event").fetchall()]


def kill_and_start(server: Cluster) -> None:
    server.kill_postmaster()
    time.sleep(0.5)
    server.start()


FAULTS: list[Callable[[Cluster], None]] = [
    Cluster.restart,
    Cluster.kill_a_backend,
    kill_and_start,
    Cluster.kill_a_backend,
    kill_and_start,
]


def test_it_has_every_answered_event_once_and_heals_without_a_restart(tmp_path: Path) -> None:
    with cluster() as server:
        env = installation(tmp_path, server)
        with collector_process(env) as event_port, web_server(env, tmp_path / "web.log") as web_port:
            senders = Senders(event_port, web_port)
            try:
                for fault in FAULTS:
                    senders.wait_for_more()
                    fault(server)
                senders.wait_for_more()
            finally:
                senders.finish()
        stored = stored_ids(server)

    assert senders.wrong == []
    for port, ids in senders.answered.items():
        assert not ids - set(stored), f"{len(ids - set(stored))} answered events of port {port} are lost"
    assert len(stored) == len(set(stored))
    assert all(senders.refused.values()), "no sender ever met the fault"


def test_it_asks_to_come_back_while_the_database_stands_still(tmp_path: Path) -> None:
    with cluster() as server, cutting_proxy(server.port, Habits(), seed="still") as line:
        env = installation(tmp_path, server)
        env["DATABASE_URL"] = server.url.replace(f":{server.port}/", f":{line.port}/")
        with collector_process(env) as port:
            for event_id in ("e1", "e10"):
                assert ask(port, address(event_id)) == (204, None)
            line.still.set()
            time.sleep(3)  # the accounts are looked up in the meantime, and wait as well
            assert ask(port, address("e2")) == (503, "1")
            line.still.clear()
            eventually(lambda: ask(port, address("e2"))[0] == 204, seconds=60, what="an event taken again")
        stored = stored_ids(server)

    assert sorted(stored) == ["e1", "e10", "e2"]


def ask(port: int, target: str) -> tuple[int, str | None]:
    """Status and Retry-After of the answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.headers["Retry-After"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nope.txt",
        "/media/nope.jpg",
        "/documents/1/x.pdf",
        "/api/v2/4711/u/front.json",
        "/api/ibexa/v2/personalization/v1/content/id/1",
    ],
)
def test_it_asks_visitors_to_come_back_while_the_database_is_away(
    path: str, web_without_database: int
) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", web_without_database, timeout=60)) as connection:
        connection.request("GET", path, headers={"Host": "localhost", "Authorization": "Bearer x"})
        answer = connection.getresponse()
        body = answer.read()

    assert answer.status == 503, body[:300]
    assert answer.headers["Retry-After"] == "5"
    assert b"Try again in a few seconds" in body


@pytest.fixture(scope="module")
def web_without_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("away")
    with cluster() as server:
        env = environment(folder, DATABASE_URL=server.url)
        prepare(env)
        with web_server(env, folder / "web.log") as port:
            server.stop()
            yield port
