"""NDJSON row by row: one JSON object in a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import orjson

from personalization.history.text_file import TextFile, UnreadableFile

LOOKED_AT = 1_000  # lines that say which keys there are


class Ndjson:
    """A file of objects; a key that one lacks is an empty value."""

    def __init__(self, file: TextFile) -> None:
        self.file = file
        keys: dict[str, None] = {}
        for line in islice(file.lines(), LOOKED_AT):
            keys |= dict.fromkeys(object_of(line) or ())
        if not keys:
            raise UnreadableFile(
                f"{file.path.name} has no JSON object (one in each line) in its first {LOOKED_AT:,} lines."
            )
        self.keys = list(keys)

    def columns(self) -> list[str]:
        return self.keys

    def count(self) -> int:
        return self.file.line_count

    def grew(self) -> bool:
        return self.file.grew()

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, Sequence[object], str]]:
        """(line, values of ``columns``, "") in file order; (line, (), reason) for a line that is no row."""
        for number, line in enumerate(self.file.lines(), 1):
            if line.isspace():
                continue
            found = object_of(line)
            if found is None:
                yield number, (), "the line is not a JSON object"
            else:
                yield number, [found.get(column) for column in columns], ""


def object_of(line: str) -> dict[str, object] | None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
