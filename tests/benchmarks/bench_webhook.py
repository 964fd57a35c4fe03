"""The webhook of segments: ``python -m tests.benchmarks webhook``. Needs PostgreSQL.

The shipped ``manage.py serve --workers 2`` with default settings takes 100,000 actions in requests of 5,000,
one after the other, and its worker applies them. Goals on two cores: every row committed and answered in
5 s, 20,000 rows a second applied. Marks of the same run: `bulk_create` of as many rows, and COPY.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import requests

from tests.benchmarks.databases import new_database, reachable
from tests.flows.installation import Installation

ACTIONS = int(os.environ.get("BENCH_ACTIONS", "100000"))
A_REQUEST = 5_000
GOAL_SECONDS, GOAL_RATE = 5.0, 20_000.0
SECRET = "s" * 40
SITES = f"""
personalization:
  system:
    site_en:
      cdp:
        activations:
          - {{client_id: bench, client_secret: {SECRET}, segment_group_identifier: audiences}}
"""
PREPARE = f"""
from django.contrib.auth.models import User
from personalization.segments import changes
changes.create_group(identifier="audiences", name="Audiences")
User.objects.bulk_create([User(username=f"u{{n}}") for n in range({ACTIONS})], batch_size=5000)
print(User.objects.order_by("pk").first().pk)
"""
MARKS = f"""
import time, uuid
from django.db import connection
from django.utils import timezone
from cdp.models import BulkBatch, BulkItem
batch = BulkBatch.objects.create(client_id="mark", total={ACTIONS})
now = timezone.now()
rows = [
    BulkItem(batch=batch, client_id="mark", segment=1, user=n, is_add=True, available_at=now, created_at=now,
             status="queued")
    for n in range({ACTIONS})
]
began = time.perf_counter()
BulkItem.objects.bulk_create(rows, batch_size=1000)
print(time.perf_counter() - began)
names = "batch_id, client_id, segment, user, is_add, available_at, created_at, status, attempts, error"
names = names.replace("user", '"user"')
began = time.perf_counter()
with connection.cursor() as cursor:
    with cursor.copy(f"COPY cdp_bulkitem({{names}}) FROM STDIN") as copy:
        for n in range({ACTIONS}):
            copy.write_row((batch.pk, "mark", 1, n, True, now, now, "queued", 0, ""))
print(time.perf_counter() - began)
"""


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    if not reachable():
        sys.stdout.write("left out: no PostgreSQL\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-webhook-") as folder, new_database() as url:
        sites = Path(folder) / "sites.yaml"
        sites.write_text(SITES)
        env = {
            "DATABASE_URL": url,
            "LODESTAR_SITES_FILE": str(sites),
            "LODESTAR_DEBUG": "0",
            "SECRET_KEY": "benchmark-only-" * 4,
        }
        installation = Installation(var_dir=Path(folder), extra_env=env)
        installation.manage("migrate", "--verbosity=0")
        first = int(installation.python(PREPARE).split()[-1])
        with installation.serving("--workers", "2"):
            taken, applied = measured(installation, first=first)
        bulk, copy = (float(one) for one in installation.python(MARKS).split()[-2:])
    return report(taken, applied, bulk=bulk, copy=copy)


def measured(installation: Installation, *, first: int) -> tuple[float, float]:
    """Seconds until all requests were answered, and until all actions were applied, from the first on."""
    pair = base64.b64encode(f"bench:{SECRET}".encode()).decode()
    session = requests.Session()
    session.headers.update({"Authorization": f"Basic {pair}", "Content-Type": "application/json"})
    bodies = [body(number, first=first) for number in range(ACTIONS // A_REQUEST)]
    began = time.perf_counter()
    batches = []
    for one in bodies:
        answer = session.post(f"{installation.base}/cdp/webhook", data=one, timeout=120)
        assert answer.status_code == 202, answer.text
        batches.append(answer.json()["batch"])
    taken = time.perf_counter() - began
    states: list[dict[str, Any]] = []
    for one in batches:  # applied in this order, so that nobody asks more than needed
        while True:
            state = session.get(f"{installation.base}/cdp/webhook/batches/{one}", timeout=60).json()
            if state["state"] == "finished":
                break
            assert time.perf_counter() - began < 600, state
            time.sleep(0.05)
        states.append(state)
    assert sum(one["applied"] for one in states) == ACTIONS, states
    return taken, time.perf_counter() - began


def body(number: int, *, first: int) -> bytes:
    document: dict[str, Any] = {
        "version": 1,
        "request_id": f"r{number}",
        "segment_group_identifier": "audiences",
        "audiences": [{"id": "a", "identifier": "a", "name": "A"}],
        "actions": [
            {"op": "add", "audience": "a", "person": first + number * A_REQUEST + place}
            for place in range(A_REQUEST)
        ],
    }
    return orjson.dumps(document)


def report(taken: float, applied: float, *, bulk: float, copy: float) -> int:
    rate = ACTIONS / applied
    sys.stdout.write(
        f"{ACTIONS:,} actions in requests of {A_REQUEST:,}: taken in {taken:.1f} s (goal {GOAL_SECONDS:g}:"
        f" {'met' if taken < GOAL_SECONDS else 'MISSED'}), applied {rate:,.0f}/s from the first request on"
        f" (goal {GOAL_RATE:,.0f}: {'met' if rate >= GOAL_RATE else 'MISSED'})\n"
        f"marks: bulk_create of as many rows {bulk:.1f} s, COPY {copy:.1f} s; taking them"
        f" {taken / bulk:.1f} and {taken / copy:.1f} times as long\n"
    )
    return int(taken >= GOAL_SECONDS or rate < GOAL_RATE)
