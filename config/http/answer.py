"""What comes back from an outgoing call, and everything that can go wrong with one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

MAX_RETRY_AFTER = 24 * 3600.0


class OutgoingError(Exception):
    """An outgoing call has no usable answer; the message is a sentence for people."""


class Refused(OutgoingError):
    """We did not make the call: its address is not allowed or it would be unsafe now."""


class Unreachable(OutgoingError):
    """No complete answer came: name, connection, TLS or protocol failed."""


class TooSlow(OutgoingError):
    """The answer was not complete within the budget."""


class TooLarge(OutgoingError):
    """The answer is longer than the caller allows."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; raises :class:`Unreachable` when it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Unreachable(f"The answer with status {self.status} is not JSON: {error}.") from error

    def retry_after(self) -> float | None:
        """Seconds the other side asks us to wait, at most a day; None when it does not say."""
        raw = self.headers.get("retry-after", "").strip()
        if raw.isascii() and raw.isdigit():
            return min(float(raw[:9]), MAX_RETRY_AFTER)
        try:
            moment = parsedate_to_datetime(raw)
        except (ValueError, TypeError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), MAX_RETRY_AFTER)


@dataclass(frozen=True, kw_only=True)
class Downloaded(Answer):
    """An answer whose body went to a file; ``body`` is only set when the status is not 200."""

    bytes: int = 0
    sha256: str = ""


@dataclass(kw_only=True)
class Incoming:
    """An answer whose body still has to be read."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]
    close: Callable[[], None]


@dataclass
class Deadline:
    """The total time a call may take, by the monotonic clock."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        return self.seconds - self.elapsed
