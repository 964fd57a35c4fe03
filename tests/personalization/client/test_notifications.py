"""Changed and removed items are announced to every site that shows them, by the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from wagtail.models import Page, Site

from config.jobs import outbox
from config.jobs.models import Outbox as OutboxRow
from config.site_access import lookup
from content.items import announce
from content.items.record import Announcement
from content.signals import ItemRef, item_changed, item_removed

from .conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]


def ref(site: int, **changes: Any) -> ItemRef:
    plain: dict[str, Any] = {
        "site_id": site,
        "item_type": "place",
        "item_type_id": 38,
        "content_id": 72,
        "remote_id": "abc-1",
        "language": "eng-GB",
    }
    return ItemRef(**plain | changes)


def test_it_posts_an_update_with_a_token_that_opens_the_item(
    site_id: int, engine: Engine, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1, start=72)
    item_changed.send(sender=None, refs=[ref(site_id)])
    assert not engine.received

    outbox.deliver_due()

    [call] = engine.received
    assert call.path == "/api/501/items"
    assert call.json["transaction"] is None
    [event] = call.json["events"]
    assert list(event) == ["action", "format", "uri", "itemId", "contentTypeId", "lang", "credentials"]
    assert (event["action"], event["format"], event["itemId"], event["contentTypeId"]) == (
        "UPDATE",
        "EZ",
        72,
        38,
    )
    assert event["uri"] == ("https://site.example/api/ibexa/v2/personalization/v1/content/id/72?lang=eng-GB")
    answer = client.get(
        event["uri"].removeprefix("https://site.example"),
        headers={"Authorization": f"Bearer {event['credentials']['token']}"},
    )
    assert answer.status_code == 200


def test_it_posts_a_delete(site_id: int, engine: Engine) -> None:
    item_removed.send(sender=None, refs=[ref(site_id)])
    outbox.deliver_due()

    assert engine.received[0].json["events"][0]["action"] == "DELETE"


def test_it_tells_each_customer_of_its_own_language(site_id: int, engine: Engine) -> None:
    item_changed.send(sender=None, refs=[ref(site_id), ref(site_id, language="fre-FR")])
    outbox.deliver_due()

    assert sorted((call.path, call.json["events"][0]["lang"]) for call in engine.received) == [
        ("/api/501/items", "eng-GB"),
        ("/api/502/items", "fre-FR"),
    ]


def test_it_sends_only_the_newest_news_of_an_item(site_id: int, engine: Engine) -> None:
    item_changed.send(sender=None, refs=[ref(site_id)])
    item_changed.send(sender=None, refs=[ref(site_id)])
    item_removed.send(sender=None, refs=[ref(site_id)])
    outbox.deliver_due()

    assert [call.json["events"][0]["action"] for call in engine.received] == ["DELETE"]


@pytest.mark.parametrize("change", [{"item_type": "product"}, {"site_id": 4711}, {"language": "ger-DE"}])
def test_it_is_silent_about_what_no_site_exports(
    change: dict[str, Any], site_id: int, engine: Engine
) -> None:
    item_changed.send(sender=None, refs=[ref(site_id, **change)])

    assert not OutboxRow.objects.exists()


def test_it_uses_one_id_everywhere_with_remote_ids(
    site_id: int, engine: Engine, sites_file: Callable[[str], None]
) -> None:
    repository = "      repository: {{ content: {{ use_remote_id: true }} }}\n    site_fr:"
    sites_file(SITES.replace("    site_fr:", repository))
    item_changed.send(sender=None, refs=[ref(site_id)])
    outbox.deliver_due()

    event = engine.received[0].json["events"][0]
    assert event["itemId"] == "abc-1"
    assert event["uri"].endswith("/content/remote-id/abc-1?lang=eng-GB")


def test_it_waits_and_tries_again_while_the_engine_is_away(site_id: int, engine: Engine) -> None:
    engine.status = 503
    item_changed.send(sender=None, refs=[ref(site_id)])
    outbox.deliver_due()

    row = OutboxRow.objects.get()
    assert row.state == "queued"
    assert "answered 503" in row.error
    engine.status = 202
    OutboxRow.objects.update(run_after=row.created_at)
    outbox.deliver_due()
    row.refresh_from_db()
    assert row.state == "done"


def test_it_gives_up_when_the_engine_refuses(site_id: int, engine: Engine) -> None:
    engine.status = 401
    item_changed.send(sender=None, refs=[ref(site_id)])
    outbox.deliver_due()

    row = OutboxRow.objects.get()
    assert row.state == "failed"
    assert "refused the license key of customer 501" in row.error
    assert "1111-aaaa" not in row.error


def test_it_keeps_tokens_out_of_the_stored_message(site_id: int) -> None:
    item_changed.send(sender=None, refs=[ref(site_id)])

    assert not {"token", "password", "credentials"} & set(OutboxRow.objects.get().payload)


def test_it_tells_of_many_items_in_few_requests(site_id: int, engine: Engine) -> None:
    """R22: what an outage held up goes out together."""
    item_changed.send(sender=None, refs=[ref(site_id, content_id=number) for number in range(1, 251)])
    item_changed.send(sender=None, refs=[ref(site_id, content_id=number) for number in range(1, 251)])
    while outbox.deliver_due():
        pass
    assert [len(call.json["events"]) for call in engine.received] == [100, 100, 50]
    told = [event["itemId"] for call in engine.received for event in call.json["events"]]
    assert sorted(told) == list(range(1, 251)), "each once, however often it changed"
    assert (
        len({event["credentials"]["token"] for call in engine.received for event in call.json["events"]}) == 3
    )


def test_an_event_that_an_engine_will_not_have_holds_up_no_other(site_id: int, engine: Engine) -> None:
    engine.status = 400
    item_changed.send(sender=None, refs=[ref(site_id, content_id=number) for number in (1, 2)])
    outbox.deliver_due()
    assert [len(call.json["events"]) for call in engine.received] == [2, 1, 1]
    assert {row.state for row in OutboxRow.objects.all()} == {"failed"}


def test_sites_whose_names_begin_alike_never_share_a_request(
    site_id: int, engine: Engine, sites_file: Callable[[str], None]
) -> None:
    sites_file(SITES.replace("site_en:", "shop:").replace("site_fr:", "'shop:eu':"))
    item_changed.send(sender=None, refs=[ref(site_id), ref(site_id, language="fre-FR")])
    while outbox.deliver_due():
        pass
    told = [(call.path, [event["lang"] for event in call.json["events"]]) for call in engine.received]
    assert sorted(told) == [("/api/501/items", ["eng-GB"]), ("/api/502/items", ["fre-FR"])]


def test_it_takes_back_a_type_that_left_code_and_sites_file_at_once(
    site_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {"item_type": "museum", "item_type_id": 99}
    item_changed.send(sender=None, refs=[ref(site_id, **gone)])
    assert not OutboxRow.objects.exists()
    item_removed.send(sender=None, refs=[ref(site_id, **gone)])
    assert [row.payload["item_type_id"] for row in OutboxRow.objects.all()] == [99]


def test_it_takes_back_the_items_of_a_deleted_site(
    site_id: int, sites_file: Callable[[str], None], engine: Engine
) -> None:
    second = Site.objects.create(hostname="second.test", root_page=Page.objects.get(depth=1))
    entry = "site_name: French"
    sites_file(SITES.replace(entry, f"{entry}\n      root: second.test"))
    gone = second.pk
    second.delete()
    news = ref(gone, language="fre-FR")
    item_changed.send(sender=None, refs=[news])
    assert not OutboxRow.objects.exists()
    item_removed.send(sender=None, refs=[news, ref(gone, content_id=73)])
    outbox.deliver_due()
    [call] = engine.received
    assert call.path == "/api/502/items"
    assert [(event["action"], event["itemId"]) for event in call.json["events"]] == [("DELETE", 72)]


def test_news_wait_while_the_sites_file_is_broken(
    site_id: int, sites_file: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process does that starts with a broken file, which has no last good one."""
    monkeypatch.setattr(lookup, "_snapshot", lookup.Snapshot())
    (tmp_path / "sites.yaml").write_text("personalization: [")
    row = Announcement.objects.create(changed=[asdict(ref(site_id))], removed=[])
    for _ in range(announce.MAX_TRIES + 1):
        assert not announce.tell(row.pk)
    sites_file(SITES)
    assert announce.tell(row.pk)
    assert [one.payload["content_id"] for one in OutboxRow.objects.all()] == [72]
    assert not Announcement.objects.exists()
