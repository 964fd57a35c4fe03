"""Builds that meet each other, clocks that jump, files that are damaged: what serves stays whole."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connections

from config.files import sync
from config.jobs import queue
from config.jobs.models import Job, State
from personalization.server import artefacts, training
from personalization.server.learning.base import Learned
from personalization.server.models import ItemRevision, Model, ModelBuild
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    made.forget()


@pytest.fixture
def customer(db: None) -> str:
    customer_id = new_account("Made").customer_id
    made.stored(customer_id, {n: {} for n in range(1, 5)})
    made.happened(customer_id, did("click", "a", 1, 2) + did("click", "b", 1, 2) + did("click", "c", 3))
    made.model(customer_id, "popularity", signal="click")
    made.scenario(customer_id, "made")
    return customer_id


def row_of(customer: str) -> Model:
    return Model.objects.get(customer_id=customer, identifier="made")


def test_two_builds_at_once_leave_one_that_serves(customer: str) -> None:
    row = row_of(customer)
    faults: list[BaseException] = []

    def build() -> None:
        try:
            training.build(row)
        except BaseException as fault:  # noqa: BLE001 - whatever it is, the test fails with it
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=build) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    assert faults == []
    made.forget()
    home = artefacts.folder(customer, "made")
    serving = (home / "current").read_text().strip()
    artefacts.opened(home, serving)  # whole
    assert made.listed(customer) == ["2", "1", "3"]
    assert not list(home.glob(f"{artefacts.TEMPORARY}*"))
    training.build(row)
    assert ModelBuild.objects.filter(model=row, status=ModelBuild.Status.ACTIVE).count() == 1


def test_a_version_that_is_slow_to_serve_is_not_pruned_by_those_that_overtake_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learned = Learned(keys=[(40, "1")], ranking=np.ones(1, np.float32))
    home = artefacts.folder("10101", "made")
    in_place = threading.Event()

    def slow_disk(folder: Path) -> None:
        sync(folder)
        if folder == home and threading.current_thread() is slow and not in_place.is_set():
            in_place.set()
            time.sleep(1)  # its folder has its name, nothing points at it

    def write() -> None:
        artefacts.write("10101", "made", learned, about={})

    monkeypatch.setattr(artefacts, "sync", slow_disk)
    slow = threading.Thread(target=write)
    slow.start()
    assert in_place.wait(60)
    others = [threading.Thread(target=write) for _ in range(artefacts.KEPT_VERSIONS + 1)]
    for one in others:
        one.start()
    for one in [slow, *others]:
        one.join(60)
    artefacts.opened(home, (home / "current").read_text())


def test_a_clock_that_goes_back_keeps_the_newest_build(
    customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.happened(customer, [one for n in range(5) for one in did("click", f"d{n}", 3)])

    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) - timedelta(days=400)

    monkeypatch.setattr(artefacts, "datetime", Yesterday)
    build = training.build(row_of(customer))
    assert build.status == ModelBuild.Status.ACTIVE
    made.forget()
    assert made.listed(customer)[0] == "3"
    assert (artefacts.folder(customer, "made") / "current").read_text().strip() == build.version


def test_a_damaged_build_is_replaced_by_the_next(customer: str) -> None:
    row = row_of(customer)
    home = artefacts.folder(customer, "made")
    before = made.listed(customer)
    made.happened(customer, [one for n in range(5) for one in did("click", f"d{n}", 4)])
    broken = training.build(row)
    (home / broken.version / "ranking.npy").write_bytes(b"\x00" * 64)
    artefacts.shelf.forget()
    assert made.listed(customer) == before  # of the version that this process had opened
    training.build(row)
    artefacts.shelf.forget()
    assert made.listed(customer)[0] == "4"


@pytest.mark.parametrize(
    "part", ["names.json", "keys.json", "group-0.npy", "part-0/ranking.npy", "manifest.json"]
)
def test_every_file_of_a_divided_build_is_checked(customer: str, part: str) -> None:
    divisions = {
        "slots": [{"start": "00:00", "end": "24:00"}],
        "nominal": [{"attribute": "author", "groups": [{"name": "one", "values": ["Michael Wang"]}]}],
    }
    build = made.model(customer, "popularity", signal="click", divisions=divisions)
    assert build is not None
    home = artefacts.folder(customer, "made")
    artefacts.opened(home, build.version)
    (home / build.version / part).write_bytes(b"damaged")
    with pytest.raises(artefacts.Damaged):
        artefacts.opened(home, build.version)


def test_a_build_that_is_interrupted_says_so_and_the_old_one_serves(customer: str) -> None:
    row = row_of(customer)
    died = ModelBuild.objects.create(model=row)
    training.build(row)
    died.refresh_from_db()
    assert (died.status, died.error) == (ModelBuild.Status.FAILED, "The build was interrupted.")


def test_what_is_learnt_from_items_is_built_only_when_they_changed(customer: str) -> None:
    build = made.model(customer, "content_based", identifier="alike")
    assert build is not None
    alike = Model.objects.get(customer_id=customer, identifier="alike")
    assert not training.items_changed(alike)
    made.stored(customer, {9: {}})
    assert training.items_changed(alike)
    ItemRevision.objects.all().delete()
    assert not training.items_changed(alike)
    assert build.finished_at is not None
    assert build.finished_at <= datetime.now(UTC)


def test_a_worker_that_starts_builds_nothing_that_was_just_built(customer: str) -> None:
    row = row_of(customer)
    assert training.is_fresh(row, seconds=300)
    assert not training.is_fresh(row, seconds=0)
    ModelBuild.objects.filter(model=row).update(started_at=datetime.now(UTC) - timedelta(minutes=6))
    assert not training.is_fresh(row, seconds=300)


def test_models_with_the_same_items_hold_them_once(customer: str) -> None:
    clicked = made.model(customer, "co_occurrence", signal="click", identifier="also")
    assert clicked is not None
    first, second = (artefacts.shelf.current(customer, name) for name in ("made", "also"))
    assert first is not None
    assert second is not None
    assert first.keys is second.keys
    assert first.rows is second.rows
    made.happened(customer, did("click", "u1", 77))
    made.model(customer, "co_occurrence", signal="click", identifier="also")
    third = artefacts.shelf.current(customer, "also")
    assert third is not None
    assert (made.KIND, "77") in third.rows
    assert (made.KIND, "77") not in first.rows


def test_a_build_as_a_job_says_what_it_does(customer: str) -> None:
    row = row_of(customer)
    training.enqueue(row)
    told = []
    job = Job.objects.get(kind=training.JOB, payload={"model": row.pk})
    queue.run_now(job, on_progress=lambda job: told.append((job.progress, job.total, job.message)))
    assert [progress for progress, _, _ in told] == [1, 2, 3]
    assert {total for _, total, _ in told} == {3}
    assert told[0][2] == "Archiving and reading events"
    assert told[1][2].startswith("Learning from ")


def test_a_cancelled_build_changes_nothing(customer: str) -> None:
    row = row_of(customer)
    before = made.listed(customer)
    made.happened(customer, [one for n in range(5) for one in did("click", f"d{n}", 4)])
    training.enqueue(row)
    job = Job.objects.get(kind=training.JOB, payload={"model": row.pk})
    queue.run_now(job, on_progress=lambda job: queue.cancel(job.pk))
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    newest = row.builds.order_by("-id").first()
    assert newest is not None
    assert newest.error == "The build was cancelled."
    artefacts.shelf.forget()
    assert made.listed(customer) == before
