"""The log of the webhook: what was taken, what became of it, and replaying what failed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp.models import BulkBatch, BulkItem, WebhookRequest
from cdp.webhook import failed
from config.jobs.models import Periodic
from config.jobs.worker import HEARTBEAT
from personalization.segments.models import Segment
from tests.cdp.conftest import SECRET, Platform
from tests.cdp.screens.conftest import somebody
from tests.cdp.screens.test_data_manager import is_refused, words
from tests.cdp.webhook.state import members, work

pytestmark = pytest.mark.django_db
LOG = "cdp_webhook:index"


def address(row: WebhookRequest) -> str:
    return reverse("cdp_webhook_request", args=[row.pk])


def post(client: Client, row: WebhookRequest, action: str, **fields: Any) -> Any:
    return client.post(address(row), fields | {"action": action}, follow=True)


@pytest.fixture
def parked(platform: Platform, users: list[int]) -> WebhookRequest:
    """A request of 100 actions, of which three failed for good: their segment was gone for a while."""
    actions = [("add", "a" if n < 97 else "b", one) for n, one in enumerate(users[:100])]
    platform.send(*actions)
    BulkItem.objects.filter(segment=Segment.objects.get(audience="b").pk).update(segment=10**9)
    work()
    BulkItem.objects.update(segment=Segment.objects.get(audience="b").pk)
    assert failed.failed().count() == 3
    return WebhookRequest.objects.get()


def test_it_lists_what_was_taken_and_what_became_of_it(
    admin: Client, platform: Platform, users: list[int], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    platform.send(("add", "a", users[0]), ("remove", "a", users[1]), ("add", "a", "nobody"))
    platform.send(*[("add", "a", one) for one in users[:100]])
    platform.send()
    admin.get(reverse(LOG))
    with django_assert_max_num_queries(22):  # those of the frame of the back office included
        text = words(admin.get(reverse(LOG)))
    for part in ("r1", "mine", "1 applied, 1 unchanged, 1 skipped", "100 wait", "nothing to do"):
        assert part in text
    assert "100 actions wait for a worker" in text
    assert "No worker has been seen." in text
    assert "python manage.py work" in text
    assert SECRET not in text
    Periodic.objects.create(name=HEARTBEAT, last_run=timezone.now())
    work()
    text = words(admin.get(reverse(LOG)))
    assert "99 applied, 1 unchanged" in text
    assert "No action waits." in text
    assert "python manage.py work" not in text
    found = words(admin.get(reverse(LOG), {"q": "r1"}))
    assert set(re.findall(r">\s*(r\d)\s*<", found)) == {"r1"}


def test_it_says_what_to_do_where_nothing_came(admin: Client, platform: Platform) -> None:
    assert "No request was taken yet" in words(admin.get(reverse(LOG)))


def test_it_says_which_actions_were_skipped_and_why(
    admin: Client, platform: Platform, users: list[int]
) -> None:
    platform.send(("add", "a", users[0]), ("add", "a", "nobody"))
    text = words(admin.get(address(WebhookRequest.objects.get())))
    assert "Action 2: nobody here is meant by it" in text
    assert "at once" in text


def test_it_replays_one_action_that_failed_and_then_all(
    admin: Client, parked: WebhookRequest, users: list[int]
) -> None:
    assert "3 actions" in words(admin.get(reverse(LOG)))
    text = words(admin.get(address(parked)))
    assert "The segment of this item is gone." in text
    assert "Replay all 3 failed actions" in text
    one = failed.failed().first()
    assert one is not None
    answer = post(admin, parked, "replay", item=one.pk)
    assert "1 action waits for the worker again." in words(answer)
    work()
    assert members("b") == {one.user}
    assert "settled meanwhile" in words(post(admin, parked, "replay", item=one.pk))
    assert "2 actions wait" in words(post(admin, parked, "replay_all"))
    work()
    assert members("b") == set(users[97:100])
    row = BulkBatch.objects.get()
    assert (row.applied, row.failed, row.state) == (100, 0, "finished")
    assert "All of its actions are settled" in words(admin.get(address(parked)))


def test_it_gives_one_up(admin: Client, parked: WebhookRequest) -> None:
    one = failed.failed().first()
    assert one is not None
    assert "1 action is given up." in words(post(admin, parked, "give_up", item=one.pk))
    assert BulkBatch.objects.get().skipped == 1
    assert "those that were given up" in words(admin.get(address(parked)))


@pytest.mark.parametrize("item", ["", "abc", "-1", "9" * 30, "1e3"])
def test_it_changes_nothing_for_an_action_that_is_none(
    admin: Client, parked: WebhookRequest, item: str
) -> None:
    assert "settled meanwhile" in words(post(admin, parked, "replay", item=item))
    assert failed.failed().count() == 3


def test_it_replays_only_what_belongs_to_the_request(
    admin: Client, parked: WebhookRequest, platform: Platform, users: list[int]
) -> None:
    platform.send(("add", "a", users[0]))
    other = WebhookRequest.objects.order_by("pk").last()
    assert other is not None
    for action in ("replay", "replay_all", "give_up"):
        post(admin, other, action, item=failed.failed()[0].pk)
    assert failed.failed().count() == 3


def test_it_shows_users_to_those_who_may_see_users(parked: WebhookRequest, users: list[int]) -> None:
    name = f"u97 ({users[97]})"
    assert name not in words(somebody("view_webhookrequest").get(address(parked)))
    assert name in words(somebody("view_webhookrequest", "view_user").get(address(parked)))


def test_it_shows_and_does_only_what_somebody_may(parked: WebhookRequest) -> None:
    looker = somebody("view_webhookrequest")
    text = words(looker.get(address(parked)))
    assert 'value="replay"' not in text
    assert 'value="replay_all"' not in text
    assert looker.get(reverse(LOG)).status_code == 200
    for action in ("replay", "replay_all", "give_up"):
        assert is_refused(looker.post(address(parked), {"action": action}))
    nobody = somebody("view_audience")
    assert is_refused(nobody.get(reverse(LOG)))
    assert is_refused(nobody.get(address(parked)))
    assert failed.failed().count() == 3


def test_it_says_so_where_the_counts_are_gone(admin: Client, parked: WebhookRequest) -> None:
    BulkBatch.objects.all().delete()
    assert "kept for a week only" in words(admin.get(address(parked)))
    assert "not kept any more" in words(admin.get(reverse(LOG)))
    BulkItem.objects.all().delete()
    assert "settled meanwhile" in words(post(admin, parked, "replay_all"))


def test_it_says_how_long_the_oldest_waits(admin: Client, platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "a", one) for one in users[:100]])
    BulkItem.objects.update(created_at=timezone.now() - timedelta(minutes=20))
    text = words(admin.get(address(WebhookRequest.objects.get())))
    assert "the oldest came 20\xa0minutes ago" in text
    assert "•••" not in text
