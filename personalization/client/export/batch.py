"""Files of an export that become visible together.

A file of 500 items is half a megabyte, and syncing it, its folder and a row of the database one by one costs
more than writing it. So files are written under temporary names first; then all of them are synced, renamed,
and their folder is synced once. Nothing names them before that: the manifest comes last.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from config.files import sync
from personalization.client.export import files
from personalization.client.export.files import HashingFile

MAX_FILES = 64
MAX_BYTES = 32_000_000
MAX_SECONDS = 1.0  # progress and cancelling wait for the end of a batch
# Syncs that run side by side share the journal's commits: 64 files take a third of the time.
SYNC_THREADS = 4


class Batch:
    """Files in ``folder`` that are complete, but not visible before :meth:`publish`.

    Leaving the block removes what was not published. Raises :class:`ExportFailed` when the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._start()

    def _start(self) -> None:
        self._handles: dict[str, BinaryIO] = {}
        self._bytes = 0
        self._since = time.monotonic()

    @contextmanager
    def file(self, name: str) -> Iterator[HashingFile]:
        """Write the next file; it stays open until it is synced, so that no write error goes unseen."""
        with files.clear_disk_errors(self.folder):
            files.refuse_below_floor(self.folder)
            handle = self._handles[name] = self._temporary(name).open("wb")
            out = HashingFile(name, handle)
            try:
                yield out
                handle.flush()
            except BaseException:
                self._drop(name)
                raise
        self._bytes += out.described().size

    def is_full(self) -> bool:
        """Whether it is time to publish."""
        waited = time.monotonic() - self._since
        return len(self._handles) >= MAX_FILES or self._bytes >= MAX_BYTES or waited >= MAX_SECONDS

    def publish(self) -> None:
        """Make all files of the batch visible, safe against a power cut."""
        with files.clear_disk_errors(self.folder):
            with ThreadPoolExecutor(SYNC_THREADS) as pool:
                list(pool.map(lambda handle: os.fsync(handle.fileno()), self._handles.values()))
            for name, handle in self._handles.items():
                handle.close()
                self._temporary(name).replace(self.folder / name)
            sync(self.folder)
        self._start()

    def _temporary(self, name: str) -> Path:
        return self.folder / f"{files.TEMPORARY}{name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for name in list(self._handles):
            self._drop(name)

    def _drop(self, name: str) -> None:
        with suppress(OSError):  # a full disk refuses the rest once more; the file goes anyway
            self._handles.pop(name).close()
        self._temporary(name).unlink(missing_ok=True)
