"""A full disk below an export, the lake, the models or the cache ...

Each test fills a file system of its own, so that the shipped code meets the kernel's answer.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import duckdb
import pytest
import requests
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from wagtail.test.utils.form_data import nested_form_data, rich_text

from config.jobs import queue, schedule
from config.jobs.models import Job, Periodic
from content.models import Item
from personalization.server import artefacts
from personalization.server.models import ModelBuild
from tests.chaos.small_disk import SmallDisk, small_disk
from tests.conftest import CopyOfDemo
from tests.content.conftest import Magazine, committed, magazine  # noqa: F401 - a fixture
from tests.flows.installation import Installation
from tests.personalization.server.conftest import Account, new_account
from tracking import lake, replay
from tracking.replay import HistoricEvent

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
COMMITTED = pytest.mark.django_db(databases="__all__", transaction=True)
SITE = ("--siteaccess=site_en", "--customer-id=10101")
LICENSE_KEY = "1111-2222-3333-4444-5555"
NO_FLOOR = {"DJANGO_SETTINGS_MODULE": "tests.chaos.no_floor"}


def files_of(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.is_file() and path.name != "filler")


# --- The full export, by the shipped command ------------------------------------------------------


def row(installation: Installation, sql: str) -> tuple[Any, ...]:
    with closing(sqlite3.connect(installation.var_dir / "lodestar.sqlite3")) as database:
        found: tuple[Any, ...] = database.execute(sql).fetchone()
        return found


def export(installation: Installation) -> subprocess.CompletedProcess[str]:
    with NamedTemporaryFile("w", suffix=".key") as file:
        file.write(LICENSE_KEY)
        file.flush()
        key = f"--license-key-file={file.name}"
        return installation.attempt("manage.py", "run_export", *SITE, key, "--page-size=20")


def refused(installation: Installation, disk: SmallDisk) -> str:
    """Try an export that has no room: nothing of it is visible, the engine hears nothing; its sentence."""
    imports = row(installation, "SELECT count(*) FROM engine_importrun")
    done = export(installation)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if not re.match(r"\d{4}-\d\d-\d\d ", line)]
    run = row(installation, "SELECT phase, error FROM connector_exportrun ORDER BY id DESC LIMIT 1")
    assert said == [f"CommandError: {run[1]}"]
    assert run[0] == "failed"
    assert [name for name in files_of(disk.path) if "/.tmp-" in name or "manifest" in name] == []
    assert row(installation, "SELECT count(*) FROM engine_importrun") == imports
    return said[0]


def exports_again(installation: Installation) -> None:
    done = export(installation)
    assert done.returncode == 0, done.stderr
    run = row(installation, "SELECT phase, items FROM connector_exportrun ORDER BY id DESC LIMIT 1")
    shown = "SELECT count(*) FROM content_item WHERE is_visible AND language = 'eng-GB'"
    assert run == ("done", *row(installation, shown))


def test_it_exports_nothing_into_the_room_that_databases_need(copy_of_demo: CopyOfDemo) -> None:
    installation = copy_of_demo()
    with small_disk(installation.var_dir / "export", options="size=212m") as disk:
        disk.fill(leave=190 * 1024 * 1024)
        said = refused(installation, disk)
        assert re.search(r"disk full. /\S+/export/\S+ has [\d,]+ bytes free, at least 209,715,200 must", said)
        disk.free()
        exports_again(installation)


def test_it_ends_an_export_whose_disk_fills_up(copy_of_demo: CopyOfDemo) -> None:
    installation = copy_of_demo(**NO_FLOOR)
    with small_disk(installation.var_dir / "export", options="size=1m") as disk:
        disk.fill(leave=100_000)
        said = refused(installation, disk)
        assert re.search(r"disk full. /\S+/export/\S+ has [\d,]+ bytes free\. Free some space", said)
        disk.free()
        exports_again(installation)


def test_it_ends_an_export_whose_disk_takes_no_more_files(copy_of_demo: CopyOfDemo) -> None:
    installation = copy_of_demo()
    with small_disk(installation.var_dir / "export", options="size=900m,nr_inodes=9") as disk:
        said = refused(installation, disk)
    assert "takes no more files (0 of 9 are left)" in said


# --- Everything on one full disk, as it is by default ---------------------------------------------


def status(installation: Installation, path: str) -> int:
    return requests.get(installation.base + path, timeout=60).status_code


def test_it_goes_on_reading_and_heals_where_everything_is_full(
    copy_of_demo: CopyOfDemo, tmp_path: Path
) -> None:
    pages = ("/", "/stories/sea-shore/", "/api/v2/10101/u1/popular.json")
    with small_disk(tmp_path / "full", options="size=64m") as disk:
        installation = copy_of_demo("full/var", **NO_FLOOR)
        with installation.serving():
            assert status(installation, "/api/10101/click/u1/39/5") == 204
            disk.fill()
            assert [status(installation, page) for page in pages] == [200, 200, 200]
            assert status(installation, "/api/10101/click/u1/39/6") == 503
            done = export(installation)
            assert done.returncode == 1
            assert re.fullmatch(
                r"The disk of the database is full \(.+\): /\S+/full/var has 0 bytes free\."
                r" Free some space and try again\.\n",
                done.stderr,
            )
            disk.free()
            assert [status(installation, page) for page in pages] == [200, 200, 200]
            assert status(installation, "/api/10101/click/u1/39/7") == 204
            # 4: the export that met the full disk had its job already, and the worker carries it on.
            assert export(installation).returncode in (0, 4)


# --- The lake and the models ----------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, settings: Any) -> Iterator[SmallDisk]:
    """The lake and the models on one disk of 2 MB."""
    with small_disk(tmp_path / "small", options="size=2m") as disk:
        settings.LAKE_ROOT = disk.path / "lake"
        settings.ARTEFACT_ROOT = disk.path / "models"
        yield disk


def track(account: Account, *, users: int, day: int = 1) -> None:
    moment = datetime.now(UTC) - timedelta(days=day)
    rows = [
        HistoricEvent(event="click", user=f"u{user}", item_type=38, item_id=str(item), ts=moment)
        for user in range(users)
        for item in range(user % 7 + 1, user % 7 + 6)
    ]
    replay.store(account.customer_id, rows)


def archived(account: Account) -> tuple[int, int]:
    """Rows in the lake, and different ones among them."""
    names = [str(path) for path in lake.files(account.customer_id)]
    [found] = duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM read_parquet({names})").fetchall()
    return found[0], found[1]


@COMMITTED
def test_it_keeps_the_lake_whole_and_catches_up(small: SmallDisk) -> None:
    account = new_account("Shop")
    track(account, users=3)
    lake.archive()
    known = files_of(small.path)
    track(account, users=200, day=2)
    track(account, users=200, day=3)

    for room in (0, 4096, 12_288, 20_480):
        small.fill(leave=room)
        assert schedule.run(schedule._entries["tracking.lake"])
        said = Periodic.objects.get(name="tracking.lake").error
        assert re.fullmatch(
            r"Events were not archived to the lake: the disk is full: /\S+/lake has [\d,]+ bytes free\."
            r" Free some space\.",
            said,
        )
        assert files_of(small.path) == known
        assert archived(account) == (15, 15)
        small.free()
        Periodic.objects.update(due_at=timezone.now())

    assert schedule.run(schedule._entries["tracking.lake"])
    assert Periodic.objects.get(name="tracking.lake").error == ""
    assert archived(account) == (2015, 2015)


def build(account: Account) -> str:
    """Build all models by the shipped command; what it printed, its error included."""
    out = StringIO()
    try:
        call_command("build_models", customer=account.customer_id, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}\n{error.returncode}: {error}"
    return out.getvalue()


@COMMITTED
def test_it_serves_the_old_models_until_there_is_room(
    small: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    account = new_account("Shop")
    track(account, users=50)
    build(account)
    builds = {(b.model_id, b.version) for b in ModelBuild.objects.filter(status="active")}
    assert len(builds) > 1
    known = files_of(small.path)

    for room in (0, 4096, 8192, 12_288, 16_384, 24_576):
        small.fill(leave=room)
        said = build(account)
        small.free()
        assert re.search(r"1: .+ was not stored: the disk is full: /\S+ has [\d,]+ bytes free\.", said), said
        assert files_of(small.path) == known
        failed = ModelBuild.objects.filter(status="failed", error__contains="disk is full")
        assert failed.exists()
        failed.delete()
        assert {(b.model_id, b.version) for b in ModelBuild.objects.filter(status="active")} == builds
    assert not [record for record in caplog.records if record.exc_info]


@COMMITTED
def test_it_builds_again_by_itself_when_the_disk_has_room(small: SmallDisk) -> None:
    account = new_account("Shop")
    track(account, users=50)
    build(account)
    old = ModelBuild.objects.get(model__identifier="top_clicked", status="active").version
    ModelBuild.objects.update(started_at=timezone.now() - timedelta(hours=1))
    small.fill()
    schedule.run(schedule._entries["engine.build_popularity"])
    queue.run_due()
    assert ModelBuild.objects.filter(status="failed", error__contains="disk is full").exists()
    assert served(account) == old

    small.free()
    Periodic.objects.update(due_at=timezone.now())
    schedule.run(schedule._entries["engine.build_popularity"])
    queue.run_due()
    assert served(account) != old
    assert not Job.objects.filter(state__in=["failed", "parked"]).exists()


def served(account: Account) -> str:
    artefacts.shelf.forget()
    found = artefacts.shelf.current(account.customer_id, "top_clicked")
    assert found is not None
    return found.version


# --- The editor and the visitor -------------------------------------------------------------------


@pytest.fixture
def nothing_fits(tmp_path: Path, settings: Any) -> Iterator[None]:
    """Exports, lake, models and cache on a disk without a free byte."""
    with small_disk(tmp_path / "full", options="size=64k") as disk:
        settings.EXPORT_ROOT = disk.path / "export"
        settings.LAKE_ROOT = disk.path / "lake"
        settings.ARTEFACT_ROOT = disk.path / "models"
        where = {"LOCATION": disk.path / "cache"}
        settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | where}
        disk.fill()
        yield
    cache.close()


@COMMITTED
@pytest.mark.usefixtures("nothing_fits")
def test_it_publishes_and_shows_a_page_all_the_same(magazine: Magazine, client: Client) -> None:  # noqa: F811
    client.force_login(User.objects.create_superuser("ana"))
    blank = dict.fromkeys(("intro", "description", "caption"), rich_text(""))
    form = nested_form_data(
        {"title": "Tide pools", "slug": "tide-pools", "rating": "0", "comments": {}, **blank}
        | {"publication_date": "2026-01-02 03:04", "action-publish": "1"}
    )
    form |= {f"comments-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    with committed():
        answer = client.post(f"/admin/pages/add/content/placepage/{magazine.places.pk}/", form)

    assert answer.status_code == 302, answer.content
    assert Item.objects.get(is_visible=True).uri == "/places/tide-pools/"
    assert client.get("/places/tide-pools/").status_code == 200
