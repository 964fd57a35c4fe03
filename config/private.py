"""State is readable for its owner only; what a web server in front serves is the exception.

Wagtail's pictures and the static files may be served by nginx, which is another user. It has to walk through
the state folder, whose names it cannot list.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

UMASK = 0o077
STATE_FOLDER, PUBLIC_FOLDER, PUBLIC_FILE = 0o711, 0o755, 0o644
PUBLIC = ("media", "static")


def by_default(state: Path) -> None:
    """Have this process and its children make private files, and make the state folder if need be.

    A mask instead of modes: SQLite, DuckDB and NumPy open their files themselves.
    """
    os.umask(UMASK)
    try:
        state.mkdir(parents=True)
        state.chmod(STATE_FOLDER)
    except OSError:  # it is there, or whoever needs it first says why it cannot be
        return


def public_folder(folder: Path, *, root: Path) -> None:
    """Make ``folder`` and what is missing between it and ``root``, readable for other users.

    Django's own way changes the mask of the whole process, and two threads may leave it changed.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    below = folder.relative_to(root).parts
    for missing in (root.joinpath(*below[:depth]) for depth in range(len(below) + 1)):
        try:
            missing.mkdir()
            missing.chmod(PUBLIC_FOLDER)
        except FileExistsError:
            continue


def readable_by_others(state: Path) -> Iterator[Path]:
    """What lies in the state folder and another user of the machine could read."""
    for path in sorted(state.iterdir()) if state.is_dir() else ():
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:  # a -wal file that was just merged
            continue
        if path.name not in PUBLIC and not stat.S_ISLNK(mode) and mode & stat.S_IRWXO:
            yield path


def shut(state: Path) -> None:
    """Take other users' rights from what earlier versions left readable. A group keeps what it was given."""
    for path in readable_by_others(state):
        try:
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~stat.S_IRWXO)
        except OSError:  # gone, or of another owner: `doctor` names it
            continue
