"""Which servers run on a state folder, and on which ports, for commands in other terminals.

Each server holds the lock of a file of its own for as long as it lives, so a killed one is never believed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from config.files import hold, is_held

LAST = "served.json"
RUNNING = "serving-*.json"
PATIENCE_SECONDS = 5.0  # somebody may just be looking whether the file is held


@dataclass(frozen=True)
class Served:
    """Where one server answers; ``event_port`` 0: on the web port. ``process``: its id."""

    port: int
    event_port: int = 0
    process: int = 0

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}/"


def announce(var_dir: Path, *, port: int, event_port: int) -> IO[str]:
    """Write down that this process serves; true until the file that is returned is closed."""
    var_dir.mkdir(parents=True, exist_ok=True)
    served = Served(port, event_port, os.getpid())
    lock = hold(var_dir / f"serving-{port}.json", patience=PATIENCE_SECONDS)
    lock.truncate(0)
    lock.write(json.dumps(asdict(served)))
    lock.flush()
    others = [one for one in running(var_dir) if one.process != served.process]
    if not others:  # the first one's addresses are out there already
        write_last(var_dir, served)
    return lock


def withdraw(lock: IO[str]) -> None:
    """The server has ended."""
    Path(lock.name).unlink(missing_ok=True)
    lock.close()


def running(var_dir: Path) -> list[Served]:
    """The servers that run now, the one that started first in front."""
    files = sorted(filter(is_held, var_dir.glob(RUNNING)), key=started)
    return [found for path in files if (found := read(path))]


def started(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # it ended this moment


def ports(var_dir: Path) -> Served | None:
    """The server to name in addresses: one that runs, else the last one; None when none ever ran here."""
    return next(iter(running(var_dir)), None) or read(var_dir / LAST)


def read(path: Path) -> Served | None:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    known = found if isinstance(found, dict) else {}
    numbers = {name: known.get(name, 0) for name in ("port", "event_port", "process")}
    if not all(type(number) is int for number in numbers.values()):
        return None
    in_range = 0 < numbers["port"] <= 65535 and 0 <= numbers["event_port"] <= 65535
    return Served(**numbers) if in_range else None


def write_last(var_dir: Path, served: Served) -> None:
    temporary = var_dir / f".tmp-{LAST}-{os.getpid()}"
    temporary.write_text(json.dumps(asdict(served)))
    temporary.replace(var_dir / LAST)
