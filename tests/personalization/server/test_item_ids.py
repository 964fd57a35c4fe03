"""One rule for item ids at every door of the engine, and dates that can be read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from config.jobs.queue import run_due
from personalization.server import catalogues, freshness, plans
from personalization.server.items import store
from personalization.server.items.mapping import Columns
from personalization.server.models import ImportRun, StoredItem
from tests.personalization.server.conftest import (
    Account,
    Site,
    content,
    content_list,
    full_event,
    new_account,
    update_event,
)

pytestmark = pytest.mark.django_db(databases="__all__")

BIGGEST = 2_147_483_647


@pytest.fixture(autouse=True)
def _fresh() -> None:
    catalogues.catalogues.forget()
    plans.forget()
    freshness.forget()


def brought_in(client: Client, account: Account, site: Site, *items: Any) -> ImportRun:
    site.documents = {"/1": content_list(*items)}
    assert notified(client, account, full_event(site.base + "/1")).status_code == 202
    run_due(kinds=["engine.import", "engine.import_item"])
    return ImportRun.objects.latest("pk")


def notified(client: Client, account: Account, event: Any) -> Any:
    return client.post(
        f"/api/{account.customer_id}/items",
        json.dumps({"transaction": None, "events": [event]}),
        content_type="application/json",
        headers=account.headers,
    )


def ask(client: Client, account: Account, scenario: str, **query: str) -> Any:
    return client.get(f"/api/v2/{account.customer_id}/u1/{scenario}.json", query)


def recommended(client: Client, account: Account) -> list[Any]:
    answer = ask(client, account, "recently_added")
    assert answer.status_code == 200, answer.content
    return [one["itemId"] for one in answer.json()["recommendationItems"]]


def test_it_takes_the_smallest_and_the_biggest_id(client: Client, account: Account, site: Site) -> None:
    run = brought_in(client, account, site, content(1), content(str(BIGGEST)))
    assert (run.status, run.imported, run.rejected) == ("done", 2, 0)
    assert sorted(recommended(client, account)) == [1, BIGGEST]


@pytest.mark.parametrize("bad", ["9" * 30, str(BIGGEST + 1), "0", "-1", "٣", "1 ", "a", "5\x00", "9" * 5000])
def test_it_rejects_an_item_whose_id_is_none(client: Client, account: Account, site: Site, bad: str) -> None:
    run = brought_in(client, account, site, content(bad), content(7))
    assert (run.status, run.imported, run.rejected) == ("done", 1, 1)
    assert "contentId" in run.error
    assert recommended(client, account) == [7]


@pytest.mark.parametrize("bad", ["9" * 30, BIGGEST + 1, "0", "a", "5\x00"])
@pytest.mark.parametrize("action", ["UPDATE", "DELETE"])
def test_it_refuses_a_notification_about_such_an_id(
    client: Client, account: Account, bad: Any, action: str
) -> None:
    answer = notified(client, account, update_event("https://x.example/a", itemId=bad, action=action))
    assert answer.status_code == 400
    assert "events.0.itemId" in answer.content.decode()
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("bad", ["9" * 23, str(BIGGEST + 1), "0", "٣", "x"])
def test_it_refuses_such_a_context_item(client: Client, account: Account, bad: str) -> None:
    answer = ask(client, account, "detail", contextitems=f"5,{bad}")
    assert answer.status_code == 400
    assert "contextitems" in answer.content.decode()


def test_it_takes_leading_zeros_for_the_same_number_everywhere(
    client: Client, account: Account, site: Site
) -> None:
    brought_in(client, account, site, content("0012"))
    assert StoredItem.objects.get().item_id == "12"
    answer = ask(client, account, "detail", contextitems="00012,12")
    assert [one["itemId"] for one in answer.json()["contextItems"]] == [12]
    notified(client, account, update_event("", itemId="012", action="DELETE"))
    run_due(kinds=["engine.import", "engine.import_item"])
    assert not StoredItem.objects.exists()


def test_it_keeps_the_spelling_of_alphanumeric_ids(client: Client, site: Site) -> None:
    account = new_account("Remote", alphanumeric=True)
    run = brought_in(
        client, account, site, content("0012"), content("a/b c"), content("a\x00b"), content("a\nb")
    )
    assert (run.imported, run.rejected) == (2, 2)
    assert sorted(recommended(client, account)) == ["0012", "a/b c"]


def test_it_answers_with_ids_that_were_stored_under_older_rules(client: Client, account: Account) -> None:
    rows = [Columns(item_type=38, item_id=one) for one in ("9" * 30, "abc", "5")]
    store.upsert(account.customer_id, rows, language="", moment=store.moment_now())
    assert set(recommended(client, account)) == {"9" * 30, "abc", 5}


@pytest.mark.parametrize(
    "date",
    [
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59+00:00",
        -62_135_596_800,
        253_402_300_799,
        "9" * 5000,
    ],
)
@pytest.mark.parametrize("name", ["publishedDate", "validTo"])
def test_it_does_not_take_a_date_at_the_ends_of_time(
    client: Client, account: Account, site: Site, name: str, date: Any
) -> None:
    run = brought_in(client, account, site, content(1, **{name: date}), content(2))
    assert (run.status, run.imported) == ("done", 2)
    row = StoredItem.objects.get(item_id="1")
    assert (row.valid_from if name == "publishedDate" else row.valid_to) is None
    assert sorted(recommended(client, account)) == [1, 2]


@pytest.mark.parametrize("date", ["0001-01-03T00:00:00+00:00", "9999-12-29T00:00:00+00:00"])
def test_it_takes_dates_within_them(client: Client, account: Account, site: Site, date: str) -> None:
    brought_in(client, account, site, content(1, validTo=date), content(2))
    row = StoredItem.objects.get(item_id="1")
    assert row.valid_to
    assert row.valid_to.isoformat() == date
    assert 2 in recommended(client, account)


def test_it_forgets_unreadable_dates_that_are_stored_already(client: Client, account: Account) -> None:
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
    rows = [Columns(item_type=38, item_id="1", valid_from=datetime(2020, 1, 1, tzinfo=UTC))]
    if connection.vendor == "postgresql":  # SQLite did not take them
        rows.append(Columns(item_type=38, item_id="2", valid_from=early))
    store.upsert(account.customer_id, rows, language="", moment=store.moment_now())
    migration = import_module("personalization.server.migrations.0004_readable_dates")
    migration.forget_unreadable_dates(apps, SimpleNamespace(connection=connection))
    assert StoredItem.objects.get(item_id="1").valid_from
    assert len(recommended(client, account)) == len(rows)
