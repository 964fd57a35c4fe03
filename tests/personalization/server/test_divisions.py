"""Submodels, time slots and segment groups of a model (engine-protocol.md 5.8 to 5.11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from personalization.server import asked_attributes
from personalization.server.divisions import Divisions, SegmentGroup
from personalization.server.models import AskedAttribute, Model
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

COLORS = {1: "red", 2: "pink", 3: "blue", 4: "green", 5: "blue"}
WIDTHS = {1: 10, 2: 20, 3: 30, 4: 40, 5: 20}
DIVIDED: dict[str, Any] = {
    "nominal": [
        {
            "attribute": "color",
            "groups": [
                {"name": "reds", "values": ["red", "pink"]},
                {"name": "blues", "values": ["blue"]},
                {"name": "gold", "values": ["gold"]},
            ],
        }
    ],
    "numeric": [
        {"attribute": "width", "intervals": [{"end": 20}, {"start": 20, "end": 30}, {"start": 30, "end": 40}]}
    ],
}


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    asked_attributes.forget()
    made.forget()


@pytest.fixture
def customer(db: None) -> str:
    """Item 1 is clicked the most, 5 the least."""
    customer_id = new_account("Made").customer_id
    made.stored(
        customer_id,
        {n: {"nominal": {"color": color}, "numeric": {"width": WIDTHS[n]}} for n, color in COLORS.items()},
    )
    for item in COLORS:
        made.happened(customer_id, [one for n in range(9 - item) for one in did("click", f"u{n}", item)])
    return customer_id


def divided(customer: str, *, kind: str = "popularity", data: str = "submodels", **divisions: Any) -> None:
    made.model(customer, kind, signal="click", divisions=divisions)
    made.scenario(customer, {"models": [{"model": "made", "data": data}]})


EVERYTHING = ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ({"color": ("red",)}, ["1", "2"]),  # a group with products
        ({"color": ("gold",)}, []),  # a group without any
        ({"color": ("brown",)}, EVERYTHING),  # in no group
        ({}, EVERYTHING),  # not asked for
        ({"color": ("red", "blue")}, ["1", "2", "3", "5"]),  # several values add up
        ({"color": ("blue",), "width": ("20",)}, ["5"]),  # different attributes must both hold
        ({"width": ("20",)}, ["2", "5"]),  # from is part of an interval
        ({"width": ("40",)}, ["3", "4"]),  # of the last one the end is, too
        ({"width": ("41",)}, EVERYTHING),
        ({"width": ("wide",)}, EVERYTHING),
    ],
)
def test_it_recommends_from_the_submodels_asked_for(
    customer: str, asked: dict[str, tuple[str, ...]], right: list[str]
) -> None:
    divided(customer, **DIVIDED)
    assert made.listed(customer, attributes=asked) == right


@pytest.mark.parametrize(
    ("asked", "right"),
    [((10.0, 20.0), ["1"]), ((10.0, 25.0), ["1", "2", "5"]), ((40.0, 40.0), ["3", "4"])],
)
def test_it_recommends_from_the_intervals_that_a_range_meets(
    customer: str, asked: tuple[float, float], right: list[str]
) -> None:
    divided(customer, **DIVIDED)
    assert made.listed(customer, ranges={"width": asked}) == right


def test_it_uses_submodels_only_where_the_scenario_says_so(customer: str) -> None:
    divided(customer, data="default", **DIVIDED)
    assert made.listed(customer, attributes={"color": ("red",)}) == EVERYTHING


def test_it_goes_to_the_next_level_where_a_submodel_is_empty(customer: str) -> None:
    made.model(customer, "popularity", signal="click", divisions=DIVIDED)
    made.scenario(customer, {"models": [{"model": "made", "data": "submodels"}]}, "made")
    assert made.listed(customer, attributes={"color": ("gold",)}) == EVERYTHING


def test_it_finds_the_few_of_a_submodel_among_hundreds_of_neighbours(db: None) -> None:
    """120 items are nearer to item 1 than the only red one."""
    customer_id = new_account("Made").customer_id
    colors: dict[int | str, dict[str, Any]] = {n: {"nominal": {"color": "grey"}} for n in range(1, 122)}
    made.stored(customer_id, colors | {200: {"nominal": {"color": "red"}}})
    for user in ("a", "b"):
        made.happened(customer_id, did("click", user, 1, *range(2, 122)))
    made.happened(customer_id, did("click", "c", 1, 200))
    made.happened(customer_id, [one for n in range(60) for one in did("click", f"d{n}", 200, days=2)])
    only_red = {"nominal": [{"attribute": "color", "groups": [{"name": "red", "values": ["red"]}]}]}
    parameters = {"history_cap": 500}
    made.model(customer_id, "co_occurrence", signal="click", divisions=only_red, parameters=parameters)
    made.scenario(customer_id, {"models": [{"model": "made", "data": "submodels"}]})
    assert "200" not in made.listed(customer_id, context_ids=("1",), count=100)
    assert made.listed(customer_id, context_ids=("1",), attributes={"color": ("red",)}) == ["200"]


def test_it_divides_by_itself_what_is_asked_for(customer: str) -> None:
    divided(customer, dynamic=True)
    red = {"attributes": {"color": ("red",)}}
    assert made.listed(customer, **red) == EVERYTHING  # the first request asks for it
    made.model(customer, "popularity", signal="click", divisions={"dynamic": True})
    assert made.listed(customer, **red) == ["1"]
    AskedAttribute.objects.update(last_asked=datetime.now(UTC).date() - timedelta(days=6))
    made.model(customer, "popularity", signal="click", divisions={"dynamic": True})
    assert made.listed(customer, **red) == EVERYTHING
    assert not AskedAttribute.objects.exists()


def test_it_does_not_divide_by_more_than_fifty_values(db: None) -> None:
    customer_id = new_account("Made").customer_id
    made.stored(customer_id, {n: {"nominal": {"sku": f"s{n}"}} for n in range(1, 53)})
    made.happened(customer_id, did("click", "u", *range(1, 53)))
    divided(customer_id, dynamic=True)
    made.listed(customer_id, attributes={"sku": ("s1",)})
    made.model(customer_id, "popularity", signal="click", divisions={"dynamic": True})
    assert len(made.listed(customer_id, attributes={"sku": ("s1",)})) == 10


def test_it_prefers_what_is_usual_at_this_time_of_the_day(customer: str, settings: Any) -> None:
    now = datetime.now(ZoneInfo(settings.TIME_ZONE))
    begin = max(0, min(now.hour, 22))
    here = {"start": f"{begin:02}:00", "end": f"{begin + 2:02}:00"}
    other = (now.replace(hour=(begin + 12) % 24) - timedelta(days=2)).astimezone(UTC)
    days_ago = (datetime.now(UTC) - other).total_seconds() / 86_400
    made.happened(customer, [one for n in range(30) for one in did("click", f"x{n}", 1, days=days_ago)])
    made.happened(customer, [one for n in range(20) for one in did("click", f"y{n}", 5, days=2)])
    divided(customer, data="default", slots=[here])
    assert made.listed(customer)[0] == "1"
    assert made.listed(customer, use_slot=True)[0] == "5"
    assert sorted(made.listed(customer, use_slot=True)) == EVERYTHING


def test_it_recommends_what_a_segment_group_likes(customer: str) -> None:
    made.happened(customer, [one for n in range(5) for one in did("click", f"s{n}", 4, segments="7,11")])
    made.happened(customer, [one for n in range(3) for one in did("click", f"t{n}", 3, segments="7")])
    groups = [
        {"name": "women in Poland", "operator": "AND", "segments": [7, 11]},
        {"name": "women", "segments": [7]},
    ]
    divided(customer, data="segments", segments=groups)
    assert made.listed(customer) == ["4", "3", "1", "2", "5"]
    assert made.listed(customer, segments=(7,)) == ["4", "3"]
    assert made.listed(customer, segments=(7, 11)) == ["4", "3"]
    assert len(made.listed(customer, segments=(99,))) == 5


def test_it_reads_groups_as_the_documentation_does() -> None:
    """Women of that age from Poland or from Germany: 7 AND 8 AND (10 OR 11)."""
    group = SegmentGroup.model_validate(
        {
            "name": "made",
            "operator": "AND",
            "segments": [7, 8],
            "children": [{"operator": "OR", "segments": [10, 11]}],
        }
    )
    assert group.holds({7, 8, 10})
    assert group.holds({7, 8, 11})
    assert not group.holds({7, 8})
    assert not group.holds({7, 10, 11})
    assert group.ids() == {7, 8, 10, 11}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"slots": [{"start": "22:00", "end": "02:00"}]}, "before midnight"),
        ({"slots": [{"start": "08:00", "end": "10:00"}, {"start": "09:59", "end": "11:00"}]}, "overlap"),
        ({"slots": [{"start": "8", "end": "10:00"}]}, "from 00:00 to 24:00"),
        ({"numeric": [{"attribute": "w", "intervals": [{"end": 5}, {"start": 4}]}]}, "overlap"),
        ({"numeric": [{"attribute": "w", "intervals": [{"start": 5, "end": 5}]}]}, "below its end"),
        ({"nominal": [{"attribute": "a b", "groups": [{"name": "x", "values": ["y"]}]}]}, "pattern"),
        (
            {
                "nominal": [
                    {
                        "attribute": "a",
                        "groups": [{"name": "x", "values": ["v"]}, {"name": "y", "values": ["v"]}],
                    }
                ]
            },
            "more than one group",
        ),
        ({"segments": [{"name": "a", "segments": []}]}, "must name a segment"),
        ({"segments": [{"segments": [7]}]}, "a name of its own"),
        ({"colour": []}, "not permitted"),
    ],
)
def test_it_refuses_divisions_that_make_no_sense(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Divisions.model_validate(document)


def test_it_answers_by_the_main_model_until_a_new_submodel_is_built(customer: str) -> None:
    divided(customer, **DIVIDED)
    more = {"nominal": [{"attribute": "color", "groups": [{"name": "greens", "values": ["green"]}]}]}
    Model.objects.filter(customer_id=customer, identifier="made").update(divisions=more)
    made.forget()
    assert made.listed(customer, attributes={"color": ("green",)}) == EVERYTHING
    divided(customer, **more)
    assert made.listed(customer, attributes={"color": ("green",)}) == ["4"]
