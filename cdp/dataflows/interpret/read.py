"""Text -> rows as the source has them, each a mapping of column -> value, or what is wrong with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from cdp.dataflows.configuration import MOST_COLUMNS, Parsing
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.decode import decoded

Row = dict[str, Any]
JSON = "application/json"
csv.field_size_limit(1_048_576)


class BadRow(Exception):
    """One row that is none; the others are fine."""

    def __init__(self, code: str, column: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.column = column


def read(body: bytes, parsing: Parsing, *, content_type: str = "") -> list[Row | BadRow]:
    """All rows of a chunk. Raises :class:`DataflowFault` where the chunk as a whole cannot be read.

    An array that says it is JSON is read as such, whatever the sample was: an uploaded file arrives so.
    """
    if content_type == JSON and isinstance(document := parsed(body), list):
        return [record(one) for one in document]
    text = decoded(body, parsing.encoding)
    if parsing.format == "json":
        return [record(one) for one in records(parsed(text), parsing.records_path)]
    if parsing.format == "ndjson":
        return [line_record(line) for line in text.split("\n") if line.strip()]
    return list(delimited(text, parsing))


def parsed(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        raise DataflowFault(
            "unrecognized_format", f"The data is not JSON: {fault}.", field="format"
        ) from None


def records(document: Any, path: str) -> list[Any]:
    for key in filter(None, path.split(".")):
        if not isinstance(document, dict) or key not in document:
            raise DataflowFault(
                "unrecognized_format", f"The data has no {path!r} to find rows in.", field="records_path"
            )
        document = document[key]
    if isinstance(document, dict):
        return [document]
    if not isinstance(document, list):
        raise DataflowFault(
            "unrecognized_format", "The rows must be a JSON array of objects.", field="records_path"
        )
    return document


def record(value: Any) -> Row | BadRow:
    if not isinstance(value, dict):
        return BadRow("not_object")
    return value if len(value) <= MOST_COLUMNS else BadRow("too_many_columns")


def line_record(line: str) -> Row | BadRow:
    try:
        return record(orjson.loads(line))
    except orjson.JSONDecodeError:
        return BadRow("not_object")


def delimited(text: str, parsing: Parsing) -> Iterator[Row | BadRow]:
    """Blank lines are no rows. An empty cell is null; so is one of the null tokens."""
    rows = (row for row in cells_of(text, parsing) if any(cell.strip() for cell in row))
    names: list[str] = []
    for count, row in enumerate(rows):
        if count < parsing.skip_rows:
            continue
        if not names:
            names = header_of(row) if parsing.header else [f"column_{n + 1}" for n in range(len(row))]
            if len(names) > MOST_COLUMNS:
                raise DataflowFault("too_many_columns", f"At most {MOST_COLUMNS} columns are taken.")
            if parsing.header:
                continue
        yield cells(row, names, parsing)


def cells_of(text: str, parsing: Parsing) -> Iterable[list[str]]:
    try:
        yield from csv.reader(
            io.StringIO(text, newline=""),
            delimiter=parsing.delimiter,
            quotechar=parsing.quote,
            doublequote=parsing.escape == "doubled",
            escapechar="\\" if parsing.escape == "backslash" else None,
        )
    except csv.Error as fault:
        raise DataflowFault("unrecognized_format", f"The data is no delimited text: {fault}.") from None


def header_of(row: list[str]) -> list[str]:
    names = [cell.strip() or f"column_{number + 1}" for number, cell in enumerate(row)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataflowFault("duplicate_header", f"Two columns are called {twice[:80]!r}.", field="header")
    return names


def cells(row: list[str], names: list[str], parsing: Parsing) -> Row | BadRow:
    if len(row) > len(names):
        return BadRow("ragged_row")
    empty = {"", *parsing.null_tokens}
    values = [None if cell in empty else cell for cell in row]
    return dict(zip(names, values + [None] * (len(names) - len(row)), strict=True))
