"""The outbox in the back office: what it shows, and sending again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from config.jobs import outbox, queue
from config.jobs.models import Outbox, State
from content.signals import ItemRef, item_changed, item_removed
from tests.personalization.client.conftest import Engine, engine, export_root, make_items, site_id, sites_file

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("sites_file")]
__all__ = ["engine", "export_root", "make_items", "site_id", "sites_file"]  # fixtures
LIST = "/admin/personalization/outbox/"


@pytest.fixture
def boss() -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "a long enough password"))
    return client


@pytest.fixture
def refused(site_id: int, engine: Engine) -> Outbox:
    """A message that an engine refused for good."""
    engine.status = 403
    tell(site_id, 72)
    outbox.deliver_due()
    row = Outbox.objects.get()
    assert row.state == State.FAILED
    return row


def tell(site_id: int, content_id: int, signal: Any = item_changed) -> None:
    ref = ItemRef(
        site_id=site_id,
        item_type="place",
        item_type_id=38,
        content_id=content_id,
        remote_id="r",
        language="eng-GB",
    )
    signal.send(sender=None, refs=[ref])


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_it_says_what_was_told_how_often_it_was_tried_and_why_it_stopped(
    boss: Client, refused: Outbox
) -> None:
    page = text(boss.get(LIST))
    assert "Place 72: UPDATE eng-GB" in page
    assert "refused the license key of customer 501 (403)" in page
    assert f"{LIST}resend/{refused.pk}/" in page
    assert "Send again" in page
    detail = text(boss.get(f"{LIST}inspect/{refused.pk}/"))
    assert "403" in detail


def test_it_sends_one_again(boss: Client, refused: Outbox, engine: Engine) -> None:
    assert "“Place 72: UPDATE eng-GB”" in text(boss.get(f"{LIST}resend/{refused.pk}/"))
    engine.status = 202
    answer = boss.post(f"{LIST}resend/{refused.pk}/", follow=True)
    assert "sent as soon as a worker is free" in text(answer)
    outbox.deliver_due()
    refused.refresh_from_db()
    assert (refused.state, refused.response_status, refused.error) == (State.DONE, 202, "")
    assert "needs no sending" in text(boss.post(f"{LIST}resend/{refused.pk}/", follow=True))


def test_it_sends_a_message_now_that_waits_for_its_next_try(
    boss: Client, site_id: int, engine: Engine
) -> None:
    engine.status = 503
    tell(site_id, 72)
    outbox.deliver_due()
    assert outbox.deliver_due() == 0
    row = Outbox.objects.get()
    assert "Send now" in text(boss.get(LIST))
    boss.post(f"{LIST}resend/{row.pk}/")
    engine.status = 202
    assert outbox.deliver_due() == 1


def test_it_sends_all_again_that_stopped(boss: Client, refused: Outbox, site_id: int, engine: Engine) -> None:
    tell(site_id, 73, item_removed)
    outbox.deliver_due()
    assert "Send all again" in text(boss.get(LIST))
    asked = text(boss.get(f"{LIST}resend/all/"))
    assert "Send 2 messages again" in asked
    assert "Send all again" in asked
    engine.status = 202
    engine.received.clear()
    assert "2 messages are sent again." in text(boss.post(f"{LIST}resend/all/", follow=True))
    queue.run_due()
    outbox.deliver_due()
    [call] = engine.received
    assert len(call.json["events"]) == 2
    assert "Send all again" not in text(boss.get(LIST))


def test_it_does_not_send_what_a_newer_message_says(
    boss: Client, refused: Outbox, site_id: int, engine: Engine
) -> None:
    tell(site_id, 72, item_removed)
    engine.status = 202
    outbox.deliver_due()
    assert "a newer one said what it says" in text(boss.post(f"{LIST}resend/{refused.pk}/", follow=True))


@pytest.mark.parametrize(("codename", "may_send"), [("view_outbox", False), ("change_outbox", True)])
def test_it_asks_for_the_permission(
    codename: str,
    may_send: bool,  # noqa: FBT001 - parametrised
    refused: Outbox,
    client: Client,
) -> None:
    group = Group.objects.create(name="g")
    group.permissions.add(
        Permission.objects.get(codename="access_admin"), Permission.objects.get(codename=codename)
    )
    user = User.objects.create_user("ed", password="a long enough password")
    user.groups.add(group)
    client.defaults["HTTP_HOST"] = "localhost"
    client.force_login(user)
    answer = client.post(f"{LIST}resend/{refused.pk}/")
    refused.refresh_from_db()
    assert (refused.state == State.QUEUED) == may_send
    if not may_send:
        assert answer.status_code in (302, 403)
        assert "Send again" not in text(client.get(LIST))


def test_it_lists_with_a_fixed_number_of_queries(
    boss: Client, site_id: int, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(30):
        tell(site_id, number + 1)
    boss.get(LIST)
    with django_assert_max_num_queries(14):
        assert text(boss.get(LIST)).count("UPDATE eng-GB") >= 30
