"""What one request is answered, and when: each in its turn, whenever its events are stored."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tracking.collector import answers
from tracking.collector.answers import Answer
from tracking.fields import BadEvent

if TYPE_CHECKING:
    from tracking.collector.connection import Connection

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


class Slot:
    """The place of one request in the order of answers."""

    __slots__ = ("answer", "began", "connection", "data", "headers", "last", "without_body")

    def __init__(self, connection: Connection, *, last: bool, without_body: bool = False) -> None:
        self.connection = connection
        self.began = connection.active
        self.headers = connection.headers
        self.last = last
        self.without_body = without_body
        self.answer: Answer = answers.NO_CONTENT  # given once the rows are committed
        self.data: bytes | None = None

    def fill(self, answer: Answer) -> None:
        ready = None if self.last or self.without_body else READY_MADE.get(id(answer))
        self.data = ready or render(answer, last=self.last, without_body=self.without_body)

    def refuse(self, reason: BadEvent) -> None:
        """As text or as JSON, as the sender asked."""
        self.fill(answers.refusal(reason, self.headers))
