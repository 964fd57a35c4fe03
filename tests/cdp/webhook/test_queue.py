"""What waits for the worker is applied in the order of its arrival."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from cdp.models import BulkBatch, BulkItem, WebhookRequest
from cdp.webhook import queue, upkeep
from config.jobs.models import Job
from tests.cdp.conftest import Platform
from tests.cdp.webhook.state import members, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.case("B01", "B03")
@pytest.mark.parametrize(("count", "status"), [(0, 200), (99, 200), (100, 202), (101, 202)])
def test_many_actions_are_queued(platform: Platform, users: list[int], count: int, status: int) -> None:
    answer = platform.send(*[("add", "a", users[n]) for n in range(count)])
    assert answer.status_code == status
    if status == 200:
        assert len(members("a")) == count
        assert not BulkItem.objects.exists()
        return
    assert answer.json()["queued"] == count
    assert BulkItem.objects.filter(status="queued").count() == count
    assert members("a") == set()
    work()
    assert len(members("a")) == count
    progress = platform.client.get(
        f"/cdp/webhook/batches/{answer.json()['batch']}", headers=platform.headers
    ).json()
    assert progress == {
        "batch": answer.json()["batch"], "state": "finished", "total": count, "applied": count,
        "unchanged": 0, "skipped": 0, "failed": 0,
    }  # fmt: skip


@pytest.mark.case("B07")
def test_the_newest_wins_whatever_way_it_took(platform: Platform, users: list[int]) -> None:
    some = users[:150]
    platform.send(*[("add", "a", one) for one in some])
    platform.send(("remove", "a", some[0]))  # at once, while the others wait
    platform.send(*[("remove", "a", one) for one in some[:120]])
    platform.send(("add", "a", some[1]))
    work()
    assert members("a") == {some[1], *some[120:]}


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_is_what_one_by_one_would_leave(platform: Platform, users: list[int], seed: int) -> None:
    chance = random.Random(seed)
    expected: dict[str, set[int]] = {"a": set(), "b": set()}
    for _ in range(12):
        actions = [
            (chance.choice(["add", "remove"]), chance.choice("ab"), chance.choice(users[:40]))
            for _ in range(chance.choice([1, 20, 99, 100, 230]))
        ]
        assert platform.send(*actions).status_code in (200, 202)
        for op, audience, person in actions:
            (expected[audience].add if op == "add" else expected[audience].discard)(person)
        if chance.random() < 0.4:
            work()
    work()
    assert {name: members(name) for name in expected} == expected
    for batch in BulkBatch.objects.all():
        assert batch.state == "finished"
        assert batch.applied + batch.unchanged + batch.skipped + batch.failed == batch.total


def test_several_workers_leave_what_one_would(
    platform: Platform, users: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AT_ONCE", 50)
    for op in ("add", "remove", "add", "remove", "add"):
        platform.send(*[(op, "a", one) for one in users[:200]])
    faults: list[BaseException] = []

    def worker() -> None:
        try:
            while queue.step("mine"):
                pass
        except BaseException as fault:  # noqa: BLE001 - whatever it is, the test fails with it
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not faults
    assert members("a") == set(users[:200])
    assert not BulkItem.objects.filter(status="queued").exists()


@pytest.mark.case("B13")
def test_who_is_not_known_is_skipped_and_not_tried_again(platform: Platform, users: list[int]) -> None:
    actions = [("add", "a", "nobody"), *(("add", "a", one) for one in users[:100])]
    assert platform.send(*actions).json()["queued"] == 101
    work()
    row = BulkBatch.objects.get()
    assert (row.state, row.applied, row.skipped, row.failed) == ("finished", 100, 1, 0)
    assert not BulkItem.objects.filter(status="queued").exists()
    assert queue.step("mine") == 0


@pytest.mark.case("B11")
def test_what_a_crash_left_is_swept(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "a", one) for one in users[:100]])
    Job.objects.all().delete()
    upkeep.sweep()
    upkeep.sweep()
    assert Job.objects.filter(kind=queue.JOB).count() == 1
    work()
    assert len(members("a")) == 100


def test_what_is_settled_is_forgotten_in_time(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "a", one) for one in users[:100]])
    work()
    old = timezone.now() - timedelta(days=8)
    BulkBatch.objects.update(received_at=old)
    upkeep.purge()
    assert not BulkItem.objects.exists()
    assert WebhookRequest.objects.exists()
    assert len(members("a")) == 100
