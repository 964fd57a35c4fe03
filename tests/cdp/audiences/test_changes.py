"""Audiences are made, changed, brought back to older versions and archived by one writer."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from cdp.audiences import changes
from cdp.audiences.conditions.faults import BadDefinition
from cdp.audiences.conditions.read import read
from cdp.audiences.differences import differences
from cdp.audiences.faults import AudienceFault, InUse
from cdp.audiences.models import Audience
from cdp.profiles.models import Account
from tests.cdp.audiences.conftest import Make
from tests.cdp.audiences.documents import did, either, group, have, last, member

pytestmark = pytest.mark.django_db
BUYERS = group(did("buy"))


def test_it_makes_an_audience_with_its_first_version(account: Account) -> None:
    user = User.objects.create(username="editor")
    audience = changes.create(
        account, name="  Great   buyers ", definition=BUYERS, description="d", tags=["a", "a", "b"], by=user
    )
    assert (audience.name, audience.identifier, audience.tags) == ("Great buyers", "great_buyers", ["a", "b"])
    assert audience.is_stale
    assert audience.definition["not"] is False
    version = audience.versions.get()
    assert (version.number, version.definition, version.saved_by) == (1, audience.definition, user)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("Große Käufer!", "groe_kaufer"),
        ("2025 buyers", "audience_2025_buyers"),
        ("ΣΟΦΟΣ", "audience"),
        ("x" * 100, "x" * 64),
    ],
)
def test_it_makes_the_identifier_of_the_name(make: Make, name: str, identifier: str) -> None:
    audience = make(name, BUYERS)
    assert audience.identifier == identifier
    audience.full_clean()
    changes.save(audience, name="Another")
    assert audience.identifier == identifier


def test_it_never_gives_an_identifier_twice(make: Make) -> None:
    first = make("Buyers", BUYERS)
    changes.archive(first)
    assert [make("Buyers", BUYERS).identifier, make("buyers!", BUYERS).identifier] == ["buyers_2", "buyers_3"]


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"name": " "}, "bad_name", "name"),
        ({"name": "x" * 101}, "bad_name", "name"),
        ({"name": "a\x07b"}, "bad_name", "name"),
        ({"name": "TAKEN"}, "name_taken", "name"),
        ({"description": "x" * 501}, "bad_description", "description"),
        ({"tags": [str(n) for n in range(21)]}, "bad_tags", "tags"),
        ({"tags": ["x" * 51]}, "bad_tags", "tags"),
        ({"tags": [""]}, "bad_tags", "tags"),
        ({"purpose": "Marketing!"}, "bad_purpose", "purpose"),
    ],
)
def test_it_refuses_what_breaks_a_rule(make: Make, wrong: dict[str, Any], code: str, field: str) -> None:
    make("Taken", BUYERS)
    audience = make("Mine", BUYERS)
    with pytest.raises(AudienceFault) as made:
        make(**({"name": "New", "definition": BUYERS} | wrong))
    with pytest.raises(AudienceFault) as saved:
        changes.save(audience, **wrong)
    assert {(one.value.code, one.value.field) for one in (made, saved)} == {(code, field)}


def test_it_counts_a_version_only_when_the_rule_is_another(make: Make) -> None:
    audience = make("Buyers", BUYERS)
    Audience.objects.update(is_stale=False)
    changes.save(audience, definition=BUYERS, description="new")
    assert (audience.version, audience.is_stale) == (1, False)
    changes.save(audience, definition=group(did("visit")))
    assert (audience.version, audience.is_stale) == (2, True)


def test_it_makes_members_stale_with_another_purpose(make: Make) -> None:
    audience = make("Buyers", BUYERS)
    Audience.objects.update(is_stale=False)
    changes.save(audience, purpose="marketing")
    assert (audience.purpose, audience.version, audience.is_stale) == ("marketing", 1, True)


def test_it_brings_an_older_rule_back_as_a_newer_version(make: Make) -> None:
    audience = make("Buyers", BUYERS)
    first = audience.definition
    changes.save(audience, definition=group(did("visit")))
    changes.restore(audience, 1)
    assert (audience.version, audience.definition) == (3, first)
    with pytest.raises(AudienceFault, match="no version 9"):
        changes.restore(audience, 9)


def test_it_refuses_a_cycle_with_its_path(make: Make) -> None:
    first = make("A", BUYERS)
    make("B", group(member("a")))
    with pytest.raises(BadDefinition, match="cycle: a → b → a"):
        changes.save(first, definition=group(did("buy"), member("b")))
    first.refresh_from_db()
    assert first.version == 1


def test_it_archives_nothing_that_others_name(make: Make) -> None:
    buyers = make("Buyers", BUYERS)
    other = make("Visitors", either(did("visit"), member("buyers")))
    with pytest.raises(InUse, match="Visitors") as raised:
        changes.archive(buyers)
    assert (raised.value.code, raised.value.referrers) == ("in_use", ["Visitors"])
    changes.archive(other)
    changes.archive(buyers)
    with pytest.raises(AudienceFault, match="archived"):
        changes.save(buyers, name="Again")
    with pytest.raises(BadDefinition, match="no audience 'buyers'"):
        make("New", group(member("buyers")))


def test_it_says_in_words_what_is_other() -> None:
    old = read(group(did("buy"), have("country", "eq", "dk")))
    new = read(group(did("buy", window=last(1, "day")), have("country", "eq", "dk")))
    assert differences(old, new) == ["Removed: did buy", "Added: did buy in the last 1 day"]
    assert differences(old, old) == []
    [arranged] = differences(old, read(either(did("buy"), have("country", "eq", "dk"))))
    assert arranged.startswith("Arranged otherwise: did buy and have")
