"""Progress of an export: a bar with items a second on a terminal, plain lines in a pipe."""

from __future__ import annotations

import time
from typing import Any

from config.jobs.models import Job

LINE_SECONDS = 2.0


class ExportProgress:
    """``with ExportProgress(...) as bar`` and hand :meth:`show` to the job."""

    def __init__(self, out: Any, *, total: int, silent: bool, name: str) -> None:
        self.out, self.total, self.silent, self.name = out, total, silent, name
        self.bar: Any = None
        self.task: Any = None
        self.started = self.last_line = time.monotonic()

    def __enter__(self) -> ExportProgress:
        if not self.silent and self.out.isatty():
            self.bar = rich_bar()
            self.task = self.bar.add_task(f"customer {self.name}", total=self.total, rate="")
            self.bar.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def show(self, job: Job) -> None:
        now = time.monotonic()
        rate = job.progress / max(now - self.started, 0.001)
        if self.bar is not None:
            self.bar.update(self.task, completed=job.progress, total=job.total, rate=f"{rate:,.0f} items/s")
        elif not self.silent and now - self.last_line >= LINE_SECONDS:
            self.last_line = now
            self.out.write(f"customer {self.name}: {job.progress} of {job.total} items, {rate:,.0f} items/s")


def rich_bar() -> Any:
    """Made on first use: importing rich costs 60 ms that a pipe need not pay."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
