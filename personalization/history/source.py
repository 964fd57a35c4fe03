"""The file of an import: which kind it is, and its rows as every kind gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from personalization.history.delimited import Delimited
from personalization.history.ndjson import Ndjson
from personalization.history.parquet import Parquet
from personalization.history.text_file import TextFile, UnreadableFile

__all__ = ["KINDS", "Source", "UnreadableFile", "opened"]


class Source(Protocol):
    """One file of historical events."""

    def columns(self) -> list[str]: ...

    def count(self) -> int:
        """About how many rows there are, for the progress."""
        ...

    def grew(self) -> bool:
        """Whether the file has become longer since it was opened."""
        ...

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, Sequence[object], str]]:
        """Line (0: there are none), values of ``columns``, and the reason where the line is no row."""
        ...


TEXTS: dict[str, Callable[[TextFile], Source]] = {".csv": Delimited, ".ndjson": Ndjson, ".jsonl": Ndjson}
KINDS = (*TEXTS, *(f"{suffix}.gz" for suffix in TEXTS), ".parquet")


def opened(path: Path, *, encoding: str = "") -> Source:
    """Raises :class:`UnreadableFile`, and then nothing of the file has been used."""
    if path.is_dir():
        raise UnreadableFile(f"{path} is a folder; name one file.")
    if not path.exists():
        raise UnreadableFile(f"There is no file {path}.")
    if not path.is_file():
        raise UnreadableFile(f"{path} is not a regular file; an import reads it twice.")
    kind = next((kind for kind in KINDS if path.name.lower().endswith(kind)), "")
    if not kind:
        raise UnreadableFile(f"{path.name} does not end in one of {', '.join(KINDS)}.")
    try:
        if kind == ".parquet":
            return Parquet(path)
        return TEXTS[kind.removesuffix(".gz")](TextFile(path, encoding=encoding))
    except PermissionError as fault:
        raise UnreadableFile(f"{path} may not be read by this user.") from fault
