"""From the members of an audience to the segments of our own site, through its webhook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from cdp.activations import changes, deliver
from cdp.activations.models import Activation
from cdp.models import WebhookRequest
from cdp.profiles.models import Account
from config.jobs import queue
from personalization.segments.models import Segment, SegmentGroup
from tests.cdp.activations import made

pytestmark = pytest.mark.django_db


def members(audience: str) -> set[int]:
    segment = Segment.objects.get(identifier=audience)
    return set(segment.memberships.values_list("user", flat=True))


@pytest.fixture
def activation(sites: Path, group: SegmentGroup, users: list[int], account: Account) -> Activation:
    people = [made.person(account, userid=one) for one in users[:150]]
    cats = made.audience(account, "cat_owners", *people[:3])
    dogs = made.audience(account, "dog_owners", *people)
    return made.site(cats, dogs)


def test_it_fills_the_segments_of_its_own_site(activation: Activation, users: list[int]) -> None:
    changes.mark(activation)
    run = deliver.deliver(activation.pk)
    assert run is not None
    assert (run.state, run.added, run.error) == ("done", 153, "")
    queue.run_due()
    assert members("cat_owners") == set(users[:3])
    assert members("dog_owners") == set(users[:150])
    assert Segment.objects.get(identifier="cat_owners").size == 3
    cats = activation.attachments.get(audience__identifier="cat_owners").audience
    made.calculate(cats, [])
    queue.run_due()
    assert members("cat_owners") == set()
    assert made.ledger(activation) == {("dog_owners", str(one)) for one in users[:150]}


def test_it_fills_them_again_after_it_was_made_anew(activation: Activation, users: list[int]) -> None:
    """The site remembers by which request each member changed; the credentials are those of the first."""
    changes.mark(activation)
    deliver.deliver(activation.pk)
    queue.run_due()
    audiences = [one.audience for one in activation.attachments.select_related("audience")]
    changes.delete(activation, memberships="remove")
    while queue.run_due():
        pass
    assert not Activation.objects.exists()
    assert members("cat_owners") == set()
    again = made.site(*audiences)
    changes.mark(again)
    deliver.deliver(again.pk)
    queue.run_due()
    assert members("cat_owners") == set(users[:3])
    assert members("dog_owners") == set(users[:150])


def test_it_counts_whom_the_site_does_not_know(activation: Activation, account: Account) -> None:
    cats = activation.attachments.get(audience__identifier="cat_owners").audience
    made.calculate(cats, [made.person(account, userid="nobody here")])
    run = deliver.deliver(activation.pk)
    assert run is not None
    assert (run.added, run.skipped) == (1, 1)


@pytest.mark.parametrize(
    ("config", "secret", "words"),
    [
        ({}, made.CLIENT_SECRET, "takes requests for this group (status 200)"),
        ({}, "w" * 40, "The credentials are wrong (status 401)"),
        ({"segment_group_identifier": "others"}, made.CLIENT_SECRET, "(status 403)"),
        ({"client_id": "theirs"}, "o" * 40, "(status 403)"),
    ],
)
def test_it_tries_the_connection_without_sending_anybody(
    activation: Activation, config: dict[str, Any], secret: str, words: str
) -> None:
    changes.edit(activation, config=activation.config | config, secret=secret)
    verdict = changes.try_connection(activation)
    assert words in verdict.words
    assert verdict.ok is ("200" in words)
    assert not Segment.objects.exists()


def test_it_says_that_the_group_of_the_site_is_missing(activation: Activation) -> None:
    SegmentGroup.objects.all().delete()
    assert "does not exist on this site" in changes.try_connection(activation).words


@pytest.mark.django_db(transaction=True)
def test_it_reaches_a_site_over_the_network_too(
    live_server: LiveServer, sites: Path, group: SegmentGroup, users: list[int], settings: Any
) -> None:
    settings.OUTBOUND_ALLOW = [live_server.url.removeprefix("http://")]
    account = made.account()
    people = [made.person(account, userid=one) for one in users[:5]]
    activation = made.site(
        made.audience(account, "cat_owners", *people), url=f"{live_server.url}/cdp/webhook"
    )
    changes.mark(activation)
    run = deliver.deliver(activation.pk)
    assert run is not None
    assert run.state == "done"
    assert members("cat_owners") == set(users[:5])
    assert WebhookRequest.objects.count() == 1
