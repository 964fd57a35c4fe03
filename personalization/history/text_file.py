"""Text files of any size, packed with gzip or not: looked through once, then read line by line."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

BLOCK = 1 << 20
OTHER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class UnreadableFile(ValueError):
    """The file cannot be read; the message says why."""


class TextFile:
    """The lines of a file as it was when it was opened; what is appended later is for the next run."""

    def __init__(self, path: Path, *, encoding: str = "") -> None:
        """``encoding``: UTF-8, with or without a byte order mark, unless it is given.

        Raises :class:`UnreadableFile` before anything is done with a file that is not such a text.
        """
        self.path = path
        self.encoding = encoding or "utf-8-sig"
        self.size = path.stat().st_size
        self.held_back = False
        if not self.size:
            raise UnreadableFile(f"{path.name} is empty.")
        self.line_count = self.examined(told=bool(encoding))

    def examined(self, *, told: bool) -> int:
        """How many lines there are, after one look at all of it."""
        decoder = decoder_of(self.encoding)
        count = 0
        try:
            with self.binary() as stream:
                while block := stream.read(BLOCK):
                    count += self.lines_of(block, decoder, before=count, told=told)
        except (EOFError, OSError, zlib.error) as fault:
            raise UnreadableFile(
                f"{self.path.name} cannot be unpacked: {fault or type(fault).__name__}. "
                "It is not gzip, or was cut off."
            ) from fault
        return count

    def lines_of(self, block: bytes, decoder: codecs.IncrementalDecoder, *, before: int, told: bool) -> int:
        if not (told or before) and (other := OTHER_MARKS.get(block[:2])):
            raise UnreadableFile(f"{self.path.name} is {other.upper()}: add --encoding {other}.")
        if b"\0" in block and "16" not in self.encoding and "32" not in self.encoding:
            raise UnreadableFile(f"{self.path.name} is not a text file: it holds NUL bytes.")
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as fault:
            written = self.encoding.removesuffix("-sig").upper()
            line = before + 1 + fault.object[: fault.start].count(b"\n")
            advice = "" if told else " If it comes from Windows, add --encoding cp1252 (or latin-1)."
            raise UnreadableFile(f"{self.path.name} is not {written} in line {line}.{advice}") from fault
        if len(block) == BLOCK and "\n" not in text and "\r" not in text:
            raise UnreadableFile(f"{self.path.name} has a line of more than a million characters.")
        return text.count("\n")

    def lines(self) -> Iterator[str]:
        """Physical lines with their ends. A last line without end is held back where the file grew meanwhile,
        for it may be half of one.
        """
        with self.binary() as stream, io.TextIOWrapper(stream, self.encoding, errors="replace") as text:
            for line in text:
                if not line.endswith("\n") and self.grew():
                    self.held_back = True
                    return
                yield line

    def grew(self) -> bool:
        return self.path.stat().st_size != self.size

    @contextmanager
    def binary(self) -> Iterator[IO[bytes]]:
        with io.BufferedReader(Bounded(self.path, self.size), BLOCK) as packed:
            if self.path.suffix.lower() != ".gz":
                yield cast(IO[bytes], packed)
                return
            with gzip.GzipFile(fileobj=packed) as unpacked:
                yield cast(IO[bytes], unpacked)


class Bounded(io.RawIOBase):
    """The first ``size`` bytes of a file."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__()
        self.raw = path.open("rb", buffering=0)
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        view = memoryview(target)[: self.left]
        taken = self.raw.readinto(view) if self.left else 0
        self.left -= taken or 0
        return taken or 0

    def close(self) -> None:
        self.raw.close()
        super().close()


def decoder_of(encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise UnreadableFile(f"--encoding: there is no encoding {encoding!r}.") from None
