"""The screen of person identifiers ..."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cdp.activations import changes as activating
from cdp.dataflows import lifecycle, trial
from cdp.dataflows.faults import DataflowFault
from cdp.profiles import kinds
from cdp.profiles.models import Account, PersonIdentifier
from tests.cdp.dataflows.conftest import USERS, Feed
from tests.cdp.screens.conftest import somebody

pytestmark = pytest.mark.django_db
LIST = "/admin/customer-data/person-identifiers/"
HOME = "/admin/customer-data/person-identifier"


def words(answer: Any) -> str:
    return str(answer.content.decode())


def deactivate(client: Client, kind: PersonIdentifier) -> Any:
    return client.post(f"{HOME}/{kind.pk}/", {"action": "deactivate"}, follow=True)


def one(account: Account, name: str) -> PersonIdentifier:
    return PersonIdentifier.objects.get(account=account, name=name)


def test_it_lists_adds_and_deactivates(admin: Client, account: Account) -> None:
    page = words(admin.get(LIST))
    assert all(f"{name}" in page for name in ("userid", "coid", "email", "Profiles", "system"))
    answer = admin.post(f"{HOME}/new/", {"action": "save", "account": account.pk, "name": "crm"}, follow=True)
    crm = one(account, "crm")
    assert answer.redirect_chain[-1][0] == f"{HOME}/{crm.pk}/"
    assert "Deactivate crm for good?" in words(answer)
    assert "nobody is known by it any more" in words(deactivate(admin, crm))
    assert not one(account, "crm").active
    assert 'value="deactivate"' not in words(admin.get(f"{HOME}/{crm.pk}/"))
    again = admin.post(f"{HOME}/new/", {"action": "save", "account": account.pk, "name": "CRM"})
    assert again.status_code == 422
    assert "its name is never used again" in words(again)


@pytest.mark.parametrize("posted", [{"name": "x"}, {"account": "x", "name": "x"}, {"account": "9" * 30}])
def test_it_refuses_an_account_that_is_none(admin: Client, account: Account, posted: dict[str, str]) -> None:
    answer = admin.post(f"{HOME}/new/", {"action": "save"} | posted)
    assert (answer.status_code, "Choose the account." in words(answer)) == (422, True)


@pytest.mark.case("D47")
def test_it_is_not_deactivated_while_a_dataflow_uses_it(admin: Client, feed: Feed) -> None:
    feed.prepare()
    feed.activate()
    account = feed.account
    for name in ("userid", "email"):  # the schema's own, and a field that is called like one
        answer = deactivate(admin, one(account, name))
        assert "is used by the dataflow Users (Active), and cannot be deactivated." in words(answer)
        assert 'value="deactivate"' not in words(answer)
    lifecycle.pause(feed.flow)
    assert "(Paused)" in words(deactivate(admin, one(account, "userid")))
    lifecycle.archive(feed.flow)
    assert "deactivated; nobody is known by it" in words(deactivate(admin, one(account, "userid")))


def test_a_dataflow_whose_identifier_is_deactivated_is_not_turned_on(feed: Feed) -> None:
    feed.prepare()
    assert trial.test(feed.flow).passed
    kinds.deactivate(one(feed.account, "userid"))
    for turn_on in (lifecycle.activate, lifecycle.run_held, trial.test):
        with pytest.raises(DataflowFault, match="userid of schema personal of Users is deactivated"):
            turn_on(feed.flow)
    with pytest.raises(DataflowFault, match="Choose the identifier"):
        feed.schema(name="Another")


def test_people_of_files_are_not_joined_by_a_deactivated_identifier(feed: Feed) -> None:
    feed.prepare()
    feed.activate()
    feed.deliver(USERS)
    # Not by the screen, which refuses it: as if it had been deactivated before the field was mapped.
    PersonIdentifier.objects.filter(name="email").update(active=False)
    feed.deliver([{"id": 16, "email": "ada@example.org"}])
    ada, new = feed.person(14), feed.person(16)
    assert ada
    assert new
    assert ada.pk != new.pk
    assert new.attributes["email"] == "ada@example.org"


def test_it_is_not_deactivated_while_an_activation_sends_by_it(admin: Client, account: Account) -> None:
    from cdp.audiences import changes

    rule = {"type": "did", "event": "buy", "window": {"kind": "in_last", "n": 3, "unit": "day"}}
    top = {"type": "group", "op": "and", "not": False, "children": [rule]}
    audience = changes.create(account, name="Buyers", definition=top)
    activating.create(account, name="Mail", kind="csv", person_identifier="email", audiences=[audience])
    assert "is used by the activation Mail" in words(deactivate(admin, one(account, "email")))


def test_it_shows_and_changes_by_permission_only(account: Account) -> None:
    crm = kinds.add(account, "crm")
    nobody, viewer = somebody("view_profile"), somebody("view_personidentifier")
    assert nobody.get(f"{HOME}/{crm.pk}/").status_code == 403
    page = words(viewer.get(f"{HOME}/{crm.pk}/"))
    assert 'value="deactivate"' not in page
    assert f"{HOME}/new/" not in words(viewer.get(LIST))
    assert viewer.get(f"{HOME}/new/").status_code == 403
    deactivate(viewer, crm)
    assert one(account, "crm").active


def test_it_knows_an_account_that_only_the_sites_file_names(admin: Client, sites: Any) -> None:
    assert "123456" in words(admin.get(LIST))
