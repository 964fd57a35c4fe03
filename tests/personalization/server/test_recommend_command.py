"""``manage.py recommend``: an answer explained in the terminal."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

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
    made.stored(customer_id, {n: {"price": f"{n}0.00EUR"} for n in range(1, 5)})
    made.happened(customer_id, did("click", "a", 1, 2, 3) + did("click", "b", 1, 2) + did("click", "c", 4))
    made.model(customer_id, "popularity", signal="click")
    made.model(customer_id, "co_occurrence", signal="click", identifier="near")
    made.scenario(customer_id, "near", "made", filters={"min_price": 30})
    return customer_id


def run(customer: str, **options: Any) -> str:
    out = StringIO()
    call_command("recommend", **{"customer": customer, "scenario": "made", "stdout": out} | options)
    return out.getvalue()


def test_it_tells_which_model_gave_what_and_what_filters_took_out(customer: str) -> None:
    told = json.loads(run(customer, query="contextitems=1", json=True))
    assert [(one["id"], one["model"], one["because_of"]) for one in told["items"]] == [
        ("3", "near", [[38, "1", "REQUEST"]]),
        ("4", "made", []),
    ]
    assert told["items"][0]["name"] == "Place 3"
    first, second = told["models"]
    assert (first["model"], first["taken_out"]) == ("near", {"price": 1})
    assert second["taken_out"] == {"excluded item": 1, "price": 1}


def test_it_speaks_to_people(customer: str) -> None:
    told = run(customer)
    assert "primary: near was not asked: no context items" in told
    assert "fallback 1: made gave 2; taken out by price 2" in told
    assert "1. 38/" in told


@pytest.mark.parametrize(
    ("options", "words", "code"),
    [
        ({"customer": "0"}, "is unknown", 2),
        ({"scenario": "mad"}, "Did you mean 'made'", 2),
        ({"query": "numrecs=0"}, "numrecs must be", 2),
        ({"scenario": "only"}, "lacks its input", 1),
    ],
)
def test_it_says_what_is_wrong(customer: str, options: dict[str, Any], words: str, code: int) -> None:
    made.scenario(customer, "near", identifier="only")
    with pytest.raises(CommandError, match=words) as fault:
        run(**{"customer": customer} | options)
    assert fault.value.returncode == code
