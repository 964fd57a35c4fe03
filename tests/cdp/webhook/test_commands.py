"""Commands for what waits: the worker of its own, its state, and what failed."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cdp.models import BulkBatch, BulkItem
from personalization.segments.models import Segment
from tests.cdp.conftest import OTHER_SECRET, Platform
from tests.cdp.webhook.state import members, work

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def send(platform: Platform, users: list[int], **changes: Any) -> None:
    assert platform.send(*[("add", "a", one) for one in users[:100]], **changes).status_code == 202


@pytest.mark.case("B15")
def test_a_worker_applies_one_batch(platform: Platform, users: list[int]) -> None:
    send(platform, users)
    assert run("cdp_worker", "--once", "--batch-size=40") == "40 items applied.\n"
    assert members("a") == set(users[:40])
    row = BulkBatch.objects.get()
    assert (row.state, row.applied, BulkItem.objects.count()) == ("running", 40, 60)
    assert run("cdp_worker", "--once", "--limit=5") == "5 items applied.\n"


def test_it_ends_at_its_limits(platform: Platform, users: list[int]) -> None:
    send(platform, users)
    assert run("cdp_worker", "--limit=70", "--batch-size=30") == "70 items applied.\n"
    assert run("cdp_worker", "--time-limit=0.01", "--sleep=0.01") == "30 items applied.\n"
    assert run("cdp_worker", "--memory-limit=1M") == "0 items applied.\n"


def test_it_works_for_one_site(platform: Platform, users: list[int]) -> None:
    send(platform, users)
    send(Platform("theirs", OTHER_SECRET), users, segment_group_identifier="others")
    assert run("cdp_worker", "--once", "--site=without_engine") == "100 items applied.\n"
    assert BulkItem.objects.filter(client_id="mine").count() == 100
    assert run("cdp_worker", "--once") == "100 items applied.\n"


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--batch-size=0", "whole number from 1 on; got '0'"),
        ("--limit=-3", "whole number from 1 on; got '-3'"),
        ("--time-limit=soon", "a number of seconds, such as 1 or 0.5; got 'soon'"),
        ("--sleep=nan", "got 'nan'"),
        ("--memory-limit=much", "a number of bytes, such as 256M; got 'much'"),
        ("--site=nowhere", "no site 'nowhere'"),
    ],
)
def test_it_says_what_is_wrong_with_an_option(sites: Path, option: str, says: str) -> None:
    with pytest.raises(CommandError) as fault:
        run("cdp_worker", option)
    assert says in str(fault.value)


def test_the_state_says_who_waits(platform: Platform, users: list[int]) -> None:
    assert run("cdp_queue_status") == "0 items wait, 0 failed.\n"
    send(platform, users)
    assert "100 items wait, 0 failed.\nThe oldest waits since" in run("cdp_queue_status")
    BulkItem.objects.update(created_at=timezone.now() - timedelta(minutes=16))
    with pytest.raises(CommandError) as fault:
        run("cdp_queue_status")
    assert fault.value.returncode == 1
    assert "longer than 15 minutes" in str(fault.value)


def test_what_failed_is_listed_shown_tried_again_and_removed(platform: Platform, users: list[int]) -> None:
    send(platform, users)
    Segment.objects.filter(audience="a").delete()
    work()
    assert "100 items failed." in run("cdp_failed")
    one = BulkItem.objects.order_by("pk")[0]
    shown = run("cdp_failed", "show", str(one.pk))
    for text in (f"add to segment {one.segment}", str(one.batch_id), "mine", "tries:      1", one.error):
        assert text in shown
    assert run("cdp_failed", "retry", str(one.pk)) == "1 items wait for the worker again.\n"
    assert BulkBatch.objects.get().state == "running"
    work()
    assert run("cdp_failed", "remove", "--all") == "100 items are forgotten.\n"
    row = BulkBatch.objects.get()
    assert (row.state, row.skipped, row.failed) == ("finished", 100, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["retry"],
        ["retry", "1", "--all"],
        ["remove", "99999999"],
        ["remove", "9" * 30],
        ["show"],
        ["show", "1"],
        ["show", "--all"],
        ["list", "1"],
    ],
)
def test_wrong_use_ends_with_two(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as fault:
        run("cdp_failed", *arguments)
    assert fault.value.returncode == 2
