"""The body of a delivery: its size, and how many rows it has (reference `cdp.md` 1.5)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import orjson
from django.http import HttpRequest
from django.utils import translation

from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.detect import detect
from cdp.stream.refusal import Refused
from config.nesting import MOST_DEPTH, is_deep

MOST_BYTES = 1024 * 1024
MOST_ROWS = 5_000
MOST_MEMBERS = 256  # of a gzip body: each copies what is left of it


def read(request: HttpRequest) -> bytes:
    """The body as it was before compression. Raises :class:`Refused`."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > MOST_BYTES:
        raise too_large()
    body = request.read(MOST_BYTES + 1)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "gzip":
        body = inflated(body)
    elif encoding != "identity":
        raise Refused(415, "unsupported_encoding", f"Send gzip or no encoding; got {encoding[:40]!r}.")
    if len(body) > MOST_BYTES:
        raise too_large()
    return body


def inflated(body: bytes) -> bytes:
    """All members of a gzip body; never more than the limit, however well somebody packed it."""
    found = b""
    for _ in range(MOST_MEMBERS):
        packed = zlib.decompressobj(wbits=31)
        try:
            found += packed.decompress(body, MOST_BYTES + 1 - len(found))
        except zlib.error:
            raise Refused(400, "bad_encoding", "The body is not gzip as its header says.") from None
        if len(found) > MOST_BYTES or packed.unconsumed_tail:
            raise too_large()
        if not packed.eof:
            raise Refused(400, "bad_encoding", "The gzip body ends too early.")
        body = packed.unused_data.lstrip(b"\0")  # which some pad it with
        if not body:
            return found
    raise Refused(400, "bad_encoding", f"The gzip body has more than {MOST_MEMBERS} members.")


def too_large() -> Refused:
    return Refused(413, "too_large", f"At most {MOST_BYTES} bytes are taken in one request; send chunks.")


def count(body: bytes, content_type: str) -> int:
    """How many rows the body has. Raises :class:`Refused`, for JSON that is not an array of objects too."""
    rows = COUNTERS.get(content_type, lines)(body)
    if rows > MOST_ROWS:
        raise Refused(413, "too_many_rows", f"At most {MOST_ROWS} rows are taken in one request; got {rows}.")
    return rows


def json_rows(body: bytes) -> int:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise Refused(400, "bad_json", f"The body is not valid JSON: {fault}.") from None
    if not isinstance(document, list):
        raise Refused(400, "not_an_array", "The body must be a JSON array of objects.")
    for index, row in enumerate(document):
        check(row, index)
    return len(document)


def json_lines(body: bytes) -> int:
    count = 0
    for index, line in enumerate(filter(bytes.strip, body.splitlines())):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as fault:
            raise Refused(400, "bad_json", f"Row {index} is not valid JSON: {fault}.", index=index) from None
        check(row, index)
        count += 1
    return count


def check(row: object, index: int) -> None:
    if not isinstance(row, dict):
        raise Refused(400, "not_an_object", f"Row {index} is not an object.", index=index)
    if is_deep(row):
        sentence = f"Row {index} has more than {MOST_DEPTH} lists and objects in each other."
        raise Refused(400, "too_deep", sentence, index=index)


def table(body: bytes) -> int:
    """Lines but the one with the names, as far as that can be told before somebody says how to read it."""
    try:
        with translation.override("en"):  # programs read it
            found = detect(body)
    except DataflowFault as fault:
        raise Refused(400, fault.code, str(fault)) from None
    return max(lines(body) - bool(found and found.header), 0)


def lines(body: bytes) -> int:
    return sum(1 for line in body.splitlines() if line.strip())


COUNTERS: dict[str, Callable[[bytes], int]] = {
    "application/json": json_rows,
    "application/x-ndjson": json_lines,
    "text/csv": table,
    "text/tab-separated-values": table,
}
