"""Folders on a file system of their own, as full as a test wants them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PIECE = 4096


@dataclass(frozen=True)
class SmallDisk:
    """A mounted file system; ``fill`` takes its last byte, ``free`` gives everything back."""

    path: Path

    @property
    def filler(self) -> Path:
        return self.path / "filler"

    def fill(self, *, leave: int = 0) -> None:
        """Write until at most ``leave`` bytes are free."""
        found = os.statvfs(self.path)
        room = found.f_bavail * found.f_frsize - leave
        with self.filler.open("ab", buffering=0) as handle, suppress(OSError):
            for _ in range(room // PIECE):
                handle.write(b"x" * PIECE)

    def free(self) -> None:
        self.filler.unlink()


@contextmanager
def small_disk(path: Path, *, options: str) -> Iterator[SmallDisk]:
    """Mount a tmpfs at ``path`` with ``options`` (``size=1m``); skips the test where that is not allowed.

    Files written meanwhile are gone after the block, and what the folder held before is back.
    """
    path.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs root to mount a small file system: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
