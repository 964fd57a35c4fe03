"""Carrying notifications out: documents come over real HTTP from a local site."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.jobs.models import Job
from config.jobs.queue import run_due
from personalization.server.models import ImportRun, StoredItem
from tests.personalization.server.conftest import (
    Account,
    Site,
    content,
    content_list,
    full_event,
    update_event,
)

pytestmark = pytest.mark.django_db


def notify(client: Client, account: Account, *events: Any, transaction: str | None = None) -> ImportRun:
    """Send a notification, run its jobs, return the last import run."""
    body = {"transaction": transaction, "events": list(events)}
    answer = client.post(
        f"/api/{account.customer_id}/items",
        json.dumps(body),
        content_type="application/json",
        headers=account.headers,
    )
    assert answer.status_code == 202, answer.content
    run_due(kinds=["engine.import", "engine.import_item"])
    return ImportRun.objects.latest("pk")


def ids() -> list[str]:
    return sorted(StoredItem.objects.values_list("item_id", flat=True))


def test_it_imports_every_file_of_a_full_export(client: Client, account: Account, site: Site) -> None:
    site.documents = {"/1": content_list(content(1), content(2)), "/2": content_list(content(3))}
    run = notify(client, account, full_event(site.base + "/1", site.base + "/2"))
    assert (run.status, run.imported, run.removed, run.rejected, run.error) == ("done", 3, 0, 0, "")
    assert ids() == ["1", "2", "3"]
    assert run.finished_at
    login = base64.b64encode(b"yc:1f3b03cd5a").decode()
    assert site.seen == [("/1", f"Basic {login}"), ("/2", f"Basic {login}")]


def test_it_removes_what_the_next_full_export_lacks(client: Client, account: Account, site: Site) -> None:
    site.documents = {"/1": content_list(content(1), content(2)), "/2": content_list(content(2, name="New"))}
    notify(client, account, full_event(site.base + "/1"))
    first_seen = StoredItem.objects.get(item_id="2").added_at
    run = notify(client, account, full_event(site.base + "/2"))
    assert (run.imported, run.removed) == (1, 1)
    row = StoredItem.objects.get()
    assert row.added_at == first_seen
    assert ["name", "TEXT", "New"] in row.attributes


def test_it_leaves_other_languages_and_types_alone(client: Client, account: Account, site: Site) -> None:
    site.documents = {"/1": content_list(content(1)), "/2": content_list(content(2))}
    notify(client, account, full_event(site.base + "/1", lang="fre-FR"))
    notify(client, account, full_event(site.base + "/2"))
    assert ids() == ["1", "2"]


def test_it_rejects_single_items_and_goes_on(client: Client, account: Account, site: Site) -> None:
    bad: list[Any] = [{"contentId": 9}, "text", content(8, contentTypeId=39), content("abc")]
    site.documents = {"/1": content_list(content(1), *bad, content(2))}
    run = notify(client, account, full_event(site.base + "/1"))
    assert (run.status, run.imported, run.rejected) == ("done", 2, 4)
    assert "contentTypeId is missing" in run.error
    assert "'abc'" in run.error


def test_it_keeps_the_old_items_when_no_new_one_can_be_read(
    client: Client, account: Account, site: Site
) -> None:
    site.documents = {"/1": content_list(content(1)), "/2": content_list("text")}
    notify(client, account, full_event(site.base + "/1"))
    run = notify(client, account, full_event(site.base + "/2"))
    assert run.status == "failed"
    assert ids() == ["1"]


def test_it_writes_nothing_when_one_file_is_missing(client: Client, account: Account, site: Site) -> None:
    site.documents = {"/1": content_list(content(1))}
    run = notify(client, account, full_event(site.base + "/1", site.base + "/2"))
    assert run.status == "failed"
    assert "/2 answered 404" in run.error
    assert ids() == []


def test_it_tries_again_when_the_site_is_unwell(client: Client, account: Account, site: Site) -> None:
    site.documents = {"/1": 503}
    run = notify(client, account, full_event(site.base + "/1"))
    assert run.status == "waiting"
    assert "503" in run.error
    site.documents = {"/1": content_list(content(1))}
    Job.objects.update(run_after=timezone.now())
    run_due(kinds=["engine.import", "engine.import_item"])
    run.refresh_from_db()
    assert (run.status, run.imported, run.error) == ("done", 1, "")


def test_it_stores_one_changed_item_with_the_token(client: Client, account: Account, site: Site) -> None:
    site.documents = {"/72?lang=eng-GB": content_list(content(72))}
    run = notify(client, account, update_event(site.base + "/72?lang=eng-GB"))
    assert (run.status, run.imported) == ("done", 1)
    assert site.seen == [("/72?lang=eng-GB", "Bearer t0ken")]


def test_it_removes_an_item_that_the_site_no_longer_shows(
    client: Client, account: Account, site: Site
) -> None:
    site.documents = {"/72": content_list(content(72))}
    notify(client, account, update_event(site.base + "/72"))
    site.documents = {"/72": 204}
    run = notify(client, account, update_event(site.base + "/72"))
    assert (run.status, run.removed) == ("done", 1)
    assert ids() == []


def test_it_removes_an_item_on_request(client: Client, account: Account, site: Site) -> None:
    site.documents = {"/72": content_list(content(72))}
    notify(client, account, update_event(site.base + "/72"))
    notify(client, account, update_event(site.base + "/72", action="DELETE"))
    assert ids() == []


def test_it_does_not_let_an_older_export_undo_a_newer_one(
    client: Client, account: Account, site: Site
) -> None:
    site.documents = {
        "/old": content_list(content(1, name="Old"), content(2)),
        "/new": content_list(content(1)),
    }
    notify(client, account, full_event(site.base + "/new"), transaction="20260102000000111")
    notify(client, account, full_event(site.base + "/old"), transaction="20260101000000111")
    assert ["name", "TEXT", "Place 1"] in StoredItem.objects.get(item_id="1").attributes


def test_it_keeps_an_item_published_while_the_export_was_written(
    client: Client, account: Account, site: Site
) -> None:
    site.documents = {"/72": content_list(content(72)), "/full": content_list(content(1))}
    notify(client, account, update_event(site.base + "/72"))
    notify(client, account, full_event(site.base + "/full"), transaction="20260101000000111")
    assert ids() == ["1", "72"]


def test_it_does_not_let_a_clock_that_is_ahead_shadow_later_updates(
    client: Client, account: Account, site: Site
) -> None:
    site.documents = {"/full": content_list(content(72)), "/72": content_list(content(72, name="Later"))}
    notify(client, account, full_event(site.base + "/full"), transaction="29990101000000111")
    notify(client, account, update_event(site.base + "/72"))
    assert ["name", "TEXT", "Later"] in StoredItem.objects.get().attributes


def test_it_refuses_private_addresses_that_nobody_named(
    client: Client, account: Account, site: Site, settings: Any
) -> None:
    settings.OUTBOUND_ALLOW = []
    site.documents = {"/1": content_list(content(1))}
    run = notify(client, account, full_event(site.base + "/1"))
    assert run.status == "failed"
    assert site.seen == []
