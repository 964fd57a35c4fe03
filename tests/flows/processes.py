"""The processes of an installation that serves."""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from pathlib import Path

from tests.flows.installation import Installation, eventually


def descendants(root: int) -> dict[int, str]:
    """The processes below one -> their command lines."""
    parents, lines = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            lines[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    found: dict[int, str] = {}
    below = {root}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below}
        found |= {pid: lines[pid] for pid in below}
    return found


def processes(site: Installation) -> dict[str, list[int]]:
    """``worker`` and ``web`` -> their processes, without gunicorn's first: its end is that of the server."""
    own = descendants(os.getpid())
    serve = next(pid for pid, line in own.items() if f"serve --port {site.port}" in line)
    below = descendants(serve)
    return {
        "worker": [pid for pid, line in below.items() if "work" in line.split()[-2:]],
        "web": [pid for first, line in below.items() if "gunicorn" in line for pid in descendants(first)],
    }


def worker_of(site: Installation) -> int:
    found = eventually(lambda: processes(site)["worker"], what="the worker's start")
    assert isinstance(found, list)
    return int(found[0])


def kill_one(site: Installation, chance: random.Random) -> str:
    """SIGKILL for a process of the web server or for the worker; which it was, "" for none."""
    kind, pids = chance.choice(sorted(processes(site).items()))
    if pids:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(pids), signal.SIGKILL)
            return kind
    return ""
