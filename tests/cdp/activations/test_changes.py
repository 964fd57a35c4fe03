"""Writing activations: what is refused and why, and what stays hidden."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp.activations import changes, deliver, secrets
from cdp.activations.faults import ActivationFault
from cdp.activations.models import Activation, LedgerEntry
from cdp.audiences.models import Audience
from cdp.profiles.models import Account, PersonIdentifier
from tests.cdp.activations import made
from tests.cdp.activations.receivers import Receiver

pytestmark = pytest.mark.django_db
CONFIG = {
    "base_url": "https://site.example/cdp/webhook",
    "client_id": "me",
    "segment_group_identifier": "audiences",
}
RIGHT = {"name": "Site", "kind": "ibexa", "person_identifier": "userid", "config": CONFIG, "secret": "s" * 32}


@pytest.fixture
def cats(account: Account) -> Audience:
    return made.audience(account, "cats", made.person(account, userid=1))


def create(cats: Audience, **more: Any) -> Activation:
    return changes.create(cats.account, **{"audiences": [cats], **RIGHT, **more})[0]


def refused(call: Any, *arguments: Any, **more: Any) -> ActivationFault:
    with pytest.raises(ActivationFault) as caught:
        call(*arguments, **more)
    assert str(caught.value).endswith(".")
    return caught.value


def test_it_keeps_the_secret_sealed(cats: Audience) -> None:
    activation = create(cats)
    assert secrets.of(activation) == "s" * 32
    assert "s" * 32 not in str(Activation.objects.values().get())
    assert activation.public_id == f"act_{activation.pk}"


@pytest.mark.parametrize("kind", ["webhook", "cdp_api"])
def test_it_shows_a_secret_that_it_makes_once(cats: Audience, kind: str) -> None:
    config = {"url": "https://a.example/"} if kind == "webhook" else {}
    given = RIGHT | {"kind": kind, "config": config, "secret": ""}
    activation, secret = changes.create(cats.account, audiences=[cats], **given)
    assert secrets.of(activation) == secret != ""


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"person_identifier": ""}, "no_person_identifier", "person_identifier"),
        ({"person_identifier": "coid"}, "bad_person_identifier", "person_identifier"),
        (
            {"kind": "csv", "config": {}, "secret": "", "person_identifier": "shoe"},
            "unknown_person_identifier",
            "",
        ),
        ({"name": " "}, "no_name", "name"),
        ({"name": "x" * 101}, "bad_name", "name"),
        ({"description": "x" * 501}, "bad_description", "description"),
        ({"kind": "pigeon"}, "unknown_kind", "kind"),
        ({"audiences": []}, "no_audience", "audiences"),
        ({"secret": ""}, "bad_secret", "secret"),
        ({"kind": "csv", "config": {}}, "bad_secret", "secret"),
        ({"config": CONFIG | {"base_url": "https://site.example/"}}, "bad_base_url", "base_url"),
        ({"config": CONFIG | {"base_url": "http://site.example/cdp/webhook"}}, "bad_base_url", "base_url"),
        ({"config": CONFIG | {"segment_group_identifier": ""}}, "bad_config", "segment_group_identifier"),
        ({"config": CONFIG | {"colour": "red"}}, "bad_config", "colour"),
    ],
)
def test_it_refuses_what_is_wrong(cats: Audience, wrong: dict[str, Any], code: str, field: str) -> None:
    fault = refused(create, cats, **wrong)
    assert fault.code == code
    assert not field or fault.field == field
    assert not Activation.objects.exists()


@pytest.mark.parametrize("url", ["http://localhost:8000/cdp/webhook", "http://127.0.0.1/cdp/webhook/"])
def test_it_takes_http_to_this_machine(cats: Audience, url: str) -> None:
    assert create(cats, config=CONFIG | {"base_url": url}).config["base_url"] == url


def test_it_calls_no_two_alike(cats: Audience) -> None:
    create(cats)
    assert refused(create, cats, name="SITE").code == "name_in_use"
    other = create(cats, name="Other", config=CONFIG | {"segment_group_identifier": "other"})
    assert refused(changes.edit, other, name="sItE").code == "name_in_use"
    with pytest.raises(IntegrityError), transaction.atomic():
        Activation.objects.filter(pk=other.pk).update(name="site")


def test_it_sends_to_one_receiver_with_several_activations(cats: Audience) -> None:
    create(cats)
    create(cats, name="Second", config=CONFIG | {"segment_group_identifier": "others"})
    assert cats.attachments.count() == 2


def test_it_has_one_active_api_in_an_account(cats: Audience) -> None:
    given = {"kind": "cdp_api", "config": {}, "secret": "k" * 32}
    first = create(cats, **given)
    assert refused(create, cats, **given, name="Second").code == "cdp_api_active"
    changes.pause(first)
    create(cats, **given, name="Second")
    assert refused(changes.resume, first).code == "cdp_api_active"


def test_it_takes_only_audiences_of_its_account_in_use(cats: Audience) -> None:
    elsewhere = made.audience(made.account(4711), "elsewhere")
    assert refused(create, cats, audiences=[cats, elsewhere]).code == "unknown_audience"
    Audience.objects.filter(pk=cats.pk).update(archived_at=timezone.now())
    cats.refresh_from_db()
    assert refused(create, cats).code == "unknown_audience"
    assert not Activation.objects.exists()


def test_it_keeps_its_last_audience(cats: Audience) -> None:
    activation = create(cats)
    assert refused(changes.detach, activation, cats).code == "no_audience"


def test_it_keeps_the_person_identifier_after_the_first_delivery(cats: Audience, far: Receiver) -> None:
    activation = create(cats, config=CONFIG | {"base_url": far.url})
    changes.edit(activation, person_identifier="email")
    assert activation.person_identifier == "email"
    changes.edit(activation, person_identifier="userid")
    changes.mark(activation)
    deliver.deliver(activation.pk)
    assert refused(changes.edit, activation, person_identifier="email").code == "person_identifier_in_use"
    changes.edit(activation, person_identifier="userid", description="The same as before")


def test_it_edits_without_showing_or_losing_the_secret(cats: Audience) -> None:
    activation = create(cats)
    changes.edit(activation, name="New", config=CONFIG | {"client_id": "other"}, purpose="marketing")
    assert (activation.name, activation.purpose, secrets.of(activation)) == ("New", "marketing", "s" * 32)
    changes.edit(activation, secret="t" * 32)
    assert secrets.of(activation) == "t" * 32
    fault = refused(changes.edit, activation, secret="ü")
    assert "ü" not in str(fault)


def test_it_rotates_with_both_secrets_for_a_day(cats: Audience) -> None:
    activation, first = changes.create(
        cats.account,
        audiences=[cats],
        **RIGHT | {"kind": "webhook", "config": {"url": "https://a.example/"}, "secret": ""},
    )
    second = changes.rotate(activation)
    activation.refresh_from_db()
    assert secrets.in_force(activation) == [second, first]
    assert secrets.in_force(activation, now=timezone.now() + secrets.BOTH_VALID) == [second]
    assert secrets.matches(activation, first)
    assert not secrets.matches(activation, "else")


def test_it_refuses_an_identifier_that_is_not_active(cats: Audience) -> None:
    PersonIdentifier.objects.filter(name="userid").update(active=False)
    assert refused(create, cats).code == "unknown_person_identifier"


def test_it_refuses_a_choice_that_it_does_not_know(cats: Audience) -> None:
    assert refused(changes.delete, create(cats), memberships="burn").code == "bad_choice"


def test_it_deletes_an_account_with_everything(cats: Audience, far: Receiver) -> None:
    activation = create(cats, config=CONFIG | {"base_url": far.url})
    changes.mark(activation)
    deliver.deliver(activation.pk)
    assert LedgerEntry.objects.exists()
    cats.account.delete()
    assert not Activation.objects.exists()


def test_it_holds_states_to_their_reasons_in_the_database(cats: Audience) -> None:
    create(cats)
    for wrong in ({"state": "error"}, {"reason": "x"}, {"state": "asleep"}, {"person_identifier": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Activation.objects.update(**wrong)


def test_it_sends_an_audience_to_a_receiver_once_only(cats: Audience) -> None:
    first = create(cats)
    fault = refused(create, cats, name="Second")
    assert (fault.code, fault.field) == ("sent_already", "audiences")
    assert str(fault) == f"Site sends {cats.name} to the same receiver already."
    assert list(Activation.objects.all()) == [first]
    other = create(cats, name="Other group", config=CONFIG | {"segment_group_identifier": "other"})
    dogs = made.audience(cats.account, "dogs", made.person(cats.account, userid=2))
    changes.attach(other, dogs)
    changes.attach(first, dogs)
    changes.delete(first, memberships="remove")
    create(cats, name="Instead")  # the first one takes its people out, and this one brings them back
