"""What a piece of work takes: CPU-seconds of all threads, peak memory of the process."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Cost:
    cpu_seconds: float = 0.0
    seconds: float = 0.0


@contextmanager
def counted() -> Iterator[Cost]:
    cost, cpu, wall = Cost(), time.process_time(), time.perf_counter()
    yield cost
    cost.cpu_seconds = time.process_time() - cpu
    cost.seconds = time.perf_counter() - wall


def peak_megabytes() -> float:
    """The most memory that this process ever had, in MB of a million bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
