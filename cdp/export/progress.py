"""How far a run is: a bar on a terminal, a line now and then in a pipe."""

from __future__ import annotations

import time
from typing import Any

from personalization.management.progress import LINE_SECONDS, rich_bar


class Progress:
    """``with Progress(...) as progress`` and hand :meth:`show` to the run."""

    def __init__(self, out: Any, *, total: int, silent: bool) -> None:
        self.out, self.total, self.silent = out, total, silent
        self.bar: Any = None
        self.task: Any = None
        self.started = self.last_line = time.monotonic()

    def __enter__(self) -> Progress:
        if not self.silent and self.out.isatty():
            self.bar = rich_bar()
            self.task = self.bar.add_task("rows", total=self.total, rate="")
            self.bar.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def show(self, done: int) -> None:
        now = time.monotonic()
        rate = f"{done / max(now - self.started, 0.001):,.0f} rows/s"
        if self.bar is not None:
            self.bar.update(self.task, completed=done, rate=rate)
        elif not self.silent and now - self.last_line >= LINE_SECONDS:
            self.last_line = now
            self.out.write(f"{done} of {max(self.total, done)} rows, {rate}")
