"""Bodies of chunks, compressed and sealed: they hold what people are called (`cdp.md` 1.5, 2.5)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import orjson

from cdp.dataflows.configuration import Parsing
from cdp.dataflows.interpret.read import BadRow, Row, read
from cdp.dataflows.models import Payload, Run
from config import sealing

PURPOSE = "cdp-payload"
FAST = 1


def seal(body: bytes) -> str:
    return sealing.seal(zlib.compress(body, FAST), purpose=PURPOSE)


def unseal(sealed: str) -> bytes:
    """Raises :class:`~config.sealing.Unsealable`."""
    return zlib.decompress(sealing.unseal(sealed, purpose=PURPOSE))


def rows_of(payload: Payload, parsing: Parsing) -> list[Row | BadRow]:
    """Raises :class:`~cdp.dataflows.faults.DataflowFault` for a chunk that cannot be read as a whole."""
    return read(unseal(payload.sealed), parsing, content_type=payload.content_type)


def seal_rows(rows: Sequence[Row | str]) -> str:
    return seal(orjson.dumps(list(rows))) if rows else ""


def refused_rows(run: Run) -> Iterator[Row | str]:
    """Rows of the run that were not stored, as they came, to be mended and sent again; the text of those
    that nobody can read as a row."""
    for payload in run.payloads.exclude(sealed_refused="").order_by("sequence").iterator(8):
        yield from orjson.loads(unseal(payload.sealed_refused))
