"""What several runs begin with and change only in copies: a built demo, and migrated databases of SQLite.

`tests/run` names one folder for all of its runs in `TEST_PREPARED`; a run without it makes what it needs.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path


@cache
def place() -> Path:
    if named := os.environ.get("TEST_PREPARED"):
        return Path(named)
    own = Path(tempfile.mkdtemp(prefix="lodestar-prepared-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def prepared(name: str, make: Callable[[Path], object]) -> Path:
    """A folder that ``make`` filled, in this run or in another one. Whoever changes it works on a copy."""
    place().mkdir(parents=True, exist_ok=True)
    done, folder = place() / f"{name}.done", place() / name
    with (place() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
            started = time.monotonic()
            make(folder)
            done.write_text(f"{time.monotonic() - started:.1f}")
    return folder


def seconds(name: str) -> float:
    """How long it took to make."""
    return float((place() / f"{name}.done").read_text())
