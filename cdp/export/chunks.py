"""Rows in pieces that a receiver takes: so many rows, and never more than 1 MiB of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

MOST_BYTES = 1024 * 1024
MOST_ROWS = 5000


class Written(NamedTuple):
    """One row as JSON, and the position behind it."""

    position: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Chunk:
    body: bytes
    rows: int
    position: str
    is_final: bool


def chunks(rows: Iterable[Written], *, size: int, most_bytes: int = MOST_BYTES) -> Iterator[Chunk]:
    """Yield the rows in chunks; the last one says so, and without rows there is one that is empty."""
    held: list[Written] = []
    length = 2
    for row in rows:
        more = len(row.body) + 1
        if held and (len(held) >= size or length + more > most_bytes):
            yield joined(held, is_final=False)
            held, length = [], 2
        held.append(row)
        length += more
    yield joined(held, is_final=True)


def joined(rows: list[Written], *, is_final: bool) -> Chunk:
    return Chunk(
        body=b"[" + b",".join(row.body for row in rows) + b"]",
        rows=len(rows),
        position=rows[-1].position if rows else "",
        is_final=is_final,
    )
