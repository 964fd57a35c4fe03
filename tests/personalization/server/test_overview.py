"""Statuses of models, and whether scenarios are available."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from personalization.server import overview
from personalization.server.models import Model, ModelBuild, Scenario
from personalization.server.overview import Availability, ModelStatus
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    made.forget()


@pytest.fixture
def customer(db: None) -> str:
    customer_id = new_account("Made").customer_id
    Scenario.objects.filter(customer_id=customer_id).delete()
    Model.objects.filter(customer_id=customer_id).delete()
    made.stored(customer_id, {1: {}, 2: {}})
    made.happened(customer_id, did("click", "a", 1, 2))
    made.model(customer_id, "popularity", signal="click")
    made.model(customer_id, "popularity", signal="buy", identifier="sold")  # nothing to learn from
    made.model(customer_id, "recently_added", identifier="new", build=False)
    made.model(customer_id, "blacklist", identifier="banned", build=False)
    made.model(customer_id, "popularity", signal="click", identifier="unused")
    made.scenario(customer_id, "made", "new", identifier="all")
    made.scenario(customer_id, "sold", "made", identifier="some")
    made.scenario(customer_id, "sold", "absent", identifier="none")
    return customer_id


def statuses(customer: str) -> dict[str, ModelStatus]:
    return {one.identifier: one.status for one in overview.models(customer)}


def test_it_tells_where_each_model_stands(customer: str) -> None:
    assert statuses(customer) == {
        "made": ModelStatus.ACTIVE,
        "sold": ModelStatus.FAILED,
        "new": ModelStatus.ACTIVE,
        "banned": ModelStatus.ACTIVE,
        "unused": ModelStatus.NOT_ACTIVE,
    }
    first, second, *_ = overview.models(customer)
    assert (first.items, first.scenarios, first.note) == (2, ("all", "some"), "")
    assert first.last_built is not None
    assert second.note.startswith("There are no buy events")
    ModelBuild.objects.create(model=Model.objects.get(customer_id=customer, identifier="made"))
    assert statuses(customer)["made"] == ModelStatus.BUILDING


def test_it_tells_which_scenarios_are_available(customer: str) -> None:
    assert overview.scenarios(customer) == {
        "all": Availability.AVAILABLE,
        "some": Availability.PARTLY,
        "none": Availability.NOT,
    }


def test_its_command_lists_them_without_a_build(customer: str) -> None:
    before = ModelBuild.objects.count()
    out = StringIO()
    call_command("build_models", customer=customer, status=True, stdout=out)
    assert "made" in out.getvalue()
    assert "Failed" in out.getvalue()
    out = StringIO()
    call_command("build_models", customer=customer, status=True, json=True, stdout=out)
    told = {row["model"]: row["status"] for row in json.loads(out.getvalue())}
    assert told["unused"] == "Not active"
    assert ModelBuild.objects.count() == before
