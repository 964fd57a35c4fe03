"""Reading CSV, NDJSON and Parquet files row by row, with memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

READERS = {
    ".parquet": "read_parquet(?)",
    ".csv": "read_csv(?, all_varchar=true)",
    ".ndjson": "read_json(?, format='newline_delimited')",
    ".jsonl": "read_json(?, format='newline_delimited')",
}
BATCH = 5_000


class UnreadableFile(ValueError):
    """The file cannot be read; the message says why."""


class Source:
    """One file of historical events."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UnreadableFile(f"There is no file {path}.")
        if path.suffix.lower() not in READERS:
            known = ", ".join(READERS)
            raise UnreadableFile(f"{path.name} does not end in one of {known}.")
        self.path = path
        self.reader = READERS[path.suffix.lower()]
        self.connection = duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 1})

    def columns(self) -> list[str]:
        return list(self.types())

    def types(self) -> dict[str, str]:
        """Column -> DuckDB's name of its type."""
        described = self._run(f"DESCRIBE SELECT * FROM {self.reader}").fetchall()  # noqa: S608 - one of READERS
        return {str(row[0]): str(row[1]) for row in described}

    def count(self) -> int:
        row = self._run(f"SELECT count(*) FROM {self.reader}").fetchone()  # noqa: S608 - one of READERS
        return int(row[0]) if row else 0

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The values of ``columns``, in file order."""
        types = self.types()
        wanted = ", ".join(expression(column, types[column]) for column in columns)
        cursor = self._run(f"SELECT {wanted} FROM {self.reader}")  # noqa: S608 - quoted names, one of READERS
        while batch := cursor.fetchmany(BATCH):
            yield from batch

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return self.connection.execute(sql, [str(self.path)])
        except duckdb.Error as fault:
            reason = str(fault).splitlines()[0]
            raise UnreadableFile(f"{self.path.name} cannot be read: {reason}") from fault


def expression(column: str, kind: str) -> str:
    """The column in SQL; a time with a zone as the same moment in UTC, for DuckDB hands the former out
    only where pytz is installed.
    """
    name = '"' + column.replace('"', '""') + '"'
    return f"make_timestamp(epoch_us({name}))" if kind == "TIMESTAMP WITH TIME ZONE" else name
