"""Every change of the back office leaves an entry in Wagtail's log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.core import serializers
from django.test import Client
from django.urls import get_resolver, reverse
from wagtail.log_actions import registry
from wagtail.models import ModelLogEntry

from cdp.audiences.models import Audience
from cdp.profiles.models import Account
from personalization.screens import audit
from personalization.screens.page import Page
from personalization.segments.models import Segment, SegmentGroup
from tests.cdp.conftest import SECRET
from tests.cdp.dataflows.conftest import Feed
from tests.cdp.screens.test_audience_builder import IN_OSLO
from tests.cdp.screens.wizard import create

pytestmark = pytest.mark.django_db


def pages(kind: type[Page] = Page) -> Iterator[type[Page]]:
    for one in kind.__subclasses__():
        yield one
        yield from pages(one)


def test_every_action_of_a_page_has_words_in_the_log_or_a_reason_for_none() -> None:
    assert len(get_resolver().url_patterns)  # the pages are loaded
    used: set[str] = set()
    for page in pages():
        for action in page.actions:
            if action in page.unlogged:
                assert len(page.unlogged[action].split()) > 2, (page, action)
                continue
            name = audit.name_of(page.logged.get(action, action))
            used.add(name)
            assert registry.action_exists(name), (page, action)
            makes = page.subject is Page.subject
            assert not makes or name == audit.CREATE, (page, action)
        assert {*page.unlogged, *page.logged} <= {*page.actions}, page
    told = {audit.name_of(name) for name in (*audit.OWN, *audit.USUAL)}
    assert told - used <= {audit.name_of(name) for name in ("export_person", "refused_rows", "add_schema")}


def done() -> list[tuple[str, str]]:
    """Actions and labels since it was asked for last, each by the one user."""
    found = [(one.action, one.label) for one in ModelLogEntry.objects.order_by("pk") if one.user_id]
    ModelLogEntry.objects.all().delete()
    return [(action.removeprefix("lodestar."), label) for action, label in found]


def test_it_says_what_was_done_and_holds_no_secret(admin: Client, feed: Feed, account: Account) -> None:
    def post(page: str, *keys: Any, **sent: Any) -> None:
        assert admin.post(reverse(page, args=keys), sent).status_code == 302

    post("cdp_dataflow_new", action="save", account=account.pk, name="Orders", source="stream_file")
    schema, flow = feed.prepare(), feed.flow.pk
    post("cdp_dataflow_download", flow, action="rotate")
    post("cdp_dataflow", flow, action="clone")
    post("cdp_dataflow", flow, action="delete")
    post("cdp_schema", schema.pk, action="rename", name="People")
    given = {"name": "Osloers", "definition": orjson.dumps(IN_OSLO).decode(), "account": account.pk}
    post("cdp_audience_new", action="save", **given)
    audience = Audience.objects.get()
    post("cdp_audience", audience.pk, action="refresh")
    assert done() == [
        ("wagtail.create", "Orders"),
        ("rotate", "Users"),
        ("clone", "Users 2"),
        ("wagtail.delete", "Users"),
        ("wagtail.edit", "People"),
        ("wagtail.create", "Osloers"),
    ]
    assert admin.post(reverse("cdp_audience", args=[audience.pk]), {"action": "save"}).status_code == 422
    assert done() == []
    create(admin, audience)
    activation = audience.attachments.get().activation_id
    post("cdp_activation", activation, action="pause")
    admin.post(reverse("cdp_activation", args=[activation]), {"action": "rotate", "secret": "n" * 40})
    stored = serializers.serialize("json", ModelLogEntry.objects.all())
    assert SECRET not in stored
    assert "n" * 40 not in stored
    assert done() == [("wagtail.create", "Site"), ("pause", "Site"), ("rotate", "Site")]


def test_it_logs_what_is_done_with_forms_of_wagtail(admin: Client) -> None:
    admin.post(reverse("segment_groups:add"), {"name": "Ours", "identifier": "ours"})
    group = SegmentGroup.objects.get()
    admin.post(reverse("segments:add"), {"name": "Cats", "identifier": "cats", "group": group.pk})
    segment = Segment.objects.get()
    admin.post(reverse("segments:delete", args=[segment.pk]))
    assert [action for action, _label in done()] == ["wagtail.create", "wagtail.create", "wagtail.delete"]
    admin.post(reverse("segment_groups:delete", args=[group.pk]))
    assert done() == [("wagtail.delete", "Ours")]
