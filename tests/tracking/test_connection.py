"""The collector's connection ..."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tracking.collector.answers import NO_CONTENT
from tracking.collector.connection import STORE_SECONDS, Accept, Connection, Store
from tracking.collector.heads import MOST_BYTES
from tracking.collector.intake import Accepted
from tracking.collector.room import Room
from tracking.collector.server import outcome
from tracking.collector.writer import Busy, Submission
from tracking.fields import BadEvent

AS_JSON = b"Accept: application/json\r\n"


def converse(
    *pieces: bytes,
    accept: Accept = lambda *_sent: Accepted((), (), NO_CONTENT),
    store: Store = lambda _accepted, _slot: None,
    meanwhile: Callable[[Connection], Any] = lambda _connection: None,
    room: Room | None = None,
) -> tuple[bytes, list[BadEvent]]:
    """Send the pieces one by one; all that comes back until the end, and what was refused.

    ``meanwhile`` is called with the collector's end when everything was sent.
    """
    return asyncio.run(conversation(pieces, accept, store, meanwhile, room or Room()))


async def conversation(
    pieces: tuple[bytes, ...],
    accept: Accept,
    store: Store,
    meanwhile: Callable[[Connection], Any],
    room: Room,
) -> tuple[bytes, list[BadEvent]]:
    refused: list[BadEvent] = []
    everybody: set[Connection] = set()

    def connection() -> Connection:
        return Connection(
            accept=accept,
            store=store,
            refused=lambda *told: refused.append(told[2]),
            everybody=everybody,
            room=room,
        )

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.1)
    for one in list(everybody):
        meanwhile(one)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    server.close()
    return answer, refused


def get(target: bytes = b"/api/1/click/u/1/2", *, head: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n"


def document(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head, answer
    return dict(json.loads(body)["error"])


def wait_for_rows(*_sent: object) -> Accepted:
    return Accepted((None,), (), NO_CONTENT)  # type: ignore[arg-type]  # nobody looks at the row


def test_answers_in_json_what_fails_after_the_request_was_read() -> None:
    def fail(_accepted: Accepted, slot: Any) -> None:
        slot.fill(outcome(Submission((), context=slot, error=Busy("come back"))))

    answer, _ = converse(get(head=AS_JSON), accept=wait_for_rows, store=fail)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert document(answer) == {"code": "busy", "message": "come back", "fields": {}}


def test_answers_503_when_the_commit_takes_too_long() -> None:
    answer, _ = converse(
        get(head=AS_JSON),
        accept=wait_for_rows,
        meanwhile=lambda one: one.check_time(one.active + STORE_SECONDS + 1),
    )
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in answer
    assert "does not answer in time" in document(answer)["message"]


def test_owns_up_to_a_fault_of_its_own_and_tells_no_user(caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_sent: object) -> Accepted:
        raise LookupError("mabel@example.com")

    with caplog.at_level(logging.ERROR, "tracking"):
        answer, refused = converse(get() + get(b"/healthz"), accept=fail)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(b"ok\n"), "the next request is answered"
    assert refused == []
    assert "LookupError" in caplog.text
    assert "test_connection.py:" in caplog.text
    assert "mabel" not in caplog.text


def post(body: bytes, *, target: bytes = b"/api/1/events", length: int | None = None) -> bytes:
    head = b"Content-Length: %d\r\n" % (len(body) if length is None else length)
    return get(target, head=head).replace(b"GET", b"POST") + body


def test_holds_a_body_until_it_is_read() -> None:
    seen: list[tuple[int, bytes]] = []
    room = Room(10)

    def accept(_target: bytes, _method: str, _headers: dict[str, str], body: bytes) -> Accepted:
        seen.append((room.held, body))
        return Accepted((), (), NO_CONTENT)

    answer, _ = converse(post(b"12345", length=8), b"678", post(b"123456789"), accept=accept, room=room)
    assert answer.count(b" 204 ") == 2, "the room of the first is there for the second"
    assert seen == [(8, b"12345678"), (9, b"123456789")]
    assert room.held == 0


def test_asks_to_come_back_while_others_fill_the_room() -> None:
    room = Room(10)
    assert room.take(6)
    answer, [reason] = converse(post(b"123"), post(b"123456", length=9), room=room)
    assert answer.count(b" 204 ") == 1
    assert b"HTTP/1.1 503 " in answer
    assert b"Retry-After: 1" in answer
    assert "too many bodies" in reason.message
    assert room.held == 6


def test_gives_the_room_back_when_a_client_goes_away() -> None:
    room = Room(10)
    converse(post(b"123", length=9), meanwhile=lambda one: one.transport.abort(), room=room)
    assert room.held == 0


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_limits_a_head_however_it_arrives(pieces: int) -> None:
    for size, status in ((MOST_BYTES - 2_000, b"204"), (MOST_BYTES + 1_000, b"431")):
        sent = get(head=b"".join(b"X-%d: %s\r\n" % (n, b"y" * 992) for n in range(size // 1_000)))
        step = -(-len(sent) // pieces)
        answer, _ = converse(*(sent[n : n + step] for n in range(0, len(sent), step)))
        assert answer.split()[1] == status


def test_takes_many_requests_at_once_that_end_in_the_middle_of_a_head() -> None:
    sent = get(head=b"X: " + b"y" * 900 + b"\r\n") * 50
    answer, _ = converse(sent[:-10], sent[-10:])
    assert answer.count(b" 204 ") == 50
