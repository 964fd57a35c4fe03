"""The collector process: sockets in front, the group-commit writer behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import uvloop

from tracking.collector import answers, intake, surge
from tracking.collector.accounts import REFRESH_SECONDS, Accounts
from tracking.collector.connection import Connection
from tracking.collector.intake import Accepted
from tracking.collector.refusals import refusals
from tracking.collector.room import Room
from tracking.collector.sinks import BadRows, Sink
from tracking.collector.slot import Slot
from tracking.collector.writer import Busy, Submission, Writer
from tracking.fields import BadEvent

logger = logging.getLogger("tracking")

DRAIN_SECONDS = 10.0
BACKLOG = 2_048
# The writer asks for the interpreter a few times per commit; by default each time may take 5 ms. With 0.5 ms
# the collector stored 13,000 events a second, with this 18,000.
SWITCH_SECONDS = 0.00005


class CannotListen(Exception):
    """The port is taken or not ours to open."""


class Collector:
    """Accepts events on one port until it is told to stop."""

    writer_class = Writer

    def __init__(self, *, sink: Sink | None = None) -> None:
        self.sink = sink
        self.accounts = Accounts()
        self.connections: set[Connection] = set()
        self.room = Room()
        self.gathered: list[Submission] = []
        self.pool = ThreadPoolExecutor(1, "accounts")
        self.loop: asyncio.AbstractEventLoop
        self.writer: Writer

    async def serve(self, host: str, port: int, *, listening: Callable[[], None] = lambda: None) -> None:
        """Listen until SIGTERM or SIGINT, then answer what is in flight and return.

        ``listening`` is called once, when connections are accepted.
        """
        self.loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, stop.set)
        await self._first_accounts(stop)
        # Not in the loop: it may have to wait for the worker to let go of the journal.
        sink = self.sink
        if sink is None:
            sink = await self.loop.run_in_executor(self.pool, surge.sink_for, port)
        self.writer = self.writer_class(sink, on_done=self._committed)
        try:
            server = await self.loop.create_server(self._connection, host, port, backlog=BACKLOG)
        except OSError as reason:
            self.writer.close()
            raise CannotListen(f"Cannot listen on {host} port {port}: {reason.strerror}.") from reason
        logger.info("The event collector listens on http://%s:%s", host, port)
        listening()
        chores = [asyncio.create_task(one) for one in (self._watch_times(), self._renew_accounts())]
        await stop.wait()
        for chore in chores:
            chore.cancel()
        await self._drain(server)

    async def _first_accounts(self, stop: asyncio.Event) -> None:
        """Without customers every event would be answered 404 and be lost; so wait for the database."""
        while not stop.is_set():
            try:
                await self.loop.run_in_executor(self.pool, self.accounts.refresh)
                return
            except Exception as reason:  # noqa: BLE001 - whatever it is, waiting is all that helps
                logger.error("The customers cannot be read, trying again: %s", type(reason).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 2)

    def _connection(self) -> Connection:
        return Connection(
            accept=self._accept,
            store=self._store,
            refused=refusals.note,
            everybody=self.connections,
            room=self.room,
        )

    def _accept(self, target: bytes, method: str, headers: dict[str, str], body: bytes) -> Accepted:
        return intake.accept(target, method=method, headers=headers, body=body, find=self.accounts.find)

    def _store(self, accepted: Accepted, slot: Slot) -> None:
        """Everything that arrives in one turn of the loop goes to the writer at once."""
        if not self.gathered:
            self.loop.call_soon(self._hand_over)
        self.gathered.append(Submission(accepted.rows, accepted.edges, context=slot))

    def _hand_over(self) -> None:
        batch, self.gathered = self.gathered, []
        if not batch:
            return
        try:
            self.writer.put(batch)
        except Busy as reason:
            for one in batch:
                one.error = reason
            self._answer(batch)

    def _committed(self, batch: list[Submission]) -> None:
        """Called in the writer's thread; one hop for the whole batch."""
        with suppress(RuntimeError):  # the loop is gone: so are the connections
            self.loop.call_soon_threadsafe(self._answer, batch)

    def _answer(self, batch: list[Submission]) -> None:
        touched = dict.fromkeys(one.context.connection for one in batch)
        for one in batch:
            one.context.fill(outcome(one))
        for connection in touched:
            connection.flush()

    async def _watch_times(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            now = self.loop.time()
            for connection in list(self.connections):
                connection.check_time(now)

    async def _renew_accounts(self) -> None:
        """Apart from the clock: a database that stands still lets this one wait."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.loop.run_in_executor(self.pool, self.accounts.try_refresh)

    async def _drain(self, server: asyncio.AbstractServer) -> None:
        """No new connections; every accepted event is stored and answered."""
        server.close()
        for connection in list(self.connections):
            connection.close_when_answered()
        self._hand_over()
        await self.loop.run_in_executor(None, self.writer.close)
        deadline = self.loop.time() + DRAIN_SECONDS
        while any(c.slots for c in self.connections) and self.loop.time() < deadline:
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.transport.close()
        self.pool.shutdown(wait=False)


def outcome(submission: Submission) -> answers.Answer:
    """The answer of a submission after its commit, or after its failure."""
    headers = submission.context.headers
    match submission.error:
        case None:
            answer: answers.Answer = submission.context.answer
            return answer
        case BadRows() as reason:
            return answers.refusal(BadEvent(500, f"{reason}; please report this"), headers)
        case reason:
            return answers.refusal(BadEvent(503, str(reason)), headers)


def settle_interpreter() -> None:
    """Keep the collector of garbage from walking through all of Django again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(SWITCH_SECONDS)


def run(*, host: str, port: int, listening: Callable[[], None] = lambda: None) -> None:
    """Serve until told to stop; ``listening`` is called once, when the port is open.

    Raises :class:`CannotListen`.
    """
    settle_interpreter()
    refusals.start()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Collector().serve(host, port, listening=listening))
