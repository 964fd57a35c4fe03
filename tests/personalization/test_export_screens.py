"""Exports that are started and stopped in the back office."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from config.jobs import queue
from config.jobs.models import Job, State
from personalization.client.models import ExportRun
from tests.personalization.client.conftest import Engine, engine, export_root, make_items, site_id, sites_file

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("sites_file", "export_root"),
]

__all__ = ["engine", "export_root", "make_items", "site_id", "sites_file"]  # fixtures
NEW = "/admin/personalization/exports/new/"


@pytest.fixture
def boss() -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "a long enough password"))
    return client


def said(client: Client, answer: Any) -> str:
    return " ".join(client.get(answer["Location"]).content.decode().split())


def test_it_exports_a_small_site_at_once(
    boss: Client, make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    make_items(3)
    form = boss.get(NEW).content.decode()
    assert "501 (English)" in form
    assert "502 (French)" in form

    answer = boss.post(NEW, {"customer": "0"})

    run = ExportRun.objects.get()
    assert (run.customer_id, run.phase, run.items) == ("501", "done", 3)
    assert "Exported 3 items; the engine answered 202 and fetches them now." in said(boss, answer)
    assert len(engine.received) == 1


def test_it_leaves_a_large_site_to_a_worker(
    boss: Client, make_items: Callable[..., None], engine: Engine, sites_file: Any
) -> None:
    from tests.personalization.client.conftest import SITES

    sites_file(SITES.replace("host_uri:", "export: {{ async_threshold: 3 }}\n      host_uri:"))
    make_items(3)
    answer = boss.post(NEW, {"customer": "0"})
    run = ExportRun.objects.get()
    assert f"is left to a worker, as job {run.job_id}." in (page := said(boss, answer))
    assert "waits for a worker" in page
    assert not engine.received

    assert "already running" in boss.post(NEW, {"customer": "0"}).content.decode()

    queue.run_due(kinds=["export"])
    run.refresh_from_db()
    assert (run.phase, run.items) == ("done", 3)


def test_it_says_why_an_export_failed(boss: Client, make_items: Callable[..., None], engine: Engine) -> None:
    make_items(1)
    engine.status = 401
    answer = boss.post(NEW, {"customer": "0"})
    assert "refused the license key of customer 501 (401)" in said(boss, answer)


def test_it_stops_an_export_that_waits_and_lets_the_next_begin(
    boss: Client, make_items: Callable[..., None], engine: Engine, sites_file: Any
) -> None:
    from tests.personalization.client.conftest import SITES

    sites_file(SITES.replace("host_uri:", "export: {{ async_threshold: 0 }}\n      host_uri:"))
    make_items(1)
    boss.post(NEW, {"customer": "0"})
    run = ExportRun.objects.get()
    stop = f"/admin/personalization/exports/cancel/{run.pk}/"
    assert stop in boss.get("/admin/personalization/exports/").content.decode()
    assert "Yes, stop it" in boss.get(stop).content.decode()
    run.refresh_from_db()
    assert run.phase == "writing"  # asking changes nothing

    assert "The export is being stopped." in said(boss, boss.post(stop))

    run.refresh_from_db()
    assert (run.phase, run.error) == ("failed", "The export was stopped by a person.")
    assert Job.objects.get(pk=run.job_id).state == State.CANCELLED
    assert queue.run_due(kinds=["export"]) == 0
    boss.post(NEW, {"customer": "0"})
    assert ExportRun.objects.filter(phase="writing").count() == 1


def test_it_asks_for_the_right_to_start_and_to_stop(make_items: Callable[..., None], engine: Engine) -> None:
    user = User.objects.create_user("eve", password="a long enough password")
    wanted = ["access_admin", "view_exportrun"]
    user.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    run = ExportRun.objects.create(customer_id="501", site_name="site_en", folder="f")
    page = client.get("/admin/personalization/exports/")
    assert page.status_code == 200
    assert "exports/new/" not in page.content.decode()
    for address in (NEW, f"/admin/personalization/exports/cancel/{run.pk}/"):
        assert client.post(address, {"customer": "0"}).status_code == 403
    run.refresh_from_db()
    assert run.phase == "writing"
    assert not Job.objects.filter(kind="export").exists()
    assert not engine.received
