"""``manage.py cdp_calculate``."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cdp.audiences.calculate import begin
from cdp.audiences.models import Audience, AudienceRun
from tests.cdp.audiences.conftest import Make
from tests.cdp.audiences.documents import did, group, last

pytestmark = pytest.mark.django_db
BUYERS = group(did("buy"))


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("cdp_calculate", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_it_calculates_all_audiences_of_an_account(make: Make) -> None:
    make("Buyers", BUYERS)
    make("Visitors", group(did("visit", window=last(30, "day"))))
    said = run("--account", "123456", "--all", "--as-of", "2025-05-01T12:00:00Z")
    assert said == (
        "123456 buyers: 2 members, 2 joined, 0 left\n"
        "123456 visitors: 2 members, 2 joined, 0 left\n"
        "2 audiences.\n"
    )
    assert set(AudienceRun.objects.values_list("trigger", flat=True)) == {"manual"}


def test_it_calculates_one_audience(make: Make) -> None:
    make("Buyers", BUYERS)
    make("Visitors", group(did("visit")))
    run("--audience", "visitors")
    assert AudienceRun.objects.get().audience.identifier == "visitors"


def test_it_calculates_what_is_due(make: Make) -> None:
    audience = make("Recent", group(did("buy", window=last(6, "hour"))))
    assert run("--due") == "0 audiences.\n"
    Audience.objects.filter(pk=audience.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert run("--due").endswith("1 audiences.\n")
    assert run("--due") == "0 audiences.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--account", "123456"],
        ["--account", "7", "--all"],
        ["--audience", "nobody"],
        ["--audience", "buyers", "--as-of", "yesterday"],
    ],
)
def test_it_ends_with_2_where_it_is_used_wrongly(make: Make, arguments: list[str]) -> None:
    make("Buyers", BUYERS)
    with pytest.raises(CommandError) as raised:
        run(*arguments)
    assert raised.value.returncode == 2
    assert not AudienceRun.objects.exists()


@pytest.mark.parametrize(("about", "code"), [("failing", 1), ("running", 4)])
def test_it_goes_on_after_one_that_cannot_be_calculated(make: Make, about: str, code: int) -> None:
    first = make("First", BUYERS)
    make("Second", BUYERS)
    more: dict[str, Any] = {"as_of": timezone.now(), "trigger": AudienceRun.Trigger.MANUAL}
    if about == "running":
        begin(first, **more)
    else:
        Audience.objects.filter(pk=first.pk).update(definition={})
    with pytest.raises(CommandError) as raised:
        run("--all")
    assert raised.value.returncode == code
    assert AudienceRun.objects.get(audience__identifier="second").state == "done"
