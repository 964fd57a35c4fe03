"""A/B tests in the back office: list, form, figures, end, and what follows from them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from personalization.server.models import CallCount, Scenario, ScenarioTest
from tests.personalization.screens.conftest import logged, somebody
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
LIST, NEW = "/admin/personalization/tests/", "/admin/personalization/test/new/"


@pytest.fixture
def shop(customer: str) -> str:
    """A customer with two scenarios that can be compared."""
    cache.clear()
    made.scenario(customer, "near", identifier="other")
    return customer


def stored(customer: str, *, begin: float = -9, end: float = 5, **columns: Any) -> ScenarioTest:
    """A test that begins and ends so many days from now."""
    now = timezone.now()
    given = {"scenario_a": "made", "scenario_b": "other", "share_b": 20} | columns
    return ScenarioTest.objects.create(
        customer_id=customer,
        starts_at=now + timedelta(days=begin),
        ends_at=now + timedelta(days=end),
        **given,
    )


def address(test: ScenarioTest, page: str = "") -> str:
    return f"/admin/personalization/test/{test.pk}/{page}"


def sent(customer: str, **changes: Any) -> dict[str, Any]:
    given = {
        "action": "begin",
        "customer": customer,
        "scenario_a": "made",
        "scenario_b": "other",
        "share_b": "10",
        "weeks": "2",
        "begin": "now",
        "starts_at": "",
    }
    return given | changes


def counted(test: ScenarioTest, *, a: tuple[int, int], b: tuple[int, int]) -> None:
    """Calls, and how many of them were followed, three days ago."""
    hour = (timezone.now() - timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    for name, (calls, followed) in ((test.scenario_a, a), (test.scenario_b, b)):
        CallCount.objects.create(customer_id=test.customer_id, scenario=name, hour=hour, calls=calls)
        past = [
            one
            for n in range(followed)
            for one in did("clickrecommended", f"{name}{n}", 1, days=3, scenario=name, model_id="7")
        ]
        made.happened(test.customer_id, past)


def test_it_begins_a_test_and_shows_it(shop: str, admin: Client) -> None:
    page = admin.get(f"{NEW}?customer={shop}&scenario=made").content.decode()
    assert re.search(r'value="made" selected', page)
    answer = admin.post(NEW, sent(shop, share_b="25", weeks="3"))
    test = ScenarioTest.objects.get()
    assert answer["Location"] == address(test)
    assert (test.customer_id, test.scenario_a, test.scenario_b, test.share_b) == (shop, "made", "other", 25)
    assert test.ends_at - test.starts_at == timedelta(weeks=3)
    assert logged() == ["wagtail.create"]
    page = admin.get(address(test)).content.decode()
    assert "Running" in page
    assert "figures begin with the first full one" in page
    assert "made against other" in admin.get(LIST).content.decode()


def test_it_begins_a_test_later_in_the_time_of_the_site(shop: str, admin: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Oslo"
    day = timezone.localdate() + timedelta(days=30)
    given = sent(shop, begin="later", starts_at=f"{day}T09:30")
    assert admin.post(NEW, given).status_code == 302
    test = ScenarioTest.objects.get()
    assert timezone.localtime(test.starts_at).strftime("%H:%M") == "09:30"
    page = admin.get(address(test)).content.decode()
    assert "Prepared" in page
    assert "Use B for everyone" not in page


WRONG: list[tuple[dict[str, str], str, str]] = [
    ({"scenario_a": ""}, "scenario_a", "required"),
    ({"scenario_b": "made"}, "scenario_b", "named twice"),
    ({"scenario_b": "typed"}, "scenario_b", "same output types"),
    ({"scenario_b": "taken"}, "scenario_b", "tested already"),
    ({"scenario_b": "nowhere"}, "scenario_b", "valid choice"),
    ({"share_b": "51"}, "share_b", "50"),
    ({"weeks": "0"}, "weeks", "1"),
    ({"begin": "later"}, "starts_at", "Choose when"),
    ({"begin": "later", "starts_at": "soon"}, "starts_at", "looks like"),
    ({"begin": "later", "starts_at": "2020-01-01T10:00"}, "starts_at", "in the past"),
]


def test_it_says_beside_the_field_what_is_wrong_and_keeps_the_rest(shop: str, admin: Client) -> None:
    made.scenario(shop, "made", identifier="typed", output_types=[38])
    for name in ("taken", "third"):
        made.scenario(shop, "made", identifier=name)
    stored(shop, scenario_a="taken", scenario_b="third")
    for changes, field, words in WRONG:
        answer = admin.post(NEW, sent(shop, **({"weeks": "7"} | changes)))
        assert answer.status_code == 422, changes
        assert list(answer.context["form"].errors) == [field]
        page = re.sub(r"\s+", " ", answer.content.decode())
        assert re.search(f"<[^>]*error-message[^>]*>[^<]*{words}", page), changes
        assert "weeks" in changes or 'value="7"' in page
    assert ScenarioTest.objects.count() == 1


def test_it_compares_the_indicators_and_says_how_sure_it_is(shop: str, admin: Client) -> None:
    test = stored(shop)
    counted(test, a=(400, 12), b=(200, 20))
    made.happened(shop, did("buy", "other1", 1, days=3 - 5 / 1440, price="12.50", currency="EUR"))
    page = re.sub(r"\s+", " ", admin.get(address(test)).content.decode())
    assert "B is better, we are 99.9 % sure." in page
    found = {one.label: one for one in admin.get(address(test)).context["indicators"]}
    assert found["Followed recommendations"].rates == ("3.0 %", "10.0 %")
    assert found["Followed recommendations"].difference == "+7.00 points"
    assert found["Purchased recommendations"].counts == ("0", "1")
    assert found["Revenue through recommendations (EUR)"].rates == ("0.00", "6.25")
    assert found["Recommendation calls"].rates == ("66.7 %", "33.3 %")
    file = admin.get(address(test, "conversion.csv"))
    assert "A: made" in file.content.decode("utf-8-sig").splitlines()[0]
    assert admin.get(address(test, "nothing.csv")).status_code == 404


CLAIMS = [
    ((0, 0), (10, 1), 5, "was not asked for yet"),
    ((100, 2), (100, 3), 5, "too few recommendations were followed"),
    ((1000, 30), (1000, 36), 5, "more calls needed"),
    ((1000, 30), (1000, 36), -1, "showed no difference"),
    ((1000, 70), (1000, 30), -1, "A is better, we are 99.9 % sure."),
]


def test_it_claims_no_more_than_the_figures_do(shop: str, admin: Client) -> None:
    for number, (a, b, end, words) in enumerate(CLAIMS):
        names = {"scenario_a": f"a{number}", "scenario_b": f"b{number}"}
        test = stored(shop, end=end, **names)
        counted(test, a=a, b=b)
        assert words in admin.get(address(test)).content.decode()


def test_it_finds_tests_by_text_customer_status_and_scenario(shop: str, admin: Client) -> None:
    other = new_account("Other").customer_id
    stored(shop, begin=1)
    stored(shop, scenario_a="front")
    stored(other, end=-1, scenario_a="detail")

    def names(query: str) -> list[str]:
        page = admin.get(f"{LIST}?{query}").content.decode()
        return list(dict.fromkeys(re.findall(r"(\w+) against other", page)))

    assert names("") == ["made", "detail", "front"]
    assert names("q=fron") == ["front"]
    assert names(f"customer_id={other}") == ["detail"]
    for status, name in (("prepared", "made"), ("running", "front"), ("archived", "detail")):
        assert names(f"status={status}") == [name]
    assert names("scenario=front") == ["front"]
    assert names("scenario=fron") == []
    ScenarioTest.objects.all().delete()
    assert "Begin the first one" in admin.get(LIST).content.decode()


def test_it_lists_many_tests_with_few_queries(
    shop: str, admin: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(60):
        stored(shop)
    admin.get(LIST)
    with django_assert_max_num_queries(14):
        page = admin.get(f"{LIST}?p=2").content.decode()
    assert len(set(re.findall(r"/personalization/test/(\d+)/", page))) == 10


def test_it_ends_a_test_after_asking(shop: str, admin: Client) -> None:
    test = stored(shop)
    assert address(test, "end/") in admin.get(address(test)).content.decode()
    assert "Yes, end it" in admin.get(address(test, "end/")).content.decode()
    admin.post(address(test, "end/"), {"action": "end"})
    page = admin.get(address(test)).content.decode()
    assert "Archived" in page
    assert address(test, "end/") not in page
    test.refresh_from_db()
    ended = test.ends_at
    admin.post(address(test, "end/"), {"action": "end"})
    test.refresh_from_db()
    assert test.ends_at == ended <= timezone.now()
    assert logged() == ["lodestar.end"]


def test_it_gives_a_what_b_has_and_ends_the_test(shop: str, admin: Client) -> None:
    test = stored(shop)
    b = Scenario.objects.get(customer_id=shop, identifier="other")
    before = Scenario.objects.get(customer_id=shop, identifier="made")
    page = admin.get(address(test, "take-over/")).content.decode()
    given = {"action": "take_over"} | dict(re.findall(r'name="(version_.)" value="([^"]+)"', page))
    assert admin.post(address(test, "take-over/"), {**given, "version_b": "then"}).status_code == 422
    assert admin.post(address(test, "take-over/"), given).status_code == 302
    after = Scenario.objects.get(customer_id=shop, identifier="made")
    assert after.strategy == b.strategy != before.strategy
    assert after.name == before.name
    assert logged() == ["lodestar.take_over"] * 2  # of the scenario, and of the test
    test.refresh_from_db()
    assert test.ends_at <= timezone.now()


def test_the_editor_of_a_scenario_leads_to_its_tests(shop: str, admin: Client) -> None:
    row = Scenario.objects.get(customer_id=shop, identifier="made")
    editor = f"/admin/personalization/scenario/{row.pk}/"
    page = admin.get(editor).content.decode()
    assert f"{NEW}?customer={shop}&amp;scenario=made" in page
    stored(shop)
    page = admin.get(editor).content.decode()
    assert "1 test<" in page
    assert f"{LIST}?customer_id={shop}&amp;scenario=made" in page
    assert "A/B tests" not in somebody("view_scenario").get(editor).content.decode()


def test_readers_see_no_button_and_nobody_sees_nothing(shop: str) -> None:
    test = stored(shop)
    reader = somebody("view_scenariotest")
    page = reader.get(address(test)).content.decode()
    assert "Running" in page
    assert "End test" not in page
    assert "Begin a test" not in reader.get(LIST).content.decode()
    assert reader.get(NEW).status_code in (302, 403)
    for path, action in (("end/", "end"), ("take-over/", "take_over")):
        assert reader.post(address(test, path), {"action": action}).status_code in (302, 403)
    changer = somebody("change_scenariotest")
    assert changer.get(address(test, "end/")).status_code == 200
    assert changer.get(address(test, "take-over/")).status_code in (302, 403)
    nobody = somebody()
    for path in (LIST, NEW, address(test), address(test, "calls.csv"), address(test, "end/")):
        assert nobody.get(path).status_code in (302, 403)
    test.refresh_from_db()
    assert test.ends_at > timezone.now()
