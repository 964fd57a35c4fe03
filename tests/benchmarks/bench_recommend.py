"""A recommendation call in process at 100,000 items: p50 and p99, through the engine's own code.

Run with ``python -m tests.benchmarks.bench_recommend``. It makes a database, a catalogue, artefacts and
histories of its own in a temporary folder, and drives the engine's entry and its view with default settings.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta

ITEMS = int(os.environ.get("BENCH_ITEMS", "100000"))
NEIGHBOURS = 100
CALLS = int(os.environ.get("BENCH_CALLS", "2000"))
USERS = 200


def main() -> None:
    os.environ["LODESTAR_VAR_DIR"] = tempfile.mkdtemp(prefix="lodestar-bench-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    # Own databases whatever the shell says.
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("EVENTS_DATABASE_URL", None)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    if "events" in _databases():
        call_command("migrate", database="events", verbosity=0)
    customer_id = prepare()
    report(measured(customer_id))


def _databases() -> list[str]:
    from django.conf import settings

    return list(settings.DATABASES)


def prepare() -> str:
    """A customer with items, models of the default size and users with ten clicks each."""
    import numpy as np
    from django.utils import timezone

    from config.customers.directory import create_customer
    from personalization.server import artefacts
    from personalization.server.defaults import ensure_defaults
    from personalization.server.items import store
    from personalization.server.items.mapping import Columns
    from personalization.server.learning.base import Learned
    from tracking import replay

    row, _ = create_customer(name="Benchmark", kind="publisher")
    ensure_defaults(row.customer_id)
    keys = [(38 + n % 3, str(n + 1)) for n in range(ITEMS)]
    columns = [
        Columns(
            item_type=kind,
            item_id=item,
            category_paths=[f"1/{int(item) % 20}/{int(item) % 300}"],
            attributes=[["name", "TEXT", f"Item {item}"], ["uri", "TEXT", f"/{item}"]],
        )
        for kind, item in keys
    ]
    store.upsert(row.customer_id, columns, language="eng-GB", moment=store.moment_now())
    random = np.random.default_rng(7)
    scores = np.sort(random.random((ITEMS, NEIGHBOURS), np.float32))[:, ::-1]
    near = random.integers(0, ITEMS, (ITEMS, NEIGHBOURS), dtype=np.int32)
    also = Learned(keys=keys, neighbours=near, scores=scores, support=np.ones_like(near))
    artefacts.write(row.customer_id, "also_clicked", also, about={"algorithm": "random"})
    top = Learned(keys=keys, ranking=random.random(ITEMS, np.float32))
    artefacts.write(row.customer_id, "top_clicked", top, about={"algorithm": "random"})
    replay.store(
        row.customer_id,
        (
            replay.HistoricEvent(
                event="click",
                user=f"u{user}",
                item_type=keys[int(item)][0],
                item_id=keys[int(item)][1],
                ts=timezone.now() - timedelta(minutes=place + 1),
            )
            for user in range(USERS)
            for place, item in enumerate(random.integers(0, ITEMS, 10))
        ),
    )
    return row.customer_id


def measured(customer_id: str) -> list[tuple[str, list[float]]]:
    from django.test import Client

    from personalization.server.plans import plan_of
    from personalization.server.recommend import Request, recommend

    def ask(scenario: str, n: int, **extra: object) -> Callable[[], object]:
        plan = plan_of(customer_id, scenario)
        request = Request(customer_id=customer_id, user=f"u{n % USERS}", scenario=scenario, count=10, **extra)
        return lambda: recommend(request, plan)

    client = Client(SERVER_NAME="localhost")

    def over_http(scenario: str, n: int) -> Callable[[], object]:
        path = f"/api/v2/{customer_id}/u{n % USERS}/{scenario}.json?attribute=name,uri&numrecs=10"
        return lambda: client.get(path)

    cases: list[tuple[str, Callable[[int], Callable[[], object]]]] = [
        ("popular", lambda n: ask("popular", n)),
        ("category, 1 of 300", lambda n: ask("category", n, category_paths=(f"1/{n % 20}",))),
        ("detail, 1 context item", lambda n: ask("detail", n, context_ids=(str(n % ITEMS + 1),))),
        ("front, 10 clicks of history", lambda n: ask("front", n)),
        ("front, whole view with attributes", lambda n: over_http("front", n)),
    ]
    return [(name, timed(case)) for name, case in cases]


def timed(case: Callable[[int], Callable[[], object]]) -> list[float]:
    for n in range(50):
        case(n)()
    taken = []
    for n in range(CALLS):
        call = case(n)
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
    return sorted(taken)


def report(rows: list[tuple[str, list[float]]]) -> None:
    lines = [
        f"{ITEMS:,} items, {CALLS:,} calls each, milliseconds; database reads included",
        f"{'call':38}{'p50':>8}{'p99':>8}",
    ]
    for name, taken in rows:
        lines.append(f"{name:38}{taken[len(taken) // 2]:8.2f}{taken[int(len(taken) * 0.99)]:8.2f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
