"""CSV row by row. A broken row is one rejected row, whatever its quotes do to the lines behind it."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from operator import itemgetter

from personalization.history.text_file import TextFile, UnreadableFile

DELIMITERS = ",;\t|"
MOST_LINES = 100  # of one row, whose quoted text may hold line ends
UNCLOSED = "unexpected end of data"


class BrokenRow(ValueError):
    """The line is no row; the message says why, without the row's values."""


class Delimited:
    """A CSV file whose first line names the columns; the delimiter is the one that finds most of them."""

    def __init__(self, file: TextFile) -> None:
        self.file = file
        header = next((line for line in file.lines() if not line.isspace()), "")
        if not header:
            raise UnreadableFile(f"{file.path.name} has no line with the names of the columns.")
        self.delimiter = max(DELIMITERS, key=lambda one: len(named(header, one)))
        self.header = named(header, self.delimiter)

    def columns(self) -> list[str]:
        return self.header

    def count(self) -> int:
        return max(self.file.line_count - 1, 0)

    def grew(self) -> bool:
        return self.file.grew()

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, Sequence[object], str]]:
        """(line, values of ``columns``, "") in file order; (line, (), reason) for a line that is no row."""
        chosen = itemgetter(*map(self.header.index, columns))
        width = len(self.header)
        lines = Lines(self.file.lines())
        next((True for _, text in lines if not text.isspace()), None)
        for number, text in lines:
            try:
                values = (
                    text.rstrip("\n").split(self.delimiter) if '"' not in text else self.quoted(text, lines)
                )
            except BrokenRow as reason:
                yield number, (), str(reason)
                continue
            if len(values) == width:
                yield number, chosen(values), ""
            elif not text.isspace():
                yield (
                    number,
                    (),
                    f"the row has {'more' if len(values) > width else 'fewer'} columns than the header",
                )

    def quoted(self, text: str, lines: Lines) -> list[str]:
        """The values of a row with quotes, which may go on in the next lines. Raises :class:`BrokenRow`."""
        taken: list[tuple[int, str]] = []
        while True:
            try:
                return next(csv.reader([text], delimiter=self.delimiter, strict=True))
            except csv.Error as fault:
                if UNCLOSED not in str(fault):
                    raise BrokenRow(f"the row is not CSV ({fault})") from fault
            more = lines.until_quote(MOST_LINES - len(taken))
            taken += more
            text += "".join(line for _, line in more)
            if not more:
                lines.put_back(taken)
                raise BrokenRow("the row is not CSV (a quote is not closed)")


class Lines:
    """Numbered lines, some of which can be put back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.fresh = enumerate(lines, 1)
        self.returned: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> tuple[int, str]:
        return self.returned.popleft() if self.returned else next(self.fresh)

    def until_quote(self, most: int) -> list[tuple[int, str]]:
        """The next lines up to one with a quote; none, and nothing taken, if ``most`` have none."""
        taken: list[tuple[int, str]] = []
        while len(taken) < most and (entry := next(self, None)):
            taken.append(entry)
            if '"' in entry[1]:
                return taken
        self.put_back(taken)
        return []

    def put_back(self, taken: list[tuple[int, str]]) -> None:
        self.returned.extendleft(reversed(taken))


def named(header: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header.rstrip("\n")], delimiter=delimiter))]
    except csv.Error:
        return []
