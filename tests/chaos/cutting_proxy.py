"""A bad line between client and collector: it loses replies, cuts requests in the middle and dawdles.

It may also stand still between a collector and its database. It knows no HTTP. A client here has one request
in flight, so the first bytes that come back are the answer to a committed request.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.ports import free_port

PIECE = 65_536


class Cut(Exception):
    """The connection is over, for both sides."""


@dataclass(frozen=True)
class Habits:
    """How often what happens: shares of the pieces of a conversation, the rest passes unharmed."""

    lose_reply: float = 0.0
    cut_request: float = 0.0
    dawdle: float = 0.0  # up to 50 ms, and byte by byte at first


@dataclass
class CuttingProxy:
    to: int  # port
    habits: Habits
    seed: str
    port: int = field(default_factory=free_port)
    did: Counter[str] = field(default_factory=Counter)

    still: threading.Event = field(default_factory=threading.Event)  # while set, nothing passes

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed}-line")

    async def serve(self, listening: threading.Event) -> None:
        """Until ``over``; what is still talked about then is cut."""
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self.talk, "127.0.0.1", self.port)
        listening.set()
        await self.over.wait()
        server.close()

    async def talk(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection, until one side ends it or it is cut."""
        writers = [to_client]
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self.to)
            writers.append(to_server)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self.requests(client, to_server))
                ways.create_task(self.replies(server, to_client))
        except* (OSError, Cut):
            pass
        finally:
            for writer in writers:
                writer.transport.abort()

    async def requests(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        while piece := await client.read(PIECE):
            if self.chance.random() < self.habits.cut_request:
                self.did["cut_request"] += 1
                to_server.write(piece[: self.chance.randrange(len(piece))])
                await to_server.drain()
                raise Cut
            await self.pass_on(piece, to_server)
        raise Cut

    async def replies(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        while piece := await server.read(PIECE):
            if self.chance.random() < self.habits.lose_reply:
                self.did["lose_reply"] += 1
                raise Cut
            await self.pass_on(piece, to_client)
        raise Cut

    async def pass_on(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        while self.still.is_set():
            await asyncio.sleep(0.05)
        if self.chance.random() < self.habits.dawdle:
            self.did["dawdle"] += 1
            for place in range(3):
                writer.write(piece[place : place + 1])
                await writer.drain()
                await asyncio.sleep(self.chance.random() * 0.05)
            piece = piece[3:]
        writer.write(piece)
        await writer.drain()


@contextmanager
def cutting_proxy(to: int, habits: Habits, *, seed: str) -> Iterator[CuttingProxy]:
    """A proxy to the local port ``to``, in a thread of its own while the block runs."""
    proxy = CuttingProxy(to, habits, seed)
    listening = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy.serve(listening)))
    thread.start()
    try:
        assert listening.wait(30)
        yield proxy
    finally:
        proxy.loop.call_soon_threadsafe(proxy.over.set)
        thread.join()
