"""Settings of learners, found on the customer's own events."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from config.jobs.models import Job
from personalization.server import artefacts, choosing, in_force, overview, plans, training
from personalization.server.artefacts import shelf
from personalization.server.models import Model, ModelBuild
from tests.personalization.server.conftest import Account
from tests.personalization.server.made import Did, did, forget, happened

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def looking(people: int = 60) -> list[Did]:
    """Everybody looks at most items of a theme, in a visit weeks ago and in one of the last days."""
    found = []
    for one in range(people):
        theme = one % 5 * 10
        items = [theme + (one * 7 + step * 3) % 10 + 1 for step in range(8)]
        found += did("click", f"u{one}", *items[:5], days=20 + one % 10)
        found += did("click", f"u{one}", *items[5:], days=1 + one % 3)
    return found


def model_of(account: Account, kind: str, **parameters: Any) -> Model:
    row = Model.objects.filter(customer_id=account.customer_id, kind=kind).first()
    assert row is not None
    row.parameters = parameters
    row.chosen = {}
    row.save()
    return row


@pytest.mark.parametrize("kind", ["for_you", "visits"])
def test_it_keeps_what_does_better(account: Account, kind: str) -> None:
    happened(account.customer_id, looking())
    model = model_of(account, kind)

    said = choosing.choose(model)

    assert said["score"] >= said["start"] > 0
    assert bool(said["parameters"]) == (said["score"] > said["start"])
    model.refresh_from_db()
    assert model.chosen == said
    assert in_force.parameters_of(model).items() >= said["parameters"].items()
    plans.forget()
    assert overview.found(model).startswith("found: ") == bool(said["parameters"])


def test_a_build_learns_with_what_was_found_unless_an_editor_set_it(account: Account) -> None:
    happened(account.customer_id, looking())
    model = model_of(account, "for_you", penalty=7.0)
    model.chosen = {"version": 1, "parameters": {"penalty": 10.0, "candidates": 3, "of_old": 1.0}}
    model.save()

    assert training.build(model).status == ModelBuild.Status.ACTIVE

    forget()
    artefact = shelf.current(account.customer_id, model.identifier)
    assert artefact is not None
    home = artefacts.folder(account.customer_id, model.identifier)
    known = json.loads((home / artefact.version / "manifest.json").read_text())["parameters"]
    assert known.items() >= {"penalty": 7.0, "candidates": 3}.items()
    assert "of_old" not in known


def test_an_editors_setting_is_not_tried(account: Account) -> None:
    happened(account.customer_id, looking())
    model = model_of(account, "for_you", filter=0.25, penalty=2.0)

    said = choosing.choose(model)

    assert not {"filter", "penalty"} & said["parameters"].keys()


def test_later_events_judge_and_are_not_learnt_from(account: Account) -> None:
    """Everybody moves on to another theme: what held in the earlier part says nothing about the later."""
    moved = [
        one
        for person in range(40)
        for one in (
            *did("click", f"u{person}", *range(1, 5), days=30),
            *did("click", f"u{person}", 51, days=2),
        )
    ]
    happened(account.customer_id, moved)
    said = choosing.choose(model_of(account, "for_you"))
    # None of the later items was known before, so there is nothing to compare with.
    assert "too few" in said["reason"]
    assert said["parameters"] == {}


def test_nothing_is_found_without_events(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    model = model_of(account, "for_you")
    said = choosing.choose(model)
    assert said["parameters"] == {}
    assert "no click" in said["reason"].lower() or "There are no" in said["reason"]
    call_command("build_models", "--customer", account.customer_id, "--choose")
    assert f"{model.identifier}: {said['reason']}" in capsys.readouterr().out


def test_its_turn_comes_an_hour_after_the_first_build_and_then_weekly(account: Account) -> None:
    model = model_of(account, "for_you")
    Job.objects.all().delete()

    def due() -> bool:
        choosing.choose_all()
        found, _ = Job.objects.filter(kind=choosing.JOB, payload={"model": model.pk}).delete()
        return bool(found)

    assert not due()
    build = ModelBuild.objects.create(
        model=model, status=ModelBuild.Status.ACTIVE, finished_at=timezone.now()
    )
    assert not due()
    ModelBuild.objects.filter(pk=build.pk).update(finished_at=timezone.now() - timedelta(hours=2))
    assert due()
    model.chosen = {"at": (timezone.now() - timedelta(days=6)).isoformat()}
    model.save()
    assert not due()
    model.chosen = {"at": (timezone.now() - timedelta(days=8)).isoformat()}
    model.save()
    assert due()
