"""Rows that were not taken, kept with their line and the reason."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self


class Rejects:
    """Collects reasons; writes them to ``path`` (CSV: row, reason), which appears whole or not at all."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.reasons: Counter[str] = Counter()
        self.temporary = path.with_name(f".tmp-{path.name}-{os.getpid()}") if path else None

    def __enter__(self) -> Self:
        if self.temporary:
            self.file = self.temporary.open("w", newline="")
            self.writer = csv.writer(self.file)
            self.writer.writerow(["row", "reason"])
        return self

    def add(self, row: int, reason: str) -> None:
        self.reasons[reason] += 1
        if self.temporary:
            self.writer.writerow([row, reason])

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if not self.temporary or not self.path:
            return
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        if kind is None and self.reasons:
            self.temporary.replace(self.path)
        else:
            self.temporary.unlink()
