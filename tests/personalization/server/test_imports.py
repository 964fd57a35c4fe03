"""Carrying notifications out: documents come over real HTTP from a local site."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.jobs import queue
from config.jobs.models import Job, State
from config.jobs.queue import run_due
from personalization.contracts import Credentials
from personalization.server.items import export, store
from personalization.server.items.mapping import Columns
from personalization.server.items.orders import Order, Outcome, store_items
from personalization.server.models import ImportRun, RemovedItem, StoredItem
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


def test_it_stores_the_good_items_beside_one_of_the_year_one(
    client: Client, account: Account, site: Site
) -> None:
    early = content(1, publishedDate="0001-01-01T00:00:00+14:00")
    site.documents = {"/1": content_list(early, content(2))}
    run = notify(client, account, full_event(site.base + "/1"))
    assert (run.status, run.imported) == ("done", 2)


def test_it_stores_paths_without_the_characters_that_no_database_takes(
    client: Client, account: Account, site: Site
) -> None:
    paths = ["/1/\x00/2/", "\x00", "/" + "9/" * 600]
    fields = dict.fromkeys(["name", "identifier", "uri", "image", "author", "caption"], "a\x00b")
    site.documents = {"/1": content_list(content(1, categoryPath=paths, **fields))}
    run = notify(client, account, full_event(site.base + "/1"))
    assert (run.status, run.imported) == ("done", 1)
    assert StoredItem.objects.get().category_paths == ["1//2"]


def test_it_stores_the_others_when_the_database_refuses_one(account: Account) -> None:
    rows = [Columns(item_type=2**63, item_id="1"), Columns(item_type=38, item_id="2")]
    run = ImportRun(customer_id=account.customer_id, action="FULL", item_type=38, language="eng-GB")
    order = Order(run=run, moment="20260101000000111", uris=[], credentials=Credentials(), alphanumeric=False)
    outcome = Outcome()
    store_items(rows, order, outcome=outcome)
    assert (outcome.imported, outcome.rejected) == (1, 1)
    assert "Item '1' cannot be stored" in outcome.sentences
    assert ids() == ["2"]


def test_it_says_how_an_import_ended_that_nobody_foresaw(
    client: Client, account: Account, site: Site, settings: Any, tmp_path: Path
) -> None:
    site.documents = {"/1": content_list(content(1))}
    settings.OUTBOUND_ALLOW = None  # a mistake in the installation that no code expects
    run = notify(client, account, full_event(site.base + "/1"))
    assert (run.status, bool(run.finished_at)) == ("failed", True)
    assert "It is tried again soon. TypeError: " in run.error
    settings.OUTBOUND_ALLOW = [site.base.removeprefix("http://")]
    Job.objects.update(run_after=timezone.now())
    run_due(kinds=["engine.import", "engine.import_item"])
    run.refresh_from_db()
    assert (run.status, run.imported, run.error) == ("done", 1, "")


def test_it_waits_for_room_on_the_disk(
    client: Client, account: Account, site: Site, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    settings.VAR_DIR = tmp_path / "file"
    site.documents = {"/1": content_list(content(1))}
    run = notify(client, account, full_event(site.base + "/1"))
    assert run.status == "waiting"
    assert "The import could not begin" in run.error


@pytest.mark.django_db(transaction=True)
def test_it_says_that_an_import_was_cancelled(client: Client, account: Account, site: Site) -> None:
    def cancel() -> None:
        Job.objects.update(state=State.CANCELLED)
        connection.close()

    site.documents = {"/1": content_list(content(1)), "/2": content_list(content(2))}
    site.on_request["/2"] = cancel
    run = notify(client, account, full_event(site.base + "/1", site.base + "/2"))
    assert (run.status, run.error) == ("failed", "The import was cancelled.")
    assert ids() == []


def test_it_keeps_a_few_reasons_however_many_items_are_rejected(
    client: Client, account: Account, site: Site
) -> None:
    site.documents = {"/1": content_list(content(1), *[content("x")] * 50)}
    run = notify(client, account, full_event(site.base + "/1"))
    assert (run.imported, run.rejected) == (1, 50)
    assert len(run.error.splitlines()) == 21
    assert run.error.endswith("30 more items were rejected.")


def test_it_limits_what_all_files_hold_together(
    client: Client, account: Account, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.documents = {"/0": content_list(content(9)), "/1": content_list(content(1), content(2))}
    notify(client, account, full_event(site.base + "/0"))
    size = len(json.dumps(site.documents["/1"]))
    monkeypatch.setattr(export, "MAX_EXPORT_BYTES", 2 * size - 1)
    run = notify(client, account, full_event(site.base + "/1", site.base + "/1", site.base + "/1"))
    assert run.status == "failed"
    assert f"The first 2 of 3 files hold {2 * size} bytes" in run.error
    assert ids() == ["9"]


def test_it_brings_every_column_through_the_stage(client: Client, account: Account, site: Site) -> None:
    item = content(1, price="12.4500", currency="chf", validTo="2035-01-01T00:00:00.250+02:00")
    site.documents = {"/1": content_list(item)}
    notify(client, account, full_event(site.base + "/1"))
    row = StoredItem.objects.get()
    assert (row.price, row.currency) == (Decimal("12.45"), "CHF")
    assert row.valid_from == datetime(2015, 9, 17, 13, 24, 25, tzinfo=UTC)
    assert row.valid_to == datetime(2034, 12, 31, 22, 0, 0, 250_000, tzinfo=UTC)
    assert (row.uri, row.image, row.type_identifier) == ("/places/1", "/media/1.jpg", "place")
    assert ["author", "NOMINAL", "Michael Wang"] in row.attributes


def test_it_removes_what_an_export_lacks_at_one_revision(
    client: Client, account: Account, site: Site
) -> None:
    many = [content(one) for one in range(1, store.BATCH + 3)]
    site.documents = {"/1": content_list(*many), "/2": content_list(content(1))}
    notify(client, account, full_event(site.base + "/1"))
    run = notify(client, account, full_event(site.base + "/2"))
    assert (run.imported, run.removed) == (1, store.BATCH + 1)
    assert len(set(RemovedItem.objects.values_list("revision", flat=True))) == 1


def test_it_says_that_an_import_took_its_workers_with_it(
    client: Client, account: Account, site: Site
) -> None:
    site.documents = {"/1": 503}
    run = notify(client, account, full_event(site.base + "/1"))
    for _ in range(queue.MAX_ATTEMPTS - 1):
        Job.objects.update(state=State.QUEUED, run_after=timezone.now())
        assert queue.claim()
    ImportRun.objects.update(status=ImportRun.Status.RUNNING)  # as a killed worker leaves it
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    run_due(kinds=["engine.import"])
    run.refresh_from_db()
    assert (run.status, bool(run.finished_at)) == ("failed", True)
    assert "Its worker died 5 times" in run.error
