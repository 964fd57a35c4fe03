"""One client's connection: HTTP/1.1 with keep-alive and pipelining, as little of it as events need.

Written on asyncio's Protocol with httptools (llhttp), because frameworks cost more than the whole work of
an event: 60,000 against 27,000 empty answers a second on two cores.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import httptools

from tracking.collector import answers, path
from tracking.collector import body as bodies
from tracking.collector.answers import Answer
from tracking.collector.intake import Accepted
from tracking.fields import BadEvent

MOST_HEADER_BYTES = 32_768
MOST_PIPELINED = 128
REQUEST_SECONDS = 10.0
IDLE_SECONDS = 75.0
LINGER_SECONDS = 2.0
KEPT_HEADERS = frozenset(
    b"accept content-type sec-purpose purpose transfer-encoding dnt sec-gpc"
    b" user-agent origin referer sec-fetch-site authorization".split()
)
COMMON = "".join(f"{name}: {value}\r\n" for name, value in answers.COMMON_HEADERS)


def render(answer: Answer, *, last: bool = False, without_body: bool = False) -> bytes:
    """The bytes of an answer; ``last``: the connection is closed after it."""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n", COMMON]
    if answer.status != 204:
        lines.append(f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in answer.headers]
    lines.append("Connection: close\r\n\r\n" if last else "\r\n")
    return "".join(lines).encode("latin-1") + (b"" if without_body else answer.body)


# By identity: the hash of an answer costs more than the look-up.
READY_MADE = {id(answer): render(answer) for answer in (answers.NO_CONTENT, answers.PIXEL)}
NOT_HTTP = BadEvent(400, "the request is not valid HTTP/1.1")
NOT_A_METHOD = BadEvent(405, "this method is not allowed; use GET or POST", allow=answers.METHODS)
HEALTHY = Answer(200, "text/plain; charset=utf-8", b"ok\n")


class Slot:
    """The place of one request in the order of answers."""

    __slots__ = ("answer", "connection", "data", "last", "without_body")

    def __init__(self, connection: Connection, *, last: bool, without_body: bool = False) -> None:
        self.connection = connection
        self.last = last
        self.without_body = without_body
        self.answer: Answer = answers.NO_CONTENT  # given once the rows are committed
        self.data: bytes | None = None

    def fill(self, answer: Answer) -> None:
        ready = None if self.last or self.without_body else READY_MADE.get(id(answer))
        self.data = ready or render(answer, last=self.last, without_body=self.without_body)


Accept = Callable[[bytes, str, dict[str, str], bytes], Accepted]
Store = Callable[[Accepted, Slot], None]
Refused = Callable[[bytes, str, BadEvent], None]


class Connection(asyncio.Protocol):
    """Parses requests, has them accepted and stored, and writes the answers in order."""

    def __init__(self, *, accept: Accept, store: Store, refused: Refused, everybody: set[Connection]) -> None:
        self.accept = accept
        self.store = store
        self.refused = refused
        self.everybody = everybody
        self.loop = asyncio.get_running_loop()
        self.slots: deque[Slot] = deque()
        self.deaf = False  # whatever still comes in is thrown away
        self.writable = True
        self.reading = True
        self.active = self.loop.time()
        self.started: float | None = None
        self.head_bytes = 0
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
        self.started = self.loop.time()

    def on_url(self, piece: bytes) -> None:
        self.url += piece

    def on_header(self, name: bytes, value: bytes) -> None:
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
        self.head_bytes = 0
        if reason := self._wrong_head():
            self.refuse(reason)
        elif self.expects:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, piece: bytes) -> None:
        if not self.deaf:
            self.body += piece

    def on_message_complete(self) -> None:
        self.started = None
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
            slot.fill(answers.refusal(reason, self.headers))

    def _wrong_head(self) -> BadEvent | None:
        if len(self.url) > path.LONGEST_TARGET:
            return path.too_long(len(self.url))
        if "transfer-encoding" in self.headers:
            if self.length:
                return BadEvent(400, "Content-Length and Transfer-Encoding must not come together")
            return BadEvent(411, "send a Content-Length; chunked bodies are not accepted")
        if self.length and int(self.length) > bodies.BIGGEST_BODY:
            return bodies.too_big(int(self.length))
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            return BadEvent(400, "the request must be HTTP/1.1")
        if self.hosts > 1 or (not self.hosts and version == "1.1"):
            return BadEvent(400, "the request must have exactly one Host header")
        return None

    def _limit_head(self, size: int) -> None:
        """Stop a head that never ends before it fills the memory; the parser keeps unfinished lines."""
        if self.deaf or not self.in_head:
            return
        self.head_bytes += size
        if self.head_bytes > MOST_HEADER_BYTES:
            if len(self.url) > path.LONGEST_TARGET:
                self.refuse(path.too_long(len(self.url)))
            else:
                self.refuse(BadEvent(431, f"the headers must be at most {MOST_HEADER_BYTES} bytes long"))

    def refuse(self, reason: BadEvent) -> None:
        """Answer in turn, then close: what follows such a request cannot be trusted."""
        if self.deaf:
            return
        self.refused(self.url, "", reason)
        slot = Slot(self, last=True)
        slot.fill(answers.refusal(reason, self.headers))
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
        if self.started is not None and now - self.started > REQUEST_SECONDS:
            self.refuse(BadEvent(408, f"the request must arrive within {REQUEST_SECONDS:.0f} seconds"))
        elif not self.writable and now - self.active > REQUEST_SECONDS:
            self.transport.abort()
        elif not self.slots and self.started is None and now - self.active > IDLE_SECONDS:
            self.transport.close()

    def close_when_answered(self) -> None:
        """Hear no more, but let what was heard be answered."""
        self._hear_no_more()
        if self.slots:
            self.slots[-1].last = True
        else:
            self.transport.close()
