"""Rows that were not taken, kept with their line, the reason and what they say, but not with the user."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from personalization.history.mapping import PEOPLE, Mapping

HEAD = ("row", "line", "reason")


class UnwritableRejects(ValueError):
    """The rejected rows have nowhere to go; the message says why."""


class Rejects:
    """Counts reasons and keeps the rows in a file that has no name before it is whole.

    ``path`` is where it goes in the end: never over another file, but beside it with a number. The columns
    of people are left out, for a raw user id is stored nowhere.
    """

    def __init__(self, path: Path | None, *, mapping: Mapping) -> None:
        """Raises :class:`UnwritableRejects`. Without ``path`` the reasons are only counted."""
        self.path = path
        self.written: Path | None = None
        self.reasons: Counter[str] = Counter()
        private = {mapping.columns[field] for field in PEOPLE if field in mapping.columns}
        shown = [(n, column) for n, column in enumerate(mapping.columns.values()) if column not in private]
        self.places = [n for n, _ in shown]
        self.names = [column for _, column in shown]
        self.file: IO[str] | None = None

    def __enter__(self) -> Self:
        if self.path:
            try:
                self.file = tempfile.TemporaryFile("w+", newline="", encoding="utf-8", dir=self.path.parent)
            except OSError as fault:
                raise UnwritableRejects(
                    f"Rejected rows cannot be written to {self.path}: {fault.strerror}. "
                    "Name a file with --rejects."
                ) from fault
            self.writer = csv.writer(self.file)
            self.writer.writerow([*HEAD, *self.names])
        return self

    def add(self, row: int, line: int, reason: str, values: Sequence[object]) -> None:
        """``row``: from 1; ``line``: 0 where the file has none; ``values``: () where none were read."""
        self.reasons[reason] += 1
        if self.file:
            shown = [values[place] for place in self.places] if values else ()
            self.writer.writerow([row, line or "", reason, *shown])

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if not self.file or not self.path:
            return
        with self.file:
            if kind is None and self.reasons:
                self.written = self.keep(self.file, self.path)

    def keep(self, source: IO[str], path: Path) -> Path:
        """Copy ``source`` to ``path``, or where that exists, to the same name with a number."""
        source.seek(0)
        for target in numbered(path):
            try:
                with target.open("x", newline="", encoding="utf-8") as file:
                    shutil.copyfileobj(source, file)
                    file.flush()
                    os.fsync(file.fileno())
            except FileExistsError:
                continue
            return target
        raise AssertionError("there is always another number")


def numbered(path: Path) -> Iterator[Path]:
    """``a.csv``, ``a-2.csv``, ``a-3.csv`` and so on."""
    return (path if n == 1 else path.with_name(f"{path.stem}-{n}{path.suffix}") for n in count(1))


def default_path(source: Path) -> Path:
    """``FILE.rejects.csv`` beside the file, or in the current folder where that may not be written."""
    folder = source.absolute().parent
    return (folder if os.access(folder, os.W_OK) else Path.cwd()) / f"{source.name}.rejects.csv"
