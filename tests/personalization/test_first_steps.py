"""The first steps tick themselves, and the hard words have a meaning."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.template import Context, Template
from django.test import Client
from django.utils import timezone, translation

from cdp.audiences.models import Audience
from cdp.dataflows.models import Dataflow
from cdp.profiles import accounts
from config import glossary, onboarding
from personalization.client.models import ExportRun
from personalization.server.models import ImportRun, StoredItem
from tracking.models import Event

pytestmark = pytest.mark.django_db(databases="__all__")

ROOT = Path(__file__).resolve().parents[2]


def logged_in(*permissions: str, superuser: bool = False) -> Client:
    user = User.objects.create_user("new", is_superuser=superuser)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["access_admin", *permissions]))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def states() -> dict[str, bool]:
    return {one.name: one.done() for one in onboarding.all_steps()}


def live_events(count: int) -> None:
    now = time.time_ns() // 1000
    for _number in range(count):
        Event.objects.create(customer_id="501", event="click", ts=now, received=now)


def test_each_step_ticks_itself_when_it_has_happened(admin_client: Client) -> None:
    assert states() == dict.fromkeys(
        ["content", "events", "publish", "export", "people", "audience", "activation", "look"], False
    )
    now = timezone.now()
    StoredItem.objects.create(
        customer_id="501", item_type=38, item_id="1", language="en", added_at=now, updated_at=now
    )
    live_events(3)
    ImportRun.objects.create(customer_id="501", action="UPDATE", item_type=38, item_id="1", status="done")
    account = accounts.create(654321, name="Shop")
    Dataflow.objects.create(account=account, name="Users", status="active")
    Audience.objects.create(account=account, name="All", identifier="all", definition={})
    admin_client.post("/admin/customer-data/view-as/?path=/", headers={"host": "localhost"})

    done = states()

    assert {name for name, is_done in done.items() if not is_done} == {"export", "activation"}


def test_a_past_that_was_taken_in_is_no_visitor() -> None:
    now = time.time_ns() // 1000
    for minutes in range(1, 10):
        Event.objects.create(customer_id="501", event="click", ts=now - minutes * 60_000_000, received=now)
    assert not states()["events"]
    live_events(3)
    assert states()["events"]


def test_an_export_of_a_command_is_not_one_that_somebody_asked_for_here() -> None:
    ExportRun.objects.create(customer_id="501", site_name="site_en", folder="f", phase="done")
    assert not states()["export"]


def test_the_home_page_shows_them_until_they_are_put_away() -> None:
    client = logged_in(superuser=True)
    assert "0 of 8 done" in client.get("/admin/").content.decode()

    client.patch("/admin/dismissibles/", '{"lodestar_first_steps": true}', content_type="application/json")

    assert "of 8 done" not in client.get("/admin/").content.decode()
    assert "0 of 8 done" in client.get("/admin/first-steps/").content.decode()


def test_nobody_is_asked_for_what_he_may_not_do() -> None:
    page = logged_in("view_audience").get("/admin/first-steps/").content.decode()
    assert re.findall(r'<li id="([a-z]+)">', page) == ["audience"]


def test_each_step_leads_to_a_page_that_opens(admin_client: Client) -> None:
    page = admin_client.get("/admin/", headers={"host": "localhost"}).content.decode()
    panel = page.partition('class="lodestar-steps"')[2].partition("</ol>")[0]
    links = re.findall(r'href="(/[^"]+)"', panel)
    assert len(links) == 16
    for link in links:
        answer = admin_client.get(link, headers={"host": "localhost"}, follow=True)
        assert answer.status_code == 200, link


def test_each_word_of_the_glossary_is_in_the_docs_with_the_same_meaning(admin_client: Client) -> None:
    with translation.override("en"):
        rows = [f"**{one.word}**\n: {one.meaning}" for one in glossary.all_terms()]
    assert (ROOT / "docs" / "glossary.md").read_text().partition("\n\n")[2].strip() == "\n\n".join(rows)
    page = admin_client.get("/admin/glossary/", headers={"host": "localhost"}).content.decode()
    assert all(f'<div id="{one.slug}">' in page for one in glossary.all_terms())


def test_a_question_mark_leads_to_the_meaning() -> None:
    shown = Template('{% load glossary %}{% term "scenario" %}').render(Context())
    assert 'href="/admin/glossary/#scenario"' in shown
    with pytest.raises(KeyError):
        Template('{% load glossary %}{% term "nothing" %}').render(Context())
