"""What files need of the operating system beyond reading and writing: to last, and to have one owner."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO


class InUse(Exception):
    """Another process holds the lock file."""


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk: a rename survives a power cut only with its folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """Write a file that its owner alone can read, whole or not at all; return its size."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            size = sum(file.write(part) for part in parts)
        sync(temporary)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return size


def hold(path: Path, *, patience: float = 0.0) -> IO[str]:
    """An open lock file that no other process holds; closing it, or the end of the process, lets go.

    Raises :class:`InUse` when another holds it for longer than ``patience`` seconds.
    """
    handle = path.open("a")
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                handle.close()
                raise InUse(f"{path} is held by another process") from None
            time.sleep(0.05)
        else:
            return handle


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file; any number may look at a time. A missing file is not held."""
    try:
        with path.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
