"""Starts the double as a process and reads what it wrote down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.environ import of_its_own

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Running:
    base: str
    record: Path

    def facts(self, what: str) -> list[dict[str, Any]]:
        """What of this kind was written down so far."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [fact for line in lines if (fact := json.loads(line))["what"] == what]

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """(customer, event) of every notification."""
        return [
            (one["customer"], event) for one in self.facts("notification") for event in one["body"]["events"]
        ]


@contextmanager
def running(folder: Path, keys: Mapping[str, str]) -> Iterator[Running]:
    record = folder / "engine.ndjson"
    customers = [f"--customer={customer}:{key}" for customer, key in keys.items()]
    command = [sys.executable, "-m", "tests.engine_double", "--record", str(record), *customers]
    process = subprocess.Popen(command, cwd=ROOT, env=of_its_own(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Running(base=f"http://127.0.0.1:{int(process.stdout.readline())}", record=record)
    finally:
        process.kill()
        process.communicate()
