"""Text -> rows as the source has them, each a mapping of column -> value, or what is wrong with it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson
from django.utils.translation import gettext

from cdp.dataflows.configuration import MOST_COLUMNS, Parsing
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.decode import decoded
from config.nesting import is_deep

Row = dict[str, Any]
JSON = "application/json"
csv.field_size_limit(1_048_576)


class BadRow(Exception):
    """One row that is none; the others are fine. ``text``: what stands in its place."""

    def __init__(self, code: str, column: str = "", *, text: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.column = column
        self.text = text


class Piece(NamedTuple):
    """A stretch of a body. ``row`` is None for what is no row: blank lines, names of columns."""

    text: str
    row: Row | BadRow | None


def read(body: bytes, parsing: Parsing, *, content_type: str = "") -> list[Row | BadRow]:
    """All rows of a chunk. Raises :class:`DataflowFault` where the chunk as a whole cannot be read.

    An array that says it is JSON is read as such, whatever the sample was: an uploaded file arrives so.
    """
    if content_type == JSON and isinstance(document := parsed(body), list):
        return [record(one) for one in document]
    text = decoded(body, parsing.encoding)
    if parsing.format == "json":
        return [record(one) for one in records(parsed(text), parsing.records_path)]
    return [piece.row for piece in pieces(text, parsing) if piece.row is not None]


def pieces(text: str, parsing: Parsing) -> Iterator[Piece]:
    """All of a text that has its rows in lines; what is called ``text`` joins to the whole again."""
    if parsing.format == "ndjson":
        for line in lines_of(text):
            yield Piece(line, line_record(line) if line.strip() else None)
    else:
        yield from delimited(text, parsing)


def lines_of(text: str) -> Iterable[str]:
    """Unlike `splitlines` it does not break at U+2028 and others, which a text within JSON may hold."""
    return io.StringIO(text, newline="")


def parsed(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        raise DataflowFault(
            "unrecognized_format",
            gettext("The data is not JSON: %(fault)s.") % {"fault": fault},
            field="format",
        ) from None


def records(document: Any, path: str) -> list[Any]:
    for key in filter(None, path.split(".")):
        if not isinstance(document, dict) or key not in document:
            raise DataflowFault(
                "unrecognized_format",
                gettext("The data has no %(path)r to find rows in.") % {"path": path},
                field="records_path",
            )
        document = document[key]
    if isinstance(document, dict):
        return [document]
    if not isinstance(document, list):
        raise DataflowFault(
            "unrecognized_format", gettext("The rows must be a JSON array of objects."), field="records_path"
        )
    return document


def record(value: Any, text: str | None = None) -> Row | BadRow:
    """``text``: as which it came, where that is known."""
    code = fault_of(value)
    if code is None:
        row: Row = value
        return row
    if isinstance(value, list) and (passed := handed_on(value)):
        return passed
    return BadRow(code, text=raw(value) if text is None else text)


def fault_of(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "not_object"
    if len(value) > MOST_COLUMNS:
        return "too_many_columns"
    return "too_deep" if is_deep(value) else None


def raw(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def line_record(line: str) -> Row | BadRow:
    text = line.rstrip("\r\n")
    try:
        return record(orjson.loads(line), text)
    except orjson.JSONDecodeError:
        return BadRow("not_object", text=text)


# A row of a file that was found bad when the file was taken apart, as an element of the array it becomes.
HANDED_ON = ("not_object", "too_many_columns", "too_deep", "ragged_row")


def hand_on(bad: BadRow) -> list[str]:
    return [bad.code, bad.text]


def handed_on(value: list[Any]) -> BadRow | None:
    match value:
        case [str(code), str(text)] if code in HANDED_ON:
            return BadRow(code, text=text)
    return None


def delimited(text: str, parsing: Parsing) -> Iterator[Piece]:
    """Blank lines are no rows. An empty cell is null; so is one of the null tokens."""
    names: list[str] = []
    skipped = 0
    for line, row in cells_of(text, parsing):
        if not any(cell.strip() for cell in row):
            yield Piece(line, None)
            continue
        if skipped < parsing.skip_rows:
            skipped += 1
            yield Piece(line, None)
            continue
        if not names:
            names = names_of(row, parsing)
            if parsing.header:
                yield Piece(line, None)
                continue
        ragged = BadRow("ragged_row", text=line.rstrip("\r\n")) if len(row) > len(names) else None
        yield Piece(line, ragged or cells(row, names, parsing))


def names_of(first: list[str], parsing: Parsing) -> list[str]:
    names = header_of(first) if parsing.header else [f"column_{n + 1}" for n in range(len(first))]
    if len(names) > MOST_COLUMNS:
        raise DataflowFault(
            "too_many_columns", gettext("At most %(most)s columns are taken.") % {"most": MOST_COLUMNS}
        )
    return names


def cells_of(text: str, parsing: Parsing) -> Iterator[tuple[str, list[str]]]:
    """Each record with the lines it is made of; a quoted cell may have several."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in lines_of(text):
            taken.append(line)
            yield line

    try:
        for row in csv.reader(
            lines(),
            delimiter=parsing.delimiter,
            quotechar=parsing.quote,
            doublequote=parsing.escape == "doubled",
            escapechar="\\" if parsing.escape == "backslash" else None,
        ):
            yield "".join(taken), row
            taken.clear()
    except csv.Error as fault:
        raise DataflowFault(
            "unrecognized_format", gettext("The data is no delimited text: %(fault)s.") % {"fault": fault}
        ) from None


def header_of(row: list[str]) -> list[str]:
    names = [cell.strip() or f"column_{number + 1}" for number, cell in enumerate(row)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataflowFault(
            "duplicate_header",
            gettext("Two columns are called %(twice)r.") % {"twice": twice[:80]},
            field="header",
        )
    return names


def cells(row: list[str], names: list[str], parsing: Parsing) -> Row:
    empty = {"", *parsing.null_tokens}
    values = [None if cell in empty else cell for cell in row]
    return dict(zip(names, values + [None] * (len(names) - len(row)), strict=True))
