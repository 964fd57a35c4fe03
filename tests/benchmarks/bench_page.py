"""What a page of the demo costs: ``python -m tests.benchmarks page``.

Builds the demo in a temporary folder and serves it with the shipped ``manage.py serve``, default settings.
One visitor with a few clicks opens each page again and again over one connection. Printed are the median
milliseconds and the processor milliseconds of the web processes per page, beside a mark of the same run: the
same page of the same site with a sites file without credentials, that is without recommendations and
tracking code. Goal: at most 30 processor milliseconds a page.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import requests

from tests.flows.installation import Installation

ROUNDS = 3
PAGES_A_ROUND = int(os.environ.get("BENCH_PAGES", "100"))
WARM_UP = 10
GOAL_CPU_MS = 30.0
VISITOR = "7f1d2c3b-0000-4000-8000-00000000beef"
PAGES = {
    "home": "/",
    "category": "/places-tastes/places/",
    "detail": "/places-tastes/places/asia/kochin-india/",
}
NO_CREDENTIALS = "personalization: {system: {default: {included_item_types: [place]}}}\n"


class Cost(NamedTuple):
    """Milliseconds of one page: the median of waiting, and the mean of the web processes' time."""

    wall: float
    cpu: float


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="lodestar-bench-") as folder:
        demo = Installation(var_dir=Path(folder))
        demo.manage("demo", "--no-serve")
        bare_sites = Path(folder) / "bare.yaml"
        bare_sites.write_text(NO_CREDENTIALS)
        bare = replace(demo, extra_env={"LODESTAR_SITES_FILE": str(bare_sites)})
        rounds = [(measured(demo), measured(bare)) for _ in range(ROUNDS)]
    return report(rounds)


def measured(installation: Installation) -> dict[str, Cost]:
    with installation.serving(), requests.Session() as session:
        session.cookies.set("lodestar_visitor", VISITOR)
        for item in (1, 2, 3):
            session.get(f"{installation.base}/api/10101/click/{VISITOR}/38/{item}?lang=eng-GB", timeout=60)
        return {name: cost(session, installation, path) for name, path in PAGES.items()}


def cost(session: requests.Session, installation: Installation, path: str) -> Cost:
    for _ in range(WARM_UP):
        open_page(session, installation.base + path)
    waited = []
    before = web_seconds(installation.port)
    for _ in range(PAGES_A_ROUND):
        started = time.perf_counter()
        open_page(session, installation.base + path)
        waited.append((time.perf_counter() - started) * 1000)
    spent = (web_seconds(installation.port) - before) * 1000
    return Cost(wall=statistics.median(waited), cpu=spent / PAGES_A_ROUND)


def open_page(session: requests.Session, address: str) -> None:
    answer = session.get(address, timeout=60)
    assert answer.status_code == 200, f"{address} answered {answer.status_code}"


def web_seconds(port: int) -> float:
    """Processor seconds that the web processes listening on ``port`` have used so far."""
    ticks = sum(ticks_of(process) for process in Path("/proc").glob("[0-9]*") if serves(process, port))
    return ticks / os.sysconf("SC_CLK_TCK")


def serves(process: Path, port: int) -> bool:
    try:
        command = (process / "cmdline").read_bytes()
    except OSError:
        return False
    return b"gunicorn" in command and f":{port}\0".encode() in command


def ticks_of(process: Path) -> int:
    # The fields behind the name, which may hold blanks; user and system time are the 12th and 13th.
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def report(rounds: list[tuple[dict[str, Cost], dict[str, Cost]]]) -> int:
    sys.stdout.write(
        f"{PAGES_A_ROUND} pages a round, medians of {len(rounds)} rounds, milliseconds a page\n"
        f"{'page':10}{'median':>9}{'CPU':>7}   without recommendations:{'median':>8}{'CPU':>7}{'ratio':>7}\n"
    )
    missed = 0
    for name in PAGES:
        full, bare = (
            Cost(
                wall=statistics.median(one[side][name].wall for one in rounds),
                cpu=statistics.median(one[side][name].cpu for one in rounds),
            )
            for side in (0, 1)
        )
        missed |= full.cpu > GOAL_CPU_MS
        sys.stdout.write(
            f"{name:10}{full.wall:9.1f}{full.cpu:7.1f}"
            f"{bare.wall:35.1f}{bare.cpu:7.1f}{full.cpu / bare.cpu:7.2f}\n"
        )
    sys.stdout.write(f"Goal: at most {GOAL_CPU_MS:.0f} ms CPU a page: {'missed' if missed else 'met'}\n")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
