"""A/B tests in the back office: begun, looked at and ended, by whoever may."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from personalization.screens.scenario_tests import words
from personalization.server.models import ScenarioTest
from personalization.server.statistics.significance import verdict
from tests.personalization.server import made
from tests.personalization.server.conftest import Account, new_account

pytestmark = pytest.mark.django_db(databases="__all__")

URL = "/admin/personalization/tests/"
GIVEN = {"action": "begin", "scenario_a": "made", "scenario_b": "other", "share_b": "20", "weeks": "3"}


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    cache.clear()


def login(*codenames: str) -> Client:
    user = User.objects.create_user(f"user-{uuid.uuid4()}")
    user.user_permissions.set(Permission.objects.filter(codename__in=[*codenames, "access_admin"]))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


@pytest.fixture
def shop(db: None) -> Account:
    account = new_account("Shop", kind="commerce")
    made.scenario(account.customer_id)
    made.scenario(account.customer_id, identifier="other")
    return account


def test_it_begins_shows_and_ends_a_test(shop: Account) -> None:
    boss = login("view_scenariotest", "add_scenariotest", "change_scenariotest")
    address = f"{URL}?customer={shop.customer_id}"
    assert "Begin the first test below." in boss.get(address).content.decode()

    begun = boss.post(address, GIVEN, follow=True).content.decode()
    test = ScenarioTest.objects.get()
    assert (test.customer_id, test.scenario_a, test.scenario_b, test.share_b) == (
        shop.customer_id,
        "made",
        "other",
        20,
    )
    assert (test.ends_at - test.starts_at).days == 21
    assert "made against other" in begun
    assert "Nothing can be said yet" in boss.get(f"{address}&test={test.pk}").content.decode()
    assert "are tested already at that time" in boss.post(address, GIVEN).content.decode()

    ended = boss.post(address, {"action": "end", "test": test.pk}, follow=True).content.decode()
    test.refresh_from_db()
    assert test.status_at(timezone.now()) == ScenarioTest.Status.ARCHIVED
    assert "everybody gets A again" in ended


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"share_b": "51"}, "less than or equal to 50"),
        ({"weeks": "0"}, "greater than or equal to 1"),
        ({"weeks": "many"}, "Enter a whole number."),
        ({"scenario_b": "made"}, "was named twice"),
        ({"scenario_b": "none"}, "not one of the available choices"),
    ],
)
def test_it_says_what_is_wrong_and_begins_nothing(
    change: dict[str, str], sentence: str, shop: Account
) -> None:
    boss = login("view_scenariotest", "add_scenariotest")
    answer = boss.post(f"{URL}?customer={shop.customer_id}", GIVEN | change)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not ScenarioTest.objects.exists()


def test_it_asks_for_permissions_and_keeps_customers_apart(shop: Account) -> None:
    now = timezone.now()
    test = ScenarioTest.objects.create(
        customer_id=shop.customer_id,
        scenario_a="made",
        scenario_b="other",
        starts_at=now,
        ends_at=now + timedelta(weeks=1),
    )
    address = f"{URL}?customer={shop.customer_id}"
    reader = login("view_scenariotest")
    page = reader.get(address).content.decode()
    assert "Begin a test" not in page
    assert 'value="end"' not in page
    for given in (GIVEN, {"action": "end", "test": test.pk}):
        assert reader.post(address, given).status_code in (302, 403)
    assert login().get(address).status_code in (302, 403)

    other = new_account("Other", kind="commerce")
    boss = login("view_scenariotest", "change_scenariotest")
    theirs = f"{URL}?customer={other.customer_id}"
    assert boss.get(f"{theirs}&test={test.pk}").status_code == 404
    assert boss.post(theirs, {"action": "end", "test": test.pk}).status_code == 404
    assert boss.post(address, {"action": "drop"}).status_code == 404
    test.refresh_from_db()
    assert test.status_at(timezone.now()) == ScenarioTest.Status.RUNNING


def test_it_says_the_outcome_in_words() -> None:
    test = ScenarioTest(scenario_a="made", scenario_b="other")
    clear = words(test, verdict(followed_a=100, calls_a=2000, followed_b=200, calls_b=2000))
    assert clear[0] == "Of the calls of made 5.0 % were followed, of those of other 10.0 %."
    assert "between 3." in clear[1]
    assert clear[2].startswith("other is better")
    unclear = words(test, verdict(followed_a=5, calls_a=100, followed_b=6, calls_b=100))
    assert unclear[2] == "It may be chance: neither is shown to be better."
    assert unclear[3].startswith("About ")
