"""Items of an export on disk, between reading and storing, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import orjson
from django.conf import settings

from config.faults import writing_to
from personalization.server.items.mapping import Columns


class Stage:
    """Rows in the order they were added, one JSON line each."""

    def __init__(self, file: IO[bytes], *, folder: Path) -> None:
        self.file = file
        self.folder = folder
        self.count = 0

    def add(self, rows: Iterable[Columns]) -> None:
        """Append rows. Raises :class:`config.faults.Fault` where the disk takes no more."""
        with writing_to(self.folder, lost="The export could not be kept until it is complete"):
            for row in rows:
                self.file.write(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE))
                self.count += 1
            self.file.flush()

    def batches(self, size: int) -> Iterator[list[Columns]]:
        """Everything that was added, ``size`` rows at a time."""
        self.file.seek(0)
        while lines := list(islice(self.file, size)):
            yield [row_of(orjson.loads(line)) for line in lines]


@contextmanager
def opened() -> Iterator[Stage]:
    """An empty stage below the state folder. The file has no name: it goes even if the process is killed."""
    folder = Path(settings.VAR_DIR)
    with ExitStack() as stack:
        with writing_to(folder, lost="The import could not begin"):
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(TemporaryFile(dir=folder, prefix="import-"))
        yield Stage(file, folder=folder)


def row_of(fields: dict[str, Any]) -> Columns:
    price, begin, end = fields["price"], fields["valid_from"], fields["valid_to"]
    return Columns(
        **fields
        | {
            "price": None if price is None else Decimal(price),
            "valid_from": None if begin is None else datetime.fromisoformat(begin),
            "valid_to": None if end is None else datetime.fromisoformat(end),
        }
    )
