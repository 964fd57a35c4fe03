"""Parquet row by row, with memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from personalization.history.text_file import UnreadableFile

BATCH = 5_000


class Parquet:
    """A Parquet file. It has no lines: 0 stands for them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.stat().st_size:
            raise UnreadableFile(f"{path.name} is empty.")
        self.connection = duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 1})
        described = self.run("DESCRIBE SELECT * FROM read_parquet(?)").fetchall()
        self.types = {str(row[0]): str(row[1]) for row in described}

    def columns(self) -> list[str]:
        return list(self.types)

    def count(self) -> int:
        row = self.run("SELECT count(*) FROM read_parquet(?)").fetchone()
        return int(row[0]) if row else 0

    def grew(self) -> bool:
        return False

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, Sequence[object], str]]:
        """(0, values of ``columns``, "") in file order."""
        wanted = ", ".join(expression(column, self.types[column]) for column in columns)
        # A damaged page shows when it is read: before the first row is used, not in the middle.
        self.run(f"SELECT bit_xor(hash({wanted})) FROM read_parquet(?)").fetchall()  # noqa: S608 - quoted names
        cursor = self.run(f"SELECT {wanted} FROM read_parquet(?)")  # noqa: S608 - quoted names
        while batch := self.fetched(cursor):
            for values in batch:
                yield 0, values, ""

    def fetched(self, cursor: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
        try:
            found: list[tuple[object, ...]] = cursor.fetchmany(BATCH)
        except duckdb.Error as fault:
            raise self.unreadable(fault) from fault
        return found

    def run(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return self.connection.execute(sql, [str(self.path)])
        except duckdb.Error as fault:
            raise self.unreadable(fault) from fault

    def unreadable(self, fault: duckdb.Error) -> UnreadableFile:
        return UnreadableFile(f"{self.path.name} cannot be read: {str(fault).splitlines()[0]}")


def expression(column: str, kind: str) -> str:
    """The column in SQL; a time with a zone as microseconds since 1970, for DuckDB hands the former out only
    where pytz is installed, and one without a zone is another thing.
    """
    name = '"' + column.replace('"', '""') + '"'
    return f"epoch_us({name})" if kind == "TIMESTAMP WITH TIME ZONE" else name
