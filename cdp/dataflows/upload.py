"""A file that somebody uploads, delivered into the stream of the dataflow like any other data.

A draft is kept as the file it is, so that its parsing can be looked at. Anything else is read with the
parsing in force and delivered in chunks of rows. Workbooks become rows at once.
"""

from __future__ import annotations

import io
import uuid
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from typing import Any
from xml.etree.ElementTree import ParseError

import orjson
from django.utils.translation import gettext
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from cdp.dataflows import configuration, delivery, sample
from cdp.dataflows.delivery import Chunk
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.detect import detect
from cdp.dataflows.interpret.read import JSON, BadRow, Row, hand_on, raw, read
from cdp.dataflows.models import Dataflow

MOST_BYTES = 50 * 1024 * 1024
MOST_UNPACKED = 200 * 1024 * 1024
MOST_RATIO = 200
MOST_ROWS = 1_000_000
CHUNK_ROWS, CHUNK_BYTES = 1_000, 1024 * 1024
Element = Row | list[str]  # of the array that a file becomes; a list is a row that is none
TYPES = {
    ".json": JSON,
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/csv",
}
WORKBOOK = ".xlsx"
BROKEN = (
    *(InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError, EOFError),
    *(KeyError, ValueError, IndexError, TypeError, AttributeError, OSError),
)


def take(dataflow: Dataflow, *, name: str, body: bytes, is_draft: bool) -> int:
    """Deliver the file; return how many rows it had. Raises :class:`DataflowFault`, with nothing stored."""
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending not in TYPES and ending != WORKBOOK:
        known = ", ".join([*TYPES, WORKBOOK])
        raise DataflowFault(
            "unrecognized_format",
            gettext("Upload one of %(known)s; got %(ending)r.")
            % {"known": known, "ending": ending[:20] or name[:40]},
        )
    most = sample.MOST_BYTES if is_draft and ending != WORKBOOK else MOST_BYTES
    if len(body) > most:
        raise DataflowFault(
            "too_large",
            gettext("The file has %(size)s bytes, of at most %(most)s.")
            % {"size": f"{len(body):,}", "most": f"{most:,}"},
        )
    if is_draft and ending != WORKBOOK:
        return deliver_whole(dataflow, body, TYPES[ending])
    rows = workbook_rows(body) if ending == WORKBOOK else text_rows(dataflow, body, TYPES[ending])
    return deliver(dataflow, rows, is_draft=is_draft)


def deliver_whole(dataflow: Dataflow, body: bytes, content_type: str) -> int:
    rows = count(body, content_type)
    kind = "application/octet-stream" if content_type == JSON and not is_array(body) else content_type
    delivery.take(dataflow, Chunk(body=body, content_type=kind, rows=rows, is_draft=True, is_final=True))
    return rows


def count(body: bytes, content_type: str) -> int:
    """Rows of a draft as far as it is recognised; else its lines, until somebody says how it is read."""
    try:
        parsing = detect(body, content_type=content_type)
        if parsing is not None:
            return len(read(body, parsing, content_type=content_type))
    except DataflowFault:  # is said when the draft is validated
        pass
    return len([line for line in body.splitlines() if line.strip()])


def is_array(body: bytes) -> bool:
    try:
        return isinstance(orjson.loads(body), list)
    except orjson.JSONDecodeError:
        return False


def text_rows(dataflow: Dataflow, body: bytes, content_type: str) -> Iterator[Element]:
    """Rows as the parsing in force reads them, or as the file looks where the two do not fit."""
    known = configuration.load(dataflow.configuration).parsing
    parsing = known if known and content_type != JSON else detect(body, content_type=content_type)
    if parsing is None:
        raise DataflowFault("unrecognized_format", gettext("The format of the file is not recognised."))
    found = read(body, parsing)
    if found and all(isinstance(row, BadRow) for row in found):
        raise DataflowFault("bad_row", gettext("No row of the file can be read; nothing was taken."))
    yield from (hand_on(row) if isinstance(row, BadRow) else row for row in found)


def workbook_rows(body: bytes) -> Iterator[Element]:
    """The first sheet; its first row has the names. A file that unpacks to too much is not opened."""
    check_bomb(body)
    try:
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True)
    except BROKEN:
        raise DataflowFault("unrecognized_format", gettext("The file is no workbook (XLSX).")) from None
    try:
        yield from sheet_rows(book)
    except BROKEN:
        raise DataflowFault("unrecognized_format", gettext("The workbook is damaged.")) from None
    finally:
        book.close()


def sheet_rows(book: Any) -> Iterator[Element]:
    if not book.worksheets:
        raise DataflowFault("unrecognized_format", gettext("The workbook has no sheet."))
    sheet = book.worksheets[0]
    rows = sheet.iter_rows(values_only=True)
    names = header(next(rows, ()))
    for count, cells in enumerate(rows):
        if count >= MOST_ROWS:
            raise DataflowFault(
                "too_large", gettext("A workbook may have %(most)s rows.") % {"most": f"{MOST_ROWS:,}"}
            )
        if any(cell is not None for cell in cells[len(names) :]):
            yield hand_on(BadRow("ragged_row", text=raw([plain(cell) for cell in cells])))
        elif any(cell is not None for cell in cells):
            yield {name: plain(cell) for name, cell in zip(names, cells, strict=False) if name}


def check_bomb(body: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            size = sum(one.file_size for one in packed.infolist())
    except zipfile.BadZipFile:
        raise DataflowFault("unrecognized_format", gettext("The file is no workbook (XLSX).")) from None
    if size > MOST_UNPACKED or size > MOST_RATIO * max(len(body), 1024):
        raise DataflowFault(
            "too_large",
            gettext("The workbook unpacks to %(size)s bytes; it was not opened.") % {"size": f"{size:,}"},
        )


def header(cells: Sequence[Any]) -> list[str]:
    names = ["" if cell is None else str(cell).strip() for cell in cells]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise DataflowFault(
            "duplicate_header", gettext("Two columns are called %(twice)r.") % {"twice": twice[:80]}
        )
    if not any(names):
        raise DataflowFault("unrecognized_format", gettext("The first row of the first sheet has no names."))
    while not names[-1]:  # a sheet is as wide as its widest row
        names.pop()
    return names


def plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        is_day = cell.time() == time(0) and cell.tzinfo is None
        return cell.date().isoformat() if is_day else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell if isinstance(cell, str | int | float | bool) or cell is None else str(cell)


def deliver(dataflow: Dataflow, rows: Iterator[Element], *, is_draft: bool) -> int:
    """All chunks of one run. They are made before the first is sent: a bad file sends nothing."""
    number, total = uuid.uuid4(), 0
    chunks = list(bodies(rows))
    for sequence, (body, count) in enumerate(chunks or [(b"[]", 0)]):
        chunk = Chunk(
            body=body,
            content_type=JSON,
            rows=count,
            is_draft=is_draft,
            run=number,
            sequence=sequence,
            is_final=sequence + 1 >= len(chunks),
        )
        delivery.take(dataflow, chunk)
        total += count
    return total


def bodies(rows: Iterator[Element]) -> Iterator[tuple[bytes, int]]:
    """Chunks of up to a thousand rows and a mebibyte."""
    while part := list(islice(rows, CHUNK_ROWS)):
        yield from split(part)


def split(part: list[Element]) -> Iterator[tuple[bytes, int]]:
    body = orjson.dumps(part)
    if len(body) <= CHUNK_BYTES:
        yield body, len(part)
        return
    if len(part) == 1:
        raise DataflowFault(
            "too_large",
            gettext("A row has %(size)s bytes, of at most %(most)s.")
            % {"size": f"{len(body):,}", "most": f"{CHUNK_BYTES:,}"},
        )
    middle = len(part) // 2
    yield from split(part[:middle])
    yield from split(part[middle:])
