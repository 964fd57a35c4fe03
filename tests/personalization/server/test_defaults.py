"""The models and scenarios that customers start with, and the table of what the engine covers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from personalization.server import defaults, plans, training
from personalization.server.learning import registry
from personalization.server.models import GivenDefaults, Model, ModelBuild, Scenario
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import Strategy
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tests.personalization.server.made import did

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| (?:`([^`]+)`: (\w+))? ?\| ?([^|]*)\|$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    made.forget()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["commerce", "publisher"])
def test_it_gives_every_account_type_its_scenarios(kind: str) -> None:
    customer = new_account("Made", kind=kind).customer_id
    defaults.ensure_defaults(customer)
    placed = Scenario.objects.filter(customer_id=customer)
    assert placed.count() >= 12
    models = {row.identifier: row for row in Model.objects.filter(customer_id=customer)}
    for row in placed:
        Filters.model_validate(row.filters)
        for level in Strategy.model_validate(row.strategy).levels:
            assert {one.model for one in level.models} <= set(models), row.identifier
    for row in models.values():
        registry.with_defaults(registry.kind(row.kind), row.parameters)
    other = defaults.scenarios_of(commerce=kind != "commerce")
    own = set(placed.values_list("identifier", flat=True))
    assert own & set(other) == set(defaults.SCENARIOS)


@pytest.mark.django_db
def test_it_keeps_what_an_editor_made_of_a_default() -> None:
    customer = new_account("Made").customer_id
    defaults.ensure_defaults(customer)
    Scenario.objects.filter(customer_id=customer, identifier="front").update(name="Mine")
    Scenario.objects.filter(customer_id=customer, identifier="popular").delete()
    defaults.ensure_defaults(customer)
    names = dict(Scenario.objects.filter(customer_id=customer).values_list("identifier", "name"))
    assert names["front"] == "Mine"
    assert "popular" not in names
    with pytest.raises(plans.UnknownScenario):
        plans.plan_of(customer, "popular")


@pytest.mark.django_db
def test_it_gives_a_customer_what_a_new_version_brings() -> None:
    customer = new_account("Made").customer_id
    defaults.ensure_defaults(customer)
    given = GivenDefaults.objects.get(pk=customer)
    given.scenario_names = [
        name for name in given.scenario_names if name != "related"
    ]  # as of an earlier version
    given.save()
    Scenario.objects.filter(customer_id=customer).delete()
    defaults.ensure_defaults(customer)
    assert [row.identifier for row in Scenario.objects.filter(customer_id=customer)] == ["related"]


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_it_answers_every_default_scenario_of_a_shop_with_events() -> None:
    customer = new_account("Made", kind="commerce").customer_id
    made.stored(customer, {n: {"price": f"{n}0.00EUR"} for n in range(1, 10)})
    for n in range(6):
        past = did("click", f"u{n}", 1, 2, 3, 4, days=3) + did("buy", f"u{n}", 2, 3, days=2)
        made.happened(customer, past + did("rate", f"u{n}", 3, 4, rating=80) + did("basket", f"u{n}", 1))
    for n in range(3):
        more = did("click", f"v{n}", 2, 4, 7, 8, 9, days=3) + did("buy", f"v{n}", 1, 7, 8, days=2)
        made.happened(customer, more)
    for days in (20.0, 10.0):
        made.happened(customer, did("buy", "u0", 5, days=days))
    builds = training.build_all(customer)
    assert {build.status for build in builds} == {ModelBuild.Status.ACTIVE}
    made.forget()
    empty = {
        name
        for name in defaults.scenarios_of(commerce=True)
        if not made.listed(customer, identifier=name, user="u0", context_ids=("2",))
    }
    assert empty == {"editorial"}  # until an editor writes the list


def test_it_covers_every_row_of_the_feature_table() -> None:
    rows = ROW.findall((ROOT / "docs" / "coverage.md").read_text())
    assert [int(number) for number, *_ in rows] == list(range(1, 182))
    sources: dict[str, str] = {}
    for number, path, name, reason in rows:
        assert bool(path) != bool(reason.strip()), f"row {number} needs a test or a reason"
        if path:
            source = sources.setdefault(path, (ROOT / path).read_text())
            assert f"def test_{name}(" in source, f"row {number}: {path} has no test {name}"
