"""How far an import is: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

SECONDS = 5.0


@contextmanager
def reported(*, total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """What to call with the number of rows that are done. It writes to standard error."""
    console = Console(stderr=True, quiet=quiet)
    if not console.is_terminal:
        yield lines(console, total=total)
        return
    with Progress(console=console) as progress:
        task = progress.add_task("Importing", total=total)
        yield lambda done: progress.update(task, completed=done)


def lines(console: Console, *, total: int) -> Callable[[int], None]:
    started = said = time.monotonic()

    def on_progress(done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= SECONDS:
            said = now
            console.print(f"{done:,} of about {total:,} rows, {done / (now - started):,.0f} a second")

    return on_progress
