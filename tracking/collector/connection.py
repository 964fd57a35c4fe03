"""One client's connection: HTTP/1.1 with keep-alive and pipelining, as little of it as events need.

Written on asyncio's Protocol with httptools (llhttp), because frameworks cost more than the whole work of
an event: 60,000 against 27,000 empty answers a second on two cores.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import httptools

from tracking.collector import answers, heads
from tracking.collector.answers import Answer
from tracking.collector.intake import Accepted
from tracking.collector.room import Room
from tracking.collector.slot import Slot
from tracking.fields import BadEvent

logger = logging.getLogger("tracking")

MOST_PIPELINED = 128
REQUEST_SECONDS = 10.0
STORE_SECONDS = 15.0  # a commit takes milliseconds; a database that stands still answers never
IDLE_SECONDS = 75.0
LINGER_SECONDS = 2.0
KEPT_HEADERS = frozenset(
    b"accept content-type sec-purpose purpose transfer-encoding dnt sec-gpc"
    b" user-agent origin referer sec-fetch-site authorization".split()
)
NOT_HTTP = BadEvent(400, "the request is not valid HTTP/1.1")
NOT_A_METHOD = BadEvent(405, "this method is not allowed; use GET or POST", allow=answers.METHODS)
TOO_LATE = BadEvent(503, "the event database does not answer in time; send the event again in a second")
FULL = BadEvent(503, "too many bodies are being received; send the event again in a second")
OUR_FAULT = BadEvent(500, "the event could not be judged; please report this")
HEALTHY = Answer(200, "text/plain; charset=utf-8", b"ok\n")


def tell(fault: BaseException) -> None:
    """Where it happened, without its message, in which a user id may stand."""
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(fault.__traceback__)[-3:]]
    logger.error("A request met a fault of ours: %s at %s", type(fault).__name__, ", ".join(places))


Accept = Callable[[bytes, str, dict[str, str], bytes], Accepted]
Store = Callable[[Accepted, Slot], None]
Refused = Callable[[bytes, str, BadEvent], None]


class Connection(asyncio.Protocol):
    """Parses requests, has them accepted and stored, and writes the answers in order."""

    def __init__(
        self, *, accept: Accept, store: Store, refused: Refused, everybody: set[Connection], room: Room
    ) -> None:
        self.accept = accept
        self.store = store
        self.refused = refused
        self.everybody = everybody
        self.room = room
        self.loop = asyncio.get_running_loop()
        self.slots: deque[Slot] = deque()
        self.deaf = False  # whatever still comes in is thrown away
        self.writable = True
        self.reading = True
        self.active = self.loop.time()
        self.started: float | None = None
        self.held = 0  # bytes of the room
        self.mixed = False  # whether the piece that is read began with an earlier request
        self.parser: Any = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport
        self.on_message_begin()
        self.started = None

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.everybody.add(self)

    def connection_lost(self, _reason: Exception | None) -> None:
        self.deaf = True
        self._drop_body()
        self.everybody.discard(self)

    def pause_writing(self) -> None:
        self.writable = False
        self._stop_reading()

    def resume_writing(self) -> None:
        self.writable = True
        self._go_on_reading()

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            return
        self.active = self.loop.time()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.close_when_answered()
        except httptools.HttpParserInvalidMethodError:
            self.refuse(NOT_A_METHOD if data[:1].isalpha() else NOT_HTTP)
        except httptools.HttpParserCallbackError as reason:
            tell(reason.__context__ or reason)
            self.refuse(OUR_FAULT)
        except httptools.HttpParserError:
            self.refuse(NOT_HTTP)
        self._limit_head(len(data))

    def eof_received(self) -> bool:
        """The client sends no more; what it sent is still answered."""
        self.close_when_answered()
        return bool(self.slots)

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}
        self.body = b""
        self.hosts = 0
        self.length = ""
        self.expects = False
        self.in_head = True
        self.head_bytes = self.arrived = 0
        self.started = self.loop.time()

    def on_url(self, piece: bytes) -> None:
        self.url += piece
        self.head_bytes += len(piece)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.head_bytes += len(name) + len(value) + 4
        if self.head_bytes > heads.MOST_BYTES:
            self.refuse(heads.too_big(self.url))
            return
        lower = name.lower()
        if lower in KEPT_HEADERS:
            self.headers[lower.decode()] = value.decode("latin-1")
        elif lower == b"host":
            self.hosts += 1
        elif lower == b"content-length":
            self.length = value.decode("latin-1")
        elif lower == b"expect":
            self.expects = True

    def on_headers_complete(self) -> None:
        self.in_head = False
        if self.deaf:
            return
        version = self.parser.get_http_version()
        reason = heads.fault(self.url, self.headers, length=self.length, hosts=self.hosts, version=version)
        if reason:
            self.refuse(reason)
        elif self.expects:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, piece: bytes) -> None:
        if self.deaf:
            return
        if not self.room.take(len(piece)):
            self.refuse(FULL)
            return
        self.held += len(piece)
        self.body += piece

    def on_message_complete(self) -> None:
        self.started = None
        self.mixed = True
        if self.deaf:
            return
        method = self.parser.get_method().decode("latin-1")
        slot = Slot(self, last=not self.parser.should_keep_alive(), without_body=method == "HEAD")
        self.slots.append(slot)
        if slot.last:
            self._hear_no_more()
        if self.url == b"/healthz":
            slot.fill(HEALTHY)
        else:
            self._take(slot, method)
        if self.held:
            self._drop_body()
        if slot.data is not None:
            self.flush()
        if len(self.slots) >= MOST_PIPELINED:
            self._stop_reading()

    # --- our own ---

    def _take(self, slot: Slot, method: str) -> None:
        try:
            accepted = self.accept(self.url, method, self.headers, self.body)
            if not accepted.rows:
                slot.fill(accepted.answer)
                return
            slot.answer = accepted.answer
            self.store(accepted, slot)
        except BadEvent as reason:
            self.refused(self.url, method, reason)
            slot.refuse(reason)
        except Exception as reason:  # noqa: BLE001 - the parser would call it a fault of the sender
            tell(reason)
            slot.refuse(OUR_FAULT)

    def _limit_head(self, size: int) -> None:
        """Stop a head that never ends before it fills the memory; the parser keeps unfinished lines."""
        mixed, self.mixed = self.mixed, False
        if mixed or self.deaf or not self.in_head:
            return
        self.arrived += size
        if self.arrived > heads.MOST_BYTES:
            self.refuse(heads.too_big(self.url))

    def _drop_body(self) -> None:
        self.room.give_back(self.held)
        self.held, self.body = 0, b""

    def refuse(self, reason: BadEvent) -> None:
        """Answer in turn, then close: what follows such a request cannot be trusted."""
        if self.deaf:
            return
        self._drop_body()
        self.refused(self.url, "", reason)
        slot = Slot(self, last=True)
        slot.refuse(reason)
        self.slots.append(slot)
        self._hear_no_more()
        self.flush()

    def flush(self) -> None:
        """Write the answers that are ready, up to the first that is not."""
        ready: list[bytes] = []
        last = False
        while self.slots and (data := self.slots[0].data) is not None:
            last = self.slots.popleft().last
            ready.append(data)
        if ready and not self.transport.is_closing():
            self.transport.write(b"".join(ready))
            if last:
                self._close_gently()
        if not self.reading and len(self.slots) < MOST_PIPELINED:
            self._go_on_reading()

    def _close_gently(self) -> None:
        """A close with unread bytes resets the connection, and the client may never see the answer."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _hear_no_more(self) -> None:
        self.deaf = True
        self.started = None

    def _stop_reading(self) -> None:
        if self.reading and not self.transport.is_closing():
            self.reading = False
            self.transport.pause_reading()

    def _go_on_reading(self) -> None:
        if not self.reading and self.writable and not self.transport.is_closing():
            self.reading = True
            self.transport.resume_reading()

    def check_time(self, now: float) -> None:
        """Called every second: end what is too slow or forgotten."""
        self._answer_overdue(now)
        if self.started is not None and now - self.started > REQUEST_SECONDS:
            self.refuse(BadEvent(408, f"the request must arrive within {REQUEST_SECONDS:.0f} seconds"))
        elif not self.writable and now - self.active > REQUEST_SECONDS:
            self.transport.abort()
        elif not self.slots and self.started is None and now - self.active > IDLE_SECONDS:
            self.transport.close()

    def _answer_overdue(self, now: float) -> None:
        """Events whose commit takes too long; it may still succeed, as after a reply that was lost."""
        overdue = [slot for slot in self.slots if slot.data is None and now - slot.began > STORE_SECONDS]
        for slot in overdue:
            slot.refuse(TOO_LATE)
        if overdue:
            self.flush()

    def close_when_answered(self) -> None:
        """Hear no more, but let what was heard be answered."""
        self._hear_no_more()
        if self.slots:
            self.slots[-1].last = True
        else:
            self.transport.close()
