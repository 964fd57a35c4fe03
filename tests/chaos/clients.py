"""Clients that repeat each request until it is answered, and the ledger of what was answered.

A request whose events have no ids is sent once: nobody can tell whether it was stored when no answer comes.
"""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.chaos.traffic import Act, Facts, acts

ANSWER_SECONDS = 60
SHARE_REPEATED = 0.02  # of the answered requests: sent again though nothing was wrong


class Answer:
    """Status, headers and body of what came back over a kept connection."""

    def __init__(self, connection: socket.socket) -> None:
        """Raises :class:`ConnectionResetError` when the connection ends before the answer does."""
        self.connection = connection
        head, _, self.body = self._until(lambda data: b"\r\n\r\n" in data).partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(self.headers.get("content-length", 0))
        self.body = self._until(lambda data: len(data) >= length, self.body)

    def _until(self, is_enough: Callable[[bytes], bool], data: bytes = b"") -> bytes:
        while not is_enough(data):
            piece = self.connection.recv(65_536)
            if not piece:
                raise ConnectionResetError
            data += piece
        return data

    @property
    def is_success(self) -> bool:
        """Stored as a whole: a batch says so of each of its events."""
        if self.status == 200:
            return all(one["status"] == 204 for one in json.loads(self.body)["results"])
        return self.status == 204

    @property
    def is_later(self) -> bool:
        return self.status == 503 and bool(self.headers.get("retry-after"))


@dataclass
class Ledger:
    """What was sent, what was answered, and what no server may say."""

    sent: dict[str, Facts] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    refused: int = 0  # 503
    broken: int = 0  # connections


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)


def exchange(connection: socket.socket, act: Act) -> Answer:
    connection.sendall(act.request)
    return Answer(connection)


class Clients:
    """Threads with a connection each, to one of ``ports``, drawn anew whenever it breaks."""

    def __init__(
        self, ports: Sequence[int], *, seed: str, pause: float = 0.0, count: int = 8, past: bool = False
    ) -> None:
        self.ports, self.seed, self.pause, self.past = ports, seed, pause, past
        self.ledger = Ledger()
        self.over, self.hopeless = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self._send_on, args=(n,), daemon=True) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def finish(self, *, seconds: float = 120) -> Ledger:
        """Every client gets its last request answered. Raises AssertionError when one does not."""
        self.over.set()
        self._join(seconds)
        assert not any(thread.is_alive() for thread in self.threads), "a client still waits for its answer"
        return self.ledger

    def give_up(self, *, seconds: float = 120) -> Ledger:
        """Nobody listens any more: requests without an answer stay without."""
        self.hopeless.set()
        return self.finish(seconds=seconds)

    def _join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def wait_for(self, more: int, *, seconds: float = 120) -> None:
        """Until so many more events are acknowledged."""
        goal = len(self.ledger.acknowledged) + more
        deadline = time.monotonic() + seconds
        while len(self.ledger.acknowledged) < goal:
            assert time.monotonic() < deadline, (
                f"no {more} more events in {seconds} s; {self.ledger.wrong[-3:]}"
            )
            time.sleep(0.002)

    def _send_on(self, number: int) -> None:
        chance = random.Random(f"{self.seed}-client-{number}")
        earlier: deque[Act] = deque(maxlen=50)
        line = Line(self.ports, chance)
        for act in acts(self.seed, number, past=self.past):
            if self.over.is_set():
                break
            self._until_answered(line, act)
            time.sleep(chance.random() * self.pause)
            if act.is_repeatable:
                earlier.append(act)
                if chance.random() < SHARE_REPEATED:
                    self._until_answered(line, chance.choice(earlier))
        line.drop()

    def _until_answered(self, line: Line, act: Act) -> None:
        self.ledger.sent.update(act.events)
        while not self._is_answered(line, act) and act.is_repeatable and not self.hopeless.is_set():
            time.sleep(0.05)

    def _is_answered(self, line: Line, act: Act) -> bool:
        try:
            answer = exchange(line.open(), act)
        except OSError:
            self.ledger.broken += 1
            line.drop()
            return False
        if answer.is_success:
            self.ledger.acknowledged.update(act.events)
            return True
        if answer.is_later:
            self.ledger.refused += 1
        else:
            self.ledger.wrong.append(f"{answer.status} {answer.body[:200]!r} for {act.request[:80]!r}")
        return False


class Line:
    """A client's connection."""

    def __init__(self, ports: Sequence[int], chance: random.Random) -> None:
        self.ports, self.chance = ports, chance
        self.connection: socket.socket | None = None

    def open(self) -> socket.socket:
        if self.connection is None:
            self.connection = connect(self.chance.choice(self.ports))
        return self.connection

    def drop(self) -> None:
        if self.connection is not None:
            with suppress(OSError):
                self.connection.close()
            self.connection = None
