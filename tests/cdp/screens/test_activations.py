"""The wizard of activations, and the page of one: what is delivered, what waits, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp.activations import changes, deliver, own, standing
from cdp.activations.models import Activation, ActivationAudience, DeliveryRun, SentRequest
from cdp.audiences.models import Audience
from cdp.models import WebhookRequest
from cdp.profiles import accounts
from cdp.profiles.models import Account
from config import site_access
from config.http import breaker
from config.jobs import queue
from config.jobs.models import Periodic
from config.jobs.worker import HEARTBEAT
from personalization.segments.models import Segment, SegmentGroup
from tests.cdp.activations import made
from tests.cdp.activations.receivers import Receiver, receiver
from tests.cdp.conftest import SECRET, SITES
from tests.cdp.screens.conftest import somebody
from tests.cdp.screens.test_data_manager import is_refused, words
from tests.cdp.screens.wizard import create, typed

pytestmark = pytest.mark.django_db
NEW = "cdp_activation_new"
OWN = "own:mine"


@pytest.fixture(autouse=True)
def _no_open_breakers() -> Iterator[None]:
    breaker.reset()
    yield
    breaker.reset()


@pytest.fixture
def far(settings: Any) -> Iterator[Receiver]:
    with receiver() as state:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{state.port}"]
        yield state


@pytest.fixture
def audience(account: Account) -> Audience:
    people = [made.person(account, userid=number) for number in (1, 2)]
    return made.audience(account, "cat_owners", *people, made.person(account, email="a@example.org"))


def post(client: Client, address: str, action: str, **fields: Any) -> Any:
    return client.post(address, fields | {"action": action}, follow=True)


def general(client: Client, of: Audience, **changed: Any) -> Any:
    given = {name: typed(of)[name] for name in ("account", "kind", "name", "person_identifier")}
    return post(client, reverse(NEW), "next", **given | changed)


def step(answer: Any) -> str:
    return str(answer.redirect_chain[-1][0])


def page_of(activation: Activation) -> str:
    return reverse("cdp_activation", args=[activation.pk])


def test_it_activates_for_the_own_site_without_typing_anything(
    admin: Client, audience: Audience, group: SegmentGroup, users: list[int]
) -> None:
    """Reference D1, minute 9."""
    members = [made.person(audience.account, userid=one) for one in users[3:6]]
    made.calculate(audience, members)
    first = admin.get(reverse(NEW), {"audience": audience.pk})
    assert '<option value="own:mine" selected>' in first.content.decode()
    assert 'value="Cat owners"' in first.content.decode()
    answer = general(admin, audience, kind=OWN, audience=audience.pk)
    assert "http://localhost:8000/cdp/webhook" in words(answer)
    tried = post(admin, step(answer), "test")
    assert "takes requests for this group (status 200)" in words(tried)
    assert step(tried) == step(answer)
    last = post(admin, step(answer), "next")
    assert f'value="{audience.pk}" checked' in last.content.decode()
    done = post(admin, step(last), "create", audiences=[audience.pk])
    for shown in (first, answer, tried, last, done):
        assert SECRET not in shown.content.decode()
    activation = Activation.objects.get()
    assert activation.config == own.of(audience.account)[0].config()
    queue.run_due()
    segment = Segment.objects.get(identifier="cat_owners")
    assert set(segment.memberships.values_list("user", flat=True)) == set(users[3:6])
    assert [one.status for one in WebhookRequest.objects.all()] == [200, 200]  # the test, then the members


@pytest.mark.parametrize(
    ("changed", "sentence", "field"),
    [
        ({"person_identifier": ""}, "Choose the person identifier", "person_identifier"),  # V01
        ({"person_identifier": "shoe"}, "by userid or email", "person_identifier"),
        ({"name": " "}, "needs a name", "name"),
        ({"name": "x" * 101}, "at most 100 characters", "name"),
        ({"kind": "own:nobody"}, "Choose a kind", "kind"),
        ({"kind": ""}, "Choose a kind", "kind"),
    ],
)
def test_its_first_step_does_not_let_go_on_with_what_is_wrong(
    admin: Client, audience: Audience, changed: dict[str, Any], sentence: str, field: str
) -> None:
    answer = general(admin, audience, **changed)
    assert (answer.status_code, answer.redirect_chain) == (422, [])
    assert sentence in words(answer)
    assert f'id="id_{field}-error"' in answer.content.decode()


def test_it_refuses_a_name_and_a_second_api_in_the_first_step(admin: Client, audience: Audience) -> None:
    create(admin, audience, kind="cdp_api", secret="", name="API")
    assert "Another activation is called" in words(general(admin, audience, name="api"))
    assert "Only one activation of the kind" in words(general(admin, audience, kind="cdp_api"))


def test_it_keeps_the_secret_that_was_typed_for_a_test_out_of_the_page(
    admin: Client, audience: Audience, far: Receiver
) -> None:
    answer = general(admin, audience)
    receiver_step = step(answer)
    given = {"ibexa-base_url": far.url, "ibexa-client_id": "me", "ibexa-segment_group_identifier": "g"}
    assert "The secret is missing" in words(post(admin, receiver_step, "test", **given))
    tried = post(admin, receiver_step, "test", **given, secret=SECRET)
    assert "takes requests" in words(tried)
    assert step(tried) == receiver_step
    assert SECRET not in tried.content.decode()
    assert all(SECRET not in str(one.get_decoded()) for one in Session.objects.all())
    far.faults.append(403)
    assert "(status 403)" in words(post(admin, receiver_step, "test", **given))
    last = post(admin, receiver_step, "next", **given)  # and nobody types it again
    post(admin, step(last), "create", audiences=[audience.pk])
    queue.run_due()
    assert far.people() == {"1", "2"}
    assert len({headers["authorization"] for headers, _ in far.raw}) == 1


def test_it_keeps_what_was_entered_and_forgets_it_for_another_receiver(
    admin: Client, audience: Audience
) -> None:
    receiver_step = step(general(admin, audience, name="Kept"))
    given = {"ibexa-base_url": "https://a.example/cdp/webhook", "ibexa-client_id": "me", "secret": SECRET}
    wrong = post(admin, receiver_step, "next", **given)
    assert wrong.status_code == 422
    assert "https://a.example/cdp/webhook" in wrong.content.decode()
    general_step = receiver_step.removesuffix("receiver/")
    assert 'value="Kept"' in admin.get(general_step).content.decode()
    assert step(admin.get(f"{general_step}audiences/", follow=True)) == receiver_step  # not before this one
    assert "It is kept" in words(admin.get(receiver_step))
    values = {"account": audience.account.pk, "name": "Kept", "person_identifier": "userid"}
    post(admin, general_step, "next", kind="webhook", **values)
    assert "It is kept" not in words(admin.get(receiver_step))


def test_it_begins_again_where_a_draft_is_not_kept(admin: Client, audience: Audience) -> None:
    receiver_step = step(general(admin, audience))
    for number in range(5):
        general(admin, audience, name=f"Other {number}")
    answer = admin.get(receiver_step, follow=True)
    assert step(answer) == reverse(NEW)
    assert "begin again" in words(answer)
    assert is_refused(somebody("view_activation").get(receiver_step))


def test_it_offers_own_sites_to_their_account_only(admin: Client, audience: Audience, sites: Any) -> None:
    other = accounts.create(654321, name="Other")
    assert own.of(other) == []
    assert [one.client_id for one in own.of(audience.account)] == ["mine"]
    assert "Choose a kind" in words(general(admin, audience, account=other.pk, kind=OWN))
    assert SECRET not in repr(own.of(audience.account))
    key = "whsec_" + "A" * 40
    sites.write_text(SITES.replace("client_id: mine,", f"client_id: mine, signing_secret: {key},"))
    site_access.reload()
    assert own.of(audience.account) == []  # it wants signed requests


def test_it_takes_no_audience_of_another_account(admin: Client, audience: Audience) -> None:
    foreign = made.audience(accounts.create(654321, name="Other"), "theirs")
    answer = create(admin, audience, audiences=[foreign.pk])
    assert answer.status_code == 422
    assert "at least one audience" in words(answer)


def test_it_counts_who_is_delivered_and_what_is_different(audience: Audience, far: Receiver) -> None:
    dogs = made.audience(audience.account, "dog_owners", made.person(audience.account, userid=[5, 6]))
    activation = made.site(audience, dogs, url=far.url)
    changes.mark(activation)
    deliver.deliver(activation.pk)
    made.calculate(audience, [made.person(audience.account, userid=3)], tell=False)

    def counted() -> list[tuple[Any, ...]]:
        return [
            (one.members, one.delivered, one.to_add, one.to_remove, one.nameless)
            for one in standing.standings(activation)
        ]

    assert counted() == [(1, 2, 1, 2, 0), (1, 2, 0, 0, 0)]
    changes.detach(activation, dogs)
    assert counted()[1] == (1, 2, 0, 2, 0)
    Audience.objects.filter(pk=audience.pk).update(profile_count=standing.MOST)
    assert counted()[0] == (standing.MOST, 2, None, None, None)
    assert standing.standings(activation, whatever_it_takes=True)[0].to_add == 1


def test_it_shows_how_an_audience_stands_and_what_was_sent(
    admin: Client, audience: Audience, far: Receiver, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    many = [made.audience(audience.account, f"a{n}") for n in range(5)]
    activation = made.site(audience, *many, url=far.url)
    assert "Nothing was sent yet" in words(admin.get(page_of(activation)))
    changes.mark(activation)
    deliver.deliver(activation.pk)
    admin.get(page_of(activation))
    with django_assert_max_num_queries(27):  # those of the frame of the back office included
        shown = admin.get(page_of(activation))
    text = shown.content.decode()
    assert "Everything is delivered." in text
    assert "+2 −0" in text
    assert made.CLIENT_SECRET not in text
    row = SentRequest.objects.get()
    address = reverse("cdp_activation_request", args=[activation.pk, row.pk])
    request = admin.get(address)
    for part in (str(row.request_id), far.url, "Authorization: Basic •••", "Status 200."):
        assert part in request.content.decode()
    other = reverse("cdp_activation_request", args=[activation.pk + 1, row.pk])
    assert admin.get(other).status_code == 404


def test_it_says_when_a_failing_request_is_tried_again_and_sends_it_at_once(
    admin: Client, audience: Audience, far: Receiver
) -> None:
    activation = made.site(audience, url=far.url)
    far.faults.append(503)
    changes.mark(activation)
    deliver.deliver(activation.pk)
    Activation.objects.update(retry_at=timezone.now() + timedelta(minutes=4, seconds=30))
    text = words(admin.get(page_of(activation)))
    assert "A request with 2 actions waits; 1 try failed" in text
    assert "It is tried again in 4 minutes." in text
    looker = somebody("view_activation")
    shown = looker.get(page_of(activation)).content.decode()
    assert 'value="redeliver"' not in shown
    assert 'value="send"' not in shown
    request = SentRequest.objects.get().request_id
    assert is_refused(looker.post(page_of(activation), {"action": "redeliver", "request": request}))
    answer = post(admin, page_of(activation), "redeliver", request=request)
    assert "with the same id" in words(answer)
    queue.run_due()
    assert [one["request_id"] for one in far.bodies] == [str(request)] * 2
    assert far.people() == {"1", "2"}
    again = post(admin, page_of(activation), "redeliver", request=request)
    assert again.status_code == 422
    assert "Nothing is left to send" in words(again)


def test_it_names_the_command_where_no_worker_is_seen(
    admin: Client, audience: Audience, far: Receiver
) -> None:
    activation = made.site(audience, url=far.url)
    ActivationAudience.objects.update(asked=1)
    text = admin.get(page_of(activation)).content.decode()
    assert "waits for a worker" in text
    assert "No worker has been seen." in text
    assert "python manage.py work" in text
    Periodic.objects.create(name=HEARTBEAT, last_run=timezone.now())
    assert "python manage.py work" not in admin.get(page_of(activation)).content.decode()


@pytest.mark.parametrize(
    ("kind", "missing"),
    [("cdp_api", {"send", "test", "remove", "redeliver"}), ("csv", {"rotate"})],
)
def test_it_offers_only_what_makes_sense_for_a_kind(
    admin: Client, audience: Audience, kind: str, missing: set[str]
) -> None:
    activation, _ = changes.create(
        audience.account, name="A", kind=kind, person_identifier="userid", audiences=[audience]
    )
    text = admin.get(page_of(activation)).content.decode()
    assert [one for one in missing if f'value="{one}"' in text] == []
    assert 'value="pause"' in text
    assert 'value="resume"' not in text
    answer = post(admin, page_of(activation), missing.pop())
    assert answer.status_code == 422
    assert "makes no sense" in words(answer)


def test_it_offers_nothing_but_the_end_of_what_is_being_deleted(
    admin: Client, audience: Audience, far: Receiver
) -> None:
    activation = made.site(audience, url=far.url)
    Activation.objects.update(ending_at=timezone.now(), state="error", reason="Gone.")
    text = admin.get(page_of(activation)).content.decode()
    assert "Stopped: Gone." in text
    for value, is_there in (("resume", True), ("delete", True), ("save", False), ("attach", False)):
        assert (f'value="{value}"' in text) is is_there
    assert post(admin, page_of(activation), "save", name="New").status_code == 422
    assert not DeliveryRun.objects.exists()


def test_it_says_what_to_do_where_there_is_no_activation(admin: Client, account: Account) -> None:
    assert "Create the first one" in words(admin.get(reverse("activations:index")))
    assert "Create the first one" not in words(somebody("view_activation").get(reverse("activations:index")))
