"""Web server and worker are killed while actions come and are applied, or Redis goes, and ...

CHAOS=full sends 50,000 actions; CHAOS_SEED repeats a run.
"""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.chaos.postgres import Cluster
from tests.chaos.storm import seed_of_run
from tests.flows.installation import Installation, eventually
from tests.flows.processes import kill_one
from tests.ports import free_port

FULL = os.environ.get("CHAOS") == "full"
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800 if FULL else 500)]
ACTIONS, A_REQUEST = (50_000, 500) if FULL else (4_000, 200)
KILLS = 30 if FULL else 4
SECRET = "s" * 40
SITES = f"""
personalization:
  system:
    site_en:
      cdp:
        activations:
          - {{client_id: storm, client_secret: {SECRET}, segment_group_identifier: audiences}}
"""
PREPARE = f"""
from django.contrib.auth.models import User
from personalization.segments import changes
changes.create_group(identifier="audiences", name="Audiences")
User.objects.bulk_create([User(username=f"u{{n}}") for n in range({ACTIONS})], batch_size=1000)
print(User.objects.order_by("pk").first().pk)
"""
LEFT = """
import json
from cdp.models import BulkBatch, BulkItem, WebhookRequest
from personalization.segments.models import Membership
batches = list(BulkBatch.objects.values("total", "applied", "unchanged", "skipped", "failed"))
print(json.dumps({
    "batches": batches, "items": BulkItem.objects.count(), "requests": WebhookRequest.objects.count(),
    "members": Membership.objects.count(),
}))
"""


class Platform:
    """Sends requests one after the other, each until it is answered."""

    def __init__(self, site: Installation, *, first: int) -> None:
        self.site, self.first = site, first
        pair = base64.b64encode(f"storm:{SECRET}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
        self.broken = 0
        self.batches: list[str] = []

    def send(self, number: int, *, count: int = A_REQUEST) -> None:
        people = range(self.first + number * count, self.first + (number + 1) * count)
        document = {
            "version": 1,
            "request_id": f"r{number}",
            "segment_group_identifier": "audiences",
            "audiences": [{"id": "a", "identifier": "a", "name": "A"}],
            "actions": [{"op": "add", "audience": "a", "person": one} for one in people],
        }
        while True:
            with suppress(requests.RequestException):
                answer = requests.post(
                    f"{self.site.base}/cdp/webhook",
                    data=json.dumps(document),
                    headers=self.headers,
                    timeout=60,
                )
                if answer.status_code == 202:
                    self.batches.append(answer.json()["batch"])
                    return
                assert answer.status_code >= 500, answer.text
            self.broken += 1
            time.sleep(0.05)

    def is_done(self) -> bool:
        with suppress(requests.RequestException):
            return all(
                requests.get(
                    f"{self.site.base}/cdp/webhook/batches/{one}", headers=self.headers, timeout=60
                ).json()["state"]
                == "finished"
                for one in self.batches
            )
        return False


def prepared(site: Installation) -> Platform:
    site.var_dir.mkdir(exist_ok=True)
    (site.var_dir / "sites.yaml").write_text(SITES)
    site.extra_env["LODESTAR_SITES_FILE"] = str(site.var_dir / "sites.yaml")
    site.migrate()
    return Platform(site, first=int(site.python(PREPARE).split()[-1]))


def left(site: Installation) -> dict[str, object]:
    found: dict[str, object] = json.loads(site.python(LEFT).splitlines()[-1])
    return found


@pytest.mark.case("B11")
@pytest.mark.parametrize("database", ["sqlite", "postgresql"] if FULL else ["postgresql"])
def test_each_row_is_applied_once_whoever_is_killed(
    tmp_path: Path, postgresql: Cluster, database: str
) -> None:
    site = Installation(var_dir=tmp_path / "var")
    if database == "postgresql":
        site.extra_env["DATABASE_URL"] = postgresql.new_database()
    platform = prepared(site)
    chance = random.Random(seed_of_run())
    killed: list[str] = []
    with site.serving("--workers", "2"):
        sender = threading.Thread(
            target=lambda: [platform.send(number) for number in range(ACTIONS // A_REQUEST)], daemon=True
        )
        sender.start()
        while len(killed) < KILLS or len(set(killed)) < 2:
            time.sleep(chance.uniform(0.2, 1.5))
            if kind := kill_one(site, chance):
                killed.append(kind)
        sender.join(900)
        assert not sender.is_alive(), "the platform still waits for an answer"
        eventually(platform.is_done, seconds=300, what="the end of every batch")
    once = {"total": A_REQUEST, "applied": A_REQUEST, "unchanged": 0, "skipped": 0, "failed": 0}
    assert left(site) == {
        "batches": [once] * (ACTIONS // A_REQUEST),
        "items": 0,
        "requests": ACTIONS // A_REQUEST,
        "members": ACTIONS,
    }


@contextmanager
def redis(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--dir", str(folder), "--save", ""]
    try:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("redis-server is not installed")
    try:
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.wait()


def test_nothing_is_lost_when_redis_is_gone(tmp_path: Path) -> None:
    with redis(tmp_path) as (address, process):
        site = Installation(var_dir=tmp_path / "var", extra_env={"REDIS_URL": address})
        platform = prepared(site)
        with site.serving():
            platform.send(0, count=100)
            process.kill()
            process.wait()
            platform.send(1, count=100)
            assert platform.broken == 0
            eventually(platform.is_done, seconds=120, what="the end of both batches")
    assert left(site)["members"] == 200
