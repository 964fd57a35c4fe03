"""Finding out how a sample is to be parsed (reference `cdp.md` 2.2, table of parsing options)."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from cdp.dataflows.configuration import Parsing
from cdp.dataflows.interpret.decode import decoded, encoding_of
from cdp.dataflows.interpret.read import lines_of

DELIMITERS = (",", ";", "\t", "|")
LINES = 50
NUMBER = re.compile(r"^-?\d+(?:[.,]\d+)?\Z")
COMMA_NUMBER = re.compile(r"^-?\d+,\d+\Z")
TYPES = {"text/tab-separated-values": "\t"}


def detect(body: bytes, *, content_type: str = "") -> Parsing | None:
    """How to parse the body; None for a format that is not recognised, which is for a person to say.

    Raises :class:`~cdp.dataflows.faults.DataflowFault` for bytes that are no text.
    """
    encoding = encoding_of(body)
    text = decoded(body, encoding)
    options: dict[str, Any] = {"encoding": encoding}
    start = text.lstrip()
    if start[:1] in ("[", "{"):
        return json_format(start, options)
    return delimited(text, options, delimiter=TYPES.get(content_type))


def json_format(text: str, options: dict[str, Any]) -> Parsing | None:
    if text.startswith("["):
        return Parsing(format="json", **options) if is_json(text) else None
    lines = [line for line in lines_of(text) if line.strip()][:LINES]
    if len(lines) > 1 and all(is_json(line) for line in lines):
        return Parsing(format="ndjson", **options)
    if not is_json(text):
        return None
    lists = [key for key, value in orjson.loads(text).items() if isinstance(value, list)]
    return Parsing(format="json", records_path=lists[0] if len(lists) == 1 else "", **options)


def is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def delimited(text: str, options: dict[str, Any], *, delimiter: str | None) -> Parsing | None:
    lines = [line for line in lines_of(text) if line.strip()][:LINES]
    found = delimiter or delimiter_of(lines)
    if found is None:
        return None
    cells = list(csv.reader(lines, delimiter=found))
    return Parsing(
        format="tsv" if found == "\t" else "csv",
        delimiter=found,
        header=has_header(cells[0] if cells else []),
        decimal=decimal_of(cells[1:], found),
        **options,
    )


def delimiter_of(lines: Sequence[str]) -> str | None:
    """The one that gives the same number of columns, at least two, on the most lines."""
    best, most = None, len(lines) // 2
    for candidate in DELIMITERS:
        counts = Counter(len(row) for row in rows_of(lines, candidate))
        fitting = max((count for columns, count in counts.items() if columns > 1), default=0)
        if fitting > most:
            best, most = candidate, fitting
    return best


def rows_of(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:  # a cell over the limit, or a NUL
        return []


def has_header(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row]
    return all(cell and not NUMBER.match(cell) for cell in cells) and len(set(cells)) == len(cells)


def decimal_of(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    numbers = [cell.strip() for row in rows for cell in row if NUMBER.match(cell.strip())]
    broken = [cell for cell in numbers if "," in cell or "." in cell]
    commas = [cell for cell in broken if COMMA_NUMBER.match(cell)]
    return "," if delimiter != "," and broken and len(commas) > 0.9 * len(broken) else "."
