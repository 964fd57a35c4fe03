"""Models in the back office: list, settings, submodels, builds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from config.jobs import queue
from config.jobs.models import Job, State
from personalization.server import bounds, division_text, training
from personalization.server.divisions import Divisions
from personalization.server.learning import registry
from personalization.server.models import Model
from tests.personalization.screens.conftest import logged, somebody
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
LIST = "/admin/personalization/models/"


def near(customer: str) -> Model:
    return Model.objects.get(customer_id=customer, identifier="near")


def address(model: Model) -> str:
    return f"/admin/personalization/model/{model.pk}/"


def sent(**changes: Any) -> dict[str, Any]:
    return {"action": "save", "name": "Near", "unit": "days"} | changes


def test_it_lists_each_model_with_its_scenarios_and_status(customer: str, admin: Client) -> None:
    made.model(customer, "co_occurrence", signal="click", identifier="near")
    page = admin.get(f"{LIST}?customer_id={customer}").content.decode()
    assert "near" in page
    assert " Active" in page
    assert "Not active" in page  # the other one was never built
    assert "made" in page


def test_it_finds_models_by_name_and_says_when_there_is_none(customer: str, admin: Client) -> None:
    assert address(near(customer)) in admin.get(f"{LIST}?q=near").content.decode()
    assert address(near(customer)) not in admin.get(f"{LIST}?q=nothing-like-it").content.decode()
    assert "No models match your query" in admin.get(f"{LIST}?q=nothing-like-it").content.decode()


def test_it_asks_for_few_queries_whatever_the_number_of_models(
    customer: str, admin: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        made.model(customer, "popularity", signal="click", identifier=f"m{number}", build=False)
    admin.get(LIST)  # what is made once
    with django_assert_max_num_queries(16):  # one of them where customers were read two seconds ago
        admin.get(f"{LIST}?customer_id={customer}")


def test_it_saves_settings_and_takes_them_back(customer: str, admin: Client) -> None:
    row = near(customer)
    answer = admin.post(
        address(row), sent(**{"parameter-window_days": "36", "unit": "hours", "parameter-least_support": "3"})
    )
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.name, row.parameters) == ("Near", {"window_days": 1.5, "least_support": 3})
    shown = admin.get(address(row)).content.decode()
    assert 'value="36"' in shown
    admin.post(address(row), sent())
    row.refresh_from_db()
    assert row.parameters == {}


def test_it_saves_divisions_and_shows_them_as_they_were_written(customer: str, admin: Client) -> None:
    row = near(customer)
    written = {
        "nominal-0-attribute": "color",
        "nominal-0-lines": "reds: red, pink\nblues: blue",
        "numeric-0-attribute": "width",
        "numeric-0-lines": ":20\n20:40",
        "dynamic": "on",
        "slots": "06:00-10:00",
        "segments": "young: 7 AND (10 OR 11)",
    }
    assert admin.post(address(row), sent(**written)).status_code == 302
    row.refresh_from_db()
    found = Divisions.model_validate(row.divisions)
    assert found.nominal[0].names_of(["pink"]) == ["color=reds"]
    assert found.numeric[0].holding(19) == ["width=:20.0"]
    assert found.segments[0].holds({7, 10})
    assert not found.segments[0].holds({7})
    shown = admin.get(address(row)).content.decode()
    assert "reds: red, pink" in shown
    assert "young: 7 AND (10 OR 11)" in shown
    assert "nominal-1-attribute" in shown  # a row for one more


WRONG = [
    ({"name": " "}, "This field is required"),
    ({"parameter-window_days": "1000"}, "less than or equal to 999"),
    ({"parameter-window_days": "soon"}, "Enter a whole number"),
    ({"parameter-damping": "7"}, "less than or equal to 2"),
    ({"parameter-least_support": "0"}, "greater than or equal to 1"),
    ({"nominal-0-attribute": "color"}, "Name an attribute and its values"),
    ({"nominal-0-attribute": "a b", "nominal-0-lines": "x: y"}, "letters, digits and underscores"),
    ({"nominal-0-attribute": "color", "nominal-0-lines": "red"}, "This line does not fit: red"),
    ({"nominal-0-attribute": "color", "nominal-0-lines": "a: red\nb: red"}, "more than one group"),
    ({"numeric-0-attribute": "width", "numeric-0-lines": "1:9\n5:12"}, "overlap"),
    ({"numeric-0-attribute": "width", "numeric-0-lines": "wide"}, "This line does not fit: wide"),
    ({"slots": "22:00-06:00"}, "must end after its start"),
    ({"slots": "noon"}, "This line does not fit: noon"),
    ({"segments": "mixed: 7 AND 8 OR 9"}, "This line does not fit"),
    ({"segments": "7"}, "This line does not fit"),
]


def test_it_says_beside_the_field_what_is_wrong_and_stores_nothing(customer: str, admin: Client) -> None:
    row = near(customer)
    for changes, words in WRONG:
        answer = admin.post(address(row), sent(**changes))
        assert answer.status_code == 422, changes
        assert words in answer.content.decode(), changes
        row.refresh_from_db()
        assert (row.name, row.parameters, row.divisions) == ("co_occurrence", {}, {})


def test_it_builds_a_model_when_asked_and_says_how_far_it_is(customer: str, admin: Client) -> None:
    row = near(customer)
    admin.post(address(row), {"action": "build"})
    admin.post(address(row), {"action": "build"})  # asked twice, built once
    jobs = Job.objects.filter(kind=training.JOB, key=row.job_key)
    assert jobs.count() == 1
    assert logged() == ["lodestar.build"]
    waiting = json.loads(admin.get(f"{address(row)}build/").content)["html"]
    assert "waits for a worker" in waiting
    queue.run_due()
    told = json.loads(admin.get(f"{address(row)}build/").content)["html"]
    assert "Active" in told
    assert "4 items" in told


def test_it_cancels_a_build_and_says_why_one_failed(customer: str, admin: Client) -> None:
    row = near(customer)
    admin.post(address(row), {"action": "build"})
    admin.post(address(row), {"action": "cancel"})
    assert Job.objects.get(kind=training.JOB, key=row.job_key).state == State.CANCELLED
    made.model(customer, "bundle", signal="buy", identifier="bundled")
    bundled = Model.objects.get(customer_id=customer, identifier="bundled")
    assert "There are no buy events" in admin.get(address(bundled)).content.decode()


def test_it_builds_nothing_of_a_kind_that_learns_nothing(customer: str, admin: Client) -> None:
    made.model(customer, "recently_added", identifier="new", build=False)
    row = Model.objects.get(customer_id=customer, identifier="new")
    assert "Trigger model build" not in admin.get(address(row)).content.decode()
    assert admin.post(address(row), {"action": "build"}).status_code == 422


def test_it_shows_readers_no_button_and_takes_nothing_from_them(customer: str) -> None:
    row = near(customer)
    reader = somebody("view_model")
    page = reader.get(address(row)).content.decode()
    assert "Relevant history" in page
    assert "Trigger model build" not in page
    assert 'value="save"' not in page
    assert reader.post(address(row), sent()).status_code in (302, 403)
    row.refresh_from_db()
    assert row.name == "co_occurrence"
    assert somebody("change_model").post(address(row), sent()).status_code == 302
    row.refresh_from_db()
    assert row.name == "Near"


def test_it_shows_nothing_without_a_permission(customer: str) -> None:
    nobody = somebody()
    for path in (LIST, address(near(customer)), f"{address(near(customer))}build/"):
        assert nobody.get(path).status_code in (302, 403)


def test_it_gives_a_customer_who_was_never_asked_the_usual_models(admin: Client) -> None:
    customer = new_account("New").customer_id
    Model.objects.filter(customer_id=customer).delete()
    page = admin.get(f"{LIST}?customer_id={customer}")
    assert page.status_code == 200


def test_every_parameter_of_every_kind_has_bounds_that_hold_its_default() -> None:
    for kind in registry.kinds().values():
        assert set(kind.defaults) <= set(bounds.BOUNDS), kind.name
        assert bounds.problems(kind, kind.defaults) == {}, kind.name


@pytest.mark.parametrize(
    "text", ["a: 7", "a: 7 AND 11", "a: 7 OR 11", "a: 7 AND (10 OR 11)", "a: (7 OR 8) AND (9 AND (1 OR 2))"]
)
def test_it_reads_a_rule_of_segments_as_it_writes_it(text: str) -> None:
    document = {"segments": division_text.segment_groups_of(text)}
    written = division_text.text_of_segments(Divisions.model_validate(document).segments)
    again = {"segments": division_text.segment_groups_of(written)}
    assert Divisions.model_validate(again) == Divisions.model_validate(document)


@pytest.mark.parametrize(
    "rule", ["", "7 AND", "AND 7", "(7", "7)", "7 XOR 8", "7 8", "7 OR (8)", "(" * 50, "7;8"]
)
def test_it_refuses_what_is_no_rule_of_segments(rule: str) -> None:
    with pytest.raises(division_text.WrongLine):
        division_text.segment_groups_of(f"a: {rule}")
