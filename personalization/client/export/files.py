"""Files that appear complete or not at all, below the export root.

Each file is written under a temporary name, synced, renamed, and its folder synced; the manifest comes
last. A process killed at any point leaves at most a temporary file, which nothing serves.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from config import faults
from config.files import sync
from personalization.client.errors import ExportFailed

TEMPORARY = ".tmp-"
MANIFEST = "manifest.json"
STALE_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class WrittenFile:
    """A complete file: its name in the run folder, size in bytes and SHA-256 (hexadecimal)."""

    name: str
    size: int
    sha256: str


class HashingFile:
    """A binary file that hashes what is written to it."""

    def __init__(self, name: str, handle: BinaryIO) -> None:
        self.name = name
        self._handle = handle
        self._hash = sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        self._handle.write(data)
        self._hash.update(data)
        self._size += len(data)

    def described(self) -> WrittenFile:
        """What was written so far."""
        return WrittenFile(name=self.name, size=self._size, sha256=self._hash.hexdigest())


def absolute(folder: str) -> Path:
    """Return the place of a run folder (``yyyy/mm/dd/hh/mm/<customer>-<random>``)."""
    return Path(settings.EXPORT_ROOT) / folder


def make_folder(folder: str) -> Path:
    """Create a run folder, readable by the owner only."""
    path = absolute(folder)
    with clear_disk_errors(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def publish(folder: Path, name: str) -> Iterator[HashingFile]:
    """Write the file ``name`` in ``folder``: visible after the block ended well, and never otherwise.

    Raises :class:`ExportFailed` when the disk is full or broken.
    """
    temporary = folder / f"{TEMPORARY}{name}"
    with clear_disk_errors(folder):
        refuse_below_floor(folder)
        try:
            with temporary.open("wb") as handle:
                yield HashingFile(name, handle)
                handle.flush()
                os.fsync(handle.fileno())
            temporary.replace(folder / name)
            sync(folder)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def refuse_below_floor(folder: Path) -> None:
    """Stop before the disk is so full that the databases beside the export suffer."""
    free = shutil.disk_usage(folder).free
    floor: int = settings.DISK_FLOOR_BYTES
    if free < floor:
        raise ExportFailed(
            f"Export failed: disk full. {folder} has {free:,} bytes free, at least {floor:,} must stay free. "
            f"Free {floor - free:,} bytes or more and run the export again."
        )


@contextmanager
def clear_disk_errors(folder: Path) -> Iterator[None]:
    """Turn an operating system error into one sentence that names the place."""
    try:
        yield
    except OSError as error:
        raise ExportFailed(disk_sentence(error, folder=folder)) from error


def disk_sentence(error: OSError, *, folder: Path) -> str:
    if faults.is_full(error):
        room = faults.room_at(folder)
        return f"Export failed: disk full. {folder} has {room}. Free some space and run the export again."
    reason = error.strerror or type(error).__name__
    return f"Export failed: the file system answered {reason!r} while writing to {folder}."


def remove_folder(folder: str) -> None:
    """Delete a run folder and the dated folders above it that became empty."""
    path = absolute(folder)
    shutil.rmtree(path, ignore_errors=True)
    root = Path(settings.EXPORT_ROOT)
    for parent in path.parents:
        if parent == root or root not in parent.parents:
            return
        try:
            parent.rmdir()
        except OSError:  # not empty, or somebody else was quicker
            return


def sweep_temporary(*, older_than: float = STALE_SECONDS) -> int:
    """Delete temporary files that a killed process left; return how many."""
    limit = time.time() - older_than
    swept = 0
    for path in Path(settings.EXPORT_ROOT).glob(f"*/*/*/*/*/*/{TEMPORARY}*"):
        try:
            if path.stat().st_mtime <= limit:
                path.unlink()
                swept += 1
        except FileNotFoundError:
            continue
    return swept
