"""A scenario made ready for answering: documents validated, models looked up, kept for a second."""

from __future__ import annotations

import difflib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from personalization.server.defaults import ensure_defaults
from personalization.server.divisions import Divisions
from personalization.server.in_force import parameters_of
from personalization.server.models import Model, Scenario, ScenarioTest
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import Strategy
from personalization.server.statistics.significance import takes_b
from tracking import identity

KEPT_SECONDS = 1.0
NOT_DIVIDED = Divisions()


class UnknownScenario(LookupError):
    """The customer has no scenario of that name; the message lists those there are."""


@dataclass(frozen=True, kw_only=True)
class PlannedModel:
    """A model of the customer. ``pk`` is what links carry as ``modelid``."""

    pk: int
    identifier: str
    kind: str
    parameters: dict[str, Any]
    signal: str = ""
    divisions: Divisions = NOT_DIVIDED


def list_of(model: PlannedModel) -> str:
    """The editor's list of a model: the one that it names, else the one called like it."""
    return model.parameters["list"] or model.identifier


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything about a scenario that does not depend on the request."""

    identifier: str
    input_type: int | None
    output_types: tuple[int, ...]  # empty: every type
    strategy: Strategy
    filters: Filters
    models: dict[str, PlannedModel]
    # Of the customer, whether a level holds them or not.
    blacklists: tuple[PlannedModel, ...] = ()
    top_selling: PlannedModel | None = None
    stereotype: PlannedModel | None = None
    # A test that runs: its number, the other scenario and the percentage of users who get it.
    tested: tuple[int, str, int] | None = None
    updated_at: datetime


_kept: dict[tuple[str, str], tuple[float, Plan]] = {}


def plan_of(customer_id: str, identifier: str) -> Plan:
    """The plan of a scenario. Raises :class:`UnknownScenario`."""
    now = time.monotonic()
    kept = _kept.get((customer_id, identifier))
    if kept is None or now - kept[0] >= KEPT_SECONDS:
        kept = (now, read(customer_id, identifier))
        _kept[customer_id, identifier] = kept
    return kept[1]


def forget() -> None:
    """Read every plan afresh."""
    _kept.clear()


def read(customer_id: str, identifier: str) -> Plan:
    wanted = Scenario.objects.filter(customer_id=customer_id, identifier=identifier)
    row = wanted.first()
    if row is None:
        ensure_defaults(customer_id)
        row = wanted.first()
    if row is None:
        raise UnknownScenario(unknown(customer_id, identifier))
    strategy = Strategy.model_validate(row.strategy)
    names = {placed.model for level in strategy.levels for placed in level.models}
    every = [planned(one) for one in Model.objects.filter(customer_id=customer_id).order_by("pk")]
    return Plan(
        identifier=row.identifier,
        input_type=row.input_type,
        output_types=tuple(row.output_types),
        strategy=strategy,
        filters=Filters.model_validate(row.filters),
        models={one.identifier: one for one in every if one.identifier in names},
        blacklists=tuple(one for one in every if one.kind == "blacklist"),
        top_selling=next((one for one in every if (one.kind, one.signal) == ("popularity", "buy")), None),
        stereotype=next((one for one in every if one.kind == "stereotype"), None),
        tested=running_test(customer_id, identifier),
        updated_at=row.updated_at,
    )


def running_test(customer_id: str, identifier: str) -> tuple[int, str, int] | None:
    now = timezone.now()
    row = ScenarioTest.objects.filter(
        customer_id=customer_id, scenario_a=identifier, starts_at__lte=now, ends_at__gt=now
    ).first()
    return None if row is None else (row.pk, row.scenario_b, row.share_b)


def plan_for(customer_id: str, identifier: str, user: str) -> Plan:
    """The plan by which this user is answered: of the scenario, or of the one it is tested against."""
    plan = plan_of(customer_id, identifier)
    if plan.tested is None:
        return plan
    number, other, share = plan.tested
    # By the pseudonym, so that events tell of whom they are (statistics.groups).
    drawn = takes_b(identity.pseudonym(customer_id, user), str(number), share_b=share)
    return plan_of(customer_id, other) if drawn else plan


def planned(model: Model) -> PlannedModel:
    return PlannedModel(
        pk=model.pk,
        identifier=model.identifier,
        kind=model.kind,
        parameters=parameters_of(model),
        signal=model.signal,
        divisions=Divisions.model_validate(model.divisions) if model.divisions else NOT_DIVIDED,
    )


def unknown(customer_id: str, identifier: str) -> str:
    names = sorted(Scenario.objects.filter(customer_id=customer_id).values_list("identifier", flat=True))
    close = difflib.get_close_matches(identifier, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"The scenario {identifier[:64]!r} is unknown.{hint} Known scenarios: {', '.join(names)}."
