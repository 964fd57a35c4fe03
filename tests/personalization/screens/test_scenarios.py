"""Scenarios in the back office: list, editor with levels and filters, preview."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from personalization.screens import scenario_form
from personalization.server.models import CallCount, Scenario, ScenarioTest
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import Strategy
from tests.personalization.screens.conftest import somebody
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tracking import identity

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
LIST, NEW = "/admin/personalization/scenarios/", "/admin/personalization/scenario/new/"


@pytest.fixture
def row(customer: str) -> Scenario:
    return Scenario.objects.get(customer_id=customer, identifier="made")


def address(row: Scenario) -> str:
    return f"/admin/personalization/scenario/{row.pk}/"


def sent(row: Scenario | None = None, **changes: Any) -> dict[str, Any]:
    """The form as the page sends it: near on the first level, made on the second."""
    given = {
        "action": "save",
        "name": "Made",
        "version": row.updated_at.isoformat() if row else "",
        "placed-level": ["0", "1"],
        "placed-model": ["near", "made"],
        "placed-context": ["automatic", "none"],
        "placed-data": ["default", "default"],
        "exclude_context_items": "on",
    }
    return given | changes


def test_it_lists_scenarios_with_words_beside_the_dot_and_their_calls(customer: str, admin: Client) -> None:
    now = timezone.now()
    for hours, calls in ((0, 3), (50, 4)):
        hour = (now - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
        CallCount.objects.create(customer_id=customer, scenario="made", hour=hour, calls=calls)
    page = admin.get(f"{LIST}?customer_id={customer}&q=made").content.decode()
    assert "Not available" in page  # none of its models was built
    assert "near, made" in page
    assert ">3<" in "".join(page.split())
    week = admin.get(f"{LIST}?customer_id={customer}&q=made&calls=week").content.decode()
    assert ">7<" in "".join(week.split())


def test_it_saves_general_fields_levels_and_filters(customer: str, row: Scenario, admin: Client) -> None:
    changes = {
        "description": "For tests",
        "input_type": "38",
        "output_types": ["38"],
        "category-0": "up:2",
        "reference-0": "context",
        "exclude_purchased": "on",
        "max_shows": "3",
        "excluded_categories": "/1/2/\n/3/",
        "min_price": "12.5",
        "variants": "on",
        "boost-item_attribute": ["color", ""],
        "boost-user_attribute": ["likes", ""],
        "boost-places": ["5", ""],
    }
    assert admin.post(address(row), sent(row, **changes)).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.description, row.input_type, row.output_types) == ("Made", "For tests", 38, [38])
    first, second = Strategy.model_validate(row.strategy).levels
    assert (first.models[0].model, second.models[0].model) == ("near", "made")
    assert (first.category.mode, first.category.steps, first.category.reference) == ("up", 2, "context")
    filters = Filters.model_validate(row.filters)
    assert filters.exclude_purchased
    assert (filters.max_shows, filters.min_price, filters.variants) == (3, 12.5, False)
    assert filters.excluded_categories == ["1/2", "3"]
    assert [(one.item_attribute, one.places) for one in filters.boosts] == [("color", 5)]
    shown = admin.get(address(row)).content.decode()
    assert '<option value="up:2" selected>' in shown
    assert 'value="likes"' in shown


def test_it_names_the_categories_in_the_language_of_the_reader() -> None:
    with translation.override("de"):
        names = [str(name) for _, name in scenario_form.CATEGORIES]
    assert names[2:4] == ["Bis zu 1 Ebene über der Kategorie", "Bis zu 2 Ebenen über der Kategorie"]
    assert str(scenario_form.CATEGORIES[2][1]) == "Up to 1 level above the category"


def test_it_closes_the_gap_that_an_empty_level_leaves(customer: str, row: Scenario, admin: Client) -> None:
    admin.post(address(row), sent(row, **{"placed-level": ["1", "3"]}))
    row.refresh_from_db()
    assert [one["models"][0]["model"] for one in row.strategy["levels"]] == ["near", "made"]


def test_it_makes_a_scenario_and_refuses_an_identifier_that_is_in_use(customer: str, admin: Client) -> None:
    given = sent(customer=customer, identifier="fresh")
    assert admin.post(NEW, given).status_code == 302
    assert Scenario.objects.filter(customer_id=customer, identifier="fresh").count() == 1
    again = admin.post(NEW, given)
    assert again.status_code == 422
    assert "choose another identifier" in again.content.decode()


def test_it_refuses_identifiers_that_fit_in_no_address(customer: str, admin: Client) -> None:
    for identifier in ("", "a b", "a.b", "a/b", "a:b", "a;b", "a\\b", "a'b", 'a"b', "a?b"):
        answer = admin.post(NEW, sent(customer=customer, identifier=identifier, name="Kept"))
        assert answer.status_code == 422, identifier
        assert 'value="Kept"' in answer.content.decode()
    assert Scenario.objects.filter(customer_id=customer, name="Kept").count() == 0


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "This field is required"),
    (
        {"placed-level": [], "placed-model": [], "placed-context": [], "placed-data": []},
        "at least one model",
    ),
    ({"placed-model": ["gone", "made"]}, "There is no model gone any more"),
    ({"placed-model": ["near"]}, "did not arrive whole"),
    ({"placed-level": ["7", "1"]}, "There are 4 levels"),
    ({"placed-level": ["0", "0"], "placed-model": ["near", "near"]}, "stands on one level twice"),
    ({"placed-context": ["none", "none"]}, "choose where its context comes from"),
    ({"placed-context": ["moon", "none"]}, "Input should be"),
    ({"placed-data": ["everything", "default"]}, "Input should be"),
    ({"category-0": "up:9"}, "less than or equal to 5"),
    ({"input_type": "99"}, "Select a valid choice"),
    ({"min_price": "-1"}, "greater than 0"),
    ({"min_price": "cheap"}, "Enter a number"),
    ({"max_shows": "0"}, "greater than or equal to 1"),
    ({"excluded_categories": "/"}, "whole site cannot be"),
    (
        {"boost-item_attribute": "a b", "boost-user_attribute": "x", "boost-places": "5"},
        "String should match pattern",
    ),
    ({"boost-item_attribute": "a", "boost-user_attribute": "x", "boost-places": "500"}, "equal to 99"),
    ({"version": "2001-01-01"}, "Somebody else changed this scenario"),
]


def test_it_keeps_what_was_typed_says_what_is_wrong_and_stores_nothing(
    customer: str, row: Scenario, admin: Client
) -> None:
    for changes, words in WRONG:
        answer = admin.post(address(row), sent(row, description="kept words", **changes))
        page = answer.content.decode()
        assert answer.status_code == 422, changes
        assert words in page, changes
        assert "kept words" in page
        before = (row.name, row.strategy, row.filters)
        row.refresh_from_db()
        assert (row.name, row.strategy, row.filters) == before


def test_it_refuses_submodels_of_a_kind_that_has_none_and_a_blacklist(
    customer: str, row: Scenario, admin: Client
) -> None:
    made.model(customer, "recently_added", identifier="new", build=False)
    made.model(customer, "blacklist", identifier="banned", build=False)
    changes = {"placed-model": ["new", "banned"], "placed-data": ["submodels", "default"]}
    page = admin.post(address(row), sent(row, **changes)).content.decode()
    assert "has neither submodels nor segments" in page
    assert "a blacklist is in force in every scenario" in page


def test_it_resets_a_default_scenario_and_deletes_one_for_good(customer: str, admin: Client) -> None:
    admin.get(LIST)
    other = new_account("Other").customer_id
    admin.get(LIST)
    front = Scenario.objects.get(customer_id=other, identifier="front")
    first = front.strategy
    Scenario.objects.filter(pk=front.pk).update(name="Changed", filters={})
    assert admin.post(address(front), {"action": "reset"}).status_code == 302
    front.refresh_from_db()
    assert (front.name, front.strategy) == ("Front page", first)
    assert admin.post(address(front), {"action": "delete"}).status_code == 302
    admin.get(LIST)
    assert not Scenario.objects.filter(pk=front.pk).exists()
    assert not Scenario.objects.filter(customer_id=other, identifier="front").exists()


def test_it_keeps_a_scenario_that_is_being_tested_or_is_no_default(
    customer: str, row: Scenario, admin: Client
) -> None:
    now = timezone.now()
    ScenarioTest.objects.create(
        customer_id=customer,
        scenario_a="made",
        scenario_b="x",
        starts_at=now,
        ends_at=now + timedelta(days=7),
    )
    assert admin.post(address(row), {"action": "delete"}).status_code == 422
    assert admin.post(address(row), {"action": "reset"}).status_code == 422
    assert Scenario.objects.filter(pk=row.pk).exists()


def test_it_shows_readers_no_button_and_takes_nothing_from_them(row: Scenario) -> None:
    reader = somebody("view_scenario")
    page = reader.get(address(row)).content.decode()
    assert "Primary models" in page
    assert "data-move" not in page
    assert 'value="save"' not in page
    assert "Add scenario" not in reader.get(LIST).content.decode()
    assert reader.get(NEW).status_code in (302, 403)
    for action in ("save", "delete", "reset"):
        assert reader.post(address(row), sent(row, action=action)).status_code in (302, 403)
    row.refresh_from_db()
    assert row.name == "made"
    nobody = somebody()
    for path in (LIST, address(row), f"{address(row)}preview/", "/admin/personalization/item-search/?q=x"):
        assert nobody.get(path).status_code in (302, 403)


# --- Preview -------------------------------------------------------------------------------------------


def preview(client: Client, row: Scenario, **given: Any) -> Any:
    return client.post(f"{address(row)}preview/", {"action": "send", "count": "6"} | given)


@pytest.fixture
def built(customer: str, row: Scenario) -> Scenario:
    made.model(customer, "popularity", signal="click")
    made.model(customer, "co_occurrence", signal="click", identifier="near")
    return row


def test_it_previews_what_the_api_answers_and_says_why(built: Scenario, customer: str, admin: Client) -> None:
    as_listed = preview(admin, built, items="38/1, 2").content.decode()
    assert "contextitems=1,2" in as_listed.replace("%2C", ",")
    answer = preview(admin, built, items="1", attributes="name", more="color=red")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Answer: 200, 3 items" in page
    assert "Place 2" in page
    assert "/media/2.jpg" in page
    assert "by near, because of 38/1" in page
    assert f"/api/v2/{customer}/not_defined/made.json?numrecs=6&amp;contextitems=1" in page
    assert "recommendationItems" in page
    real = admin.get(f"/api/v2/{customer}/not_defined/made.json?numrecs=6&contextitems=1")
    assert [one["itemId"] for one in real.json()["recommendationItems"]] == [2, 3, 4]


def test_it_previews_for_a_user_by_id_and_by_pseudonym(built: Scenario, customer: str, admin: Client) -> None:
    by_id = preview(admin, built, user="b").content.decode()
    assert "Starts from" in by_id
    by_pseudonym = preview(admin, built, pseudonym=identity.pseudonym(customer, "b")).content.decode()
    assert "Starts from" in by_pseudonym
    assert "Address of this request" not in by_pseudonym
    assert "Place 3" in by_pseudonym


def test_it_counts_no_call_for_a_preview(built: Scenario, customer: str, admin: Client) -> None:
    from personalization.server.statistics.calls import board

    board.forget()
    preview(admin, built, items="1")
    board.flush()
    assert not CallCount.objects.filter(customer_id=customer).exists()


WRONG_REQUESTS = [
    ({"count": "51"}, "less than or equal to 50"),
    ({"items": "a b"}, "contextitems"),
    ({"pseudonym": "nobody"}, "32 digits and letters"),
    ({"user": "a", "pseudonym": "0" * 32}, "not both"),
    ({"more": "red"}, "Write a name, = and a value"),
    ({"more": "usetimeslot=perhaps"}, "must be true or false"),
    ({"segments": "men"}, "must be ids of segments"),
]


def test_it_says_beside_the_field_what_a_request_may_not_hold(built: Scenario, admin: Client) -> None:
    for given, words in WRONG_REQUESTS:
        answer = preview(admin, built, **given)
        assert answer.status_code == 422, given
        assert words in answer.content.decode(), given


def test_it_says_what_is_missing_where_no_model_has_its_input(
    built: Scenario, customer: str, admin: Client
) -> None:
    made.scenario(customer, "near", identifier="made")
    page = preview(admin, built).content.decode()
    assert "Answer: 409" in page
    assert "name context items" in page


def test_it_finds_items_by_name_and_by_attribute(customer: str, admin: Client) -> None:
    made.stored(customer, {9: {"name": "Blå ski", "nominal": {"color": "red"}}})
    where = f"/admin/personalization/item-search/?customer={customer}&q="
    assert admin.get(f"{where}place 2").json()["items"] == [{"value": "38/2", "label": "Place 2"}]
    assert [one["value"] for one in admin.get(f"{where}Blå").json()["items"]] == ["38/9"]
    assert [one["value"] for one in admin.get(f"{where}color=RED").json()["items"]] == ["38/9"]
    assert admin.get(f"{where}color=re").json()["items"] == []
    assert admin.get(f"{where}").json()["items"] == []
    assert admin.get(f"{where}100%25").json()["items"] == []
    other = new_account("Other").customer_id
    assert admin.get(f"/admin/personalization/item-search/?customer={other}&q=place").json()["items"] == []
