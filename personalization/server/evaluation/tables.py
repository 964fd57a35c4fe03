"""Parquet files in and out of an evaluation. What is wrong with one is said in a sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Table = Mapping[str, Column]


class WrongTable(ValueError):
    """A file that cannot be evaluated; the message names it and says why."""


def read(path: Path, columns: Sequence[str], *, order: Sequence[str] = ()) -> dict[str, Column]:
    """The columns of a Parquet file as arrays, in this order of rows. Rows with an empty value are refused.

    Raises :class:`WrongTable`.
    """
    if not path.is_file():
        raise WrongTable(f"There is no file {path}.")
    names = ", ".join(f'"{name}"' for name in columns)
    sorting = f" ORDER BY {', '.join(order)}" if order else ""
    with duckdb.connect() as connection:
        try:
            there = connection.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(path)]).description or []
            found = {entry[0] for entry in there}
            if missing := [name for name in columns if name not in found]:
                raise WrongTable(
                    f"{path} has no column {' and no column '.join(missing)}; it has "
                    f"{', '.join(sorted(found))}."
                )
            query = f"SELECT {names} FROM read_parquet(?){sorting}"  # noqa: S608 - the names are ours
            table = connection.execute(query, [str(path)]).fetchnumpy()
        except duckdb.Error as error:
            raise WrongTable(f"{path} is no readable Parquet file: {str(error).splitlines()[0]}") from error
    for name in columns:
        if np.ma.is_masked(table[name]):
            raise WrongTable(f"{path} has rows without {name}.")
    if not len(table[columns[0]]):
        raise WrongTable(f"{path} has no rows.")
    return {name: np.asarray(table[name]) for name in columns}


def alike(
    one: Mapping[str, Column], other: Mapping[str, Column], columns: Sequence[str], *, names: Sequence[Path]
) -> None:
    """Refuse columns that are numbers in one file and texts in the other: nothing in them would be equal."""
    for column in columns:
        kinds = [table[column].dtype.kind in "iuf" for table in (one, other)]
        if kinds[0] != kinds[1]:
            words = ["numbers" if number else "texts" for number in kinds]
            raise WrongTable(
                f"The column {column} holds {words[0]} in {names[0]} and {words[1]} in {names[1]}."
            )


def write(path: Path, columns: Mapping[str, Column]) -> None:
    """Write arrays of one length as a Parquet file, whole or not at all. Raises :class:`WrongTable`."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    target = str(temporary).replace("'", "''")
    try:
        with duckdb.connect() as connection:
            connection.register("lists", dict(columns))
            connection.execute(f"COPY lists TO '{target}' (FORMAT parquet)")
        os.replace(temporary, path)
    except (duckdb.Error, OSError) as error:
        temporary.unlink(missing_ok=True)
        raise WrongTable(f"{path} cannot be written: {str(error).splitlines()[0]}") from error


def numbered(*parts: Column) -> tuple[Column, list[NDArray[np.int32]]]:
    """Every distinct value of all parts, sorted, and the parts as positions in them."""
    names = np.unique(np.concatenate(parts))
    return names, [np.searchsorted(names, part).astype(np.int32) for part in parts]
