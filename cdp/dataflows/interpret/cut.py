"""Taking rows out of a body, which stays as it is otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

import orjson

from cdp.dataflows.configuration import Parsing
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.decode import decoded
from cdp.dataflows.interpret.read import JSON, BadRow, Row, lines_of, parsed, pieces

Taken = list[Row | str]
ANY_BYTES = "latin-1"  # has a character for every byte


class Wanted(Protocol):
    def row(self, row: Row) -> bool: ...

    def text(self, text: str) -> bool:
        """For what cannot be read as a row."""
        ...


def cut(
    body: bytes, parsing: Parsing | None, wanted: Wanted, *, content_type: str = ""
) -> tuple[bytes, Taken]:
    """The body without the wanted rows, and these; lines of a body that nobody can read."""
    if content_type == JSON:  # an array, whatever the sample was
        parsing = Parsing()
    if parsing is None:
        return cut_lines(body, wanted)
    try:
        text = decoded(body, parsing.encoding)
        left, taken = (
            cut_json(text, parsing, wanted) if parsing.format == "json" else cut_text(text, parsing, wanted)
        )
    except DataflowFault:
        return cut_lines(body, wanted)
    return left.encode(parsing.encoding), taken


def cut_text(text: str, parsing: Parsing, wanted: Wanted) -> tuple[str, Taken]:
    left: list[str] = []
    taken: Taken = []
    for piece in pieces(text, parsing):
        if isinstance(piece.row, dict) and wanted.row(piece.row):
            taken.append(piece.row)
        elif isinstance(piece.row, BadRow) and wanted.text(piece.text):
            taken.append(piece.text)
        else:
            left.append(piece.text)
    return "".join(left), taken


def cut_json(text: str, parsing: Parsing, wanted: Wanted) -> tuple[str, Taken]:
    taken: Taken = []

    def at(document: Any, path: list[str]) -> Any:
        if path and isinstance(document, dict) and path[0] in document:
            return document | {path[0]: at(document[path[0]], path[1:])}
        if isinstance(document, list):
            return [one for one in document if not is_taken(one)]
        return [] if is_taken(document) else document

    def is_taken(one: Any) -> bool:
        found = wanted.row(one) if isinstance(one, dict) else wanted.text(str(one))
        if found:
            taken.append(one if isinstance(one, dict) else str(one))
        return found

    left = at(parsed(text), [key for key in parsing.records_path.split(".") if key])
    return orjson.dumps(left).decode() if taken else text, taken


def cut_lines(body: bytes, wanted: Wanted) -> tuple[bytes, Taken]:
    left: list[str] = []
    taken: Taken = []
    for line in lines_of(body.decode(ANY_BYTES)):
        (taken if wanted.text(line) else left).append(line)
    return "".join(left).encode(ANY_BYTES), taken


def word(text: str) -> Callable[[str], bool]:
    """Whether a text has this one in it, not as a part of a longer word or number."""
    pattern = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
    return lambda line: pattern.search(line) is not None
