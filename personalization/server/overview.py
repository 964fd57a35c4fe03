"""Where each model and scenario of a customer stands (engine-protocol.md 5.7, 6.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Max, Prefetch, Q, QuerySet

from personalization.server.learning import registry
from personalization.server.models import Model, ModelBuild, Scenario
from personalization.server.scenarios.strategy import Strategy


class ModelStatus(StrEnum):
    ACTIVE = "Active"
    NOT_ACTIVE = "Not active"  # never built, or in no scenario
    BUILDING = "Build in progress"
    FAILED = "Failed"


class Availability(StrEnum):
    """Whether the models of a scenario deliver: all, some, none of them."""

    AVAILABLE = "AVAILABLE"
    PARTLY = "PARTLY_AVAILABLE"
    NOT = "NOT_AVAILABLE"


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """A line of a list of models. ``scenarios``: identifiers of those that ask it."""

    identifier: str
    name: str
    kind: str
    status: ModelStatus
    scenarios: tuple[str, ...]
    last_built: datetime | None
    items: int
    note: str  # why the newest build failed, else which settings were found on the customer's own events


def with_builds(rows: QuerySet[Model]) -> QuerySet[Model]:
    """Models with the builds that :func:`state` asks for: those that serve, and the newest of each."""
    newest = ModelBuild.objects.order_by().values("model").annotate(newest=Max("pk")).values("newest")
    wanted = Q(status=ModelBuild.Status.ACTIVE) | Q(pk__in=newest)
    return rows.prefetch_related(Prefetch("builds", ModelBuild.objects.filter(wanted)))


def models(customer_id: str) -> list[ModelState]:
    """Every model of a customer, in the order of their making."""
    used = scenarios_by_model(customer_id)
    rows = with_builds(Model.objects.filter(customer_id=customer_id).order_by("pk"))
    return [state(row, tuple(sorted(used.get(row.identifier, ())))) for row in rows]


def scenarios_by_model(customer_id: str) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for row in Scenario.objects.filter(customer_id=customer_id):
        for level in Strategy.model_validate(row.strategy).levels:
            for placed in level.models:
                used.setdefault(placed.model, set()).add(row.identifier)
    return used


def state(row: Model, scenarios: tuple[str, ...]) -> ModelState:
    builds = sorted(row.builds.all(), key=lambda build: -build.pk)
    newest = builds[0] if builds else None
    serving = next((one for one in builds if one.status == ModelBuild.Status.ACTIVE), None)
    return ModelState(
        identifier=row.identifier,
        name=row.name,
        kind=row.kind,
        status=status_of(row, newest, serving, used=bool(scenarios)),
        scenarios=scenarios,
        last_built=serving.finished_at if serving else None,
        items=serving.items if serving else 0,
        note=newest.error if newest and newest.status == ModelBuild.Status.FAILED else found(row),
    )


def found(row: Model) -> str:
    """Settings that do better on the customer's own events than those of the kind, and by how much."""
    better = row.chosen.get("parameters")
    if not better:
        return ""
    named = ", ".join(f"{name} {value:g}" for name, value in sorted(better.items()))
    return f"found: {named} ({row.chosen['start']:.4f} -> {row.chosen['score']:.4f})"


def status_of(
    row: Model, newest: ModelBuild | None, serving: ModelBuild | None, *, used: bool
) -> ModelStatus:
    if newest is not None and newest.status == ModelBuild.Status.BUILDING:
        return ModelStatus.BUILDING
    # A blacklist is in no scenario and in all of them.
    if not used and row.kind != "blacklist":
        return ModelStatus.NOT_ACTIVE
    if not registry.kind(row.kind).trained:
        return ModelStatus.ACTIVE
    if newest is not None and newest.status == ModelBuild.Status.FAILED:
        return ModelStatus.FAILED
    return ModelStatus.ACTIVE if serving else ModelStatus.NOT_ACTIVE


def scenarios(customer_id: str, rows: Iterable[Scenario] | None = None) -> dict[str, Availability]:
    """By scenario, all of them or ``rows``, whether its models deliver.

    One whose last build failed still serves the one before.
    """
    if rows is None:
        rows = Scenario.objects.filter(customer_id=customer_id).order_by("pk")
    known = with_builds(Model.objects.filter(customer_id=customer_id))
    deliver = {one.identifier for one in known if delivers(state(one, ()))}
    found = {}
    for row in rows:
        placed = {one.model for level in Strategy.model_validate(row.strategy).levels for one in level.models}
        delivering = placed & deliver
        if len(delivering) == len(placed):
            found[row.identifier] = Availability.AVAILABLE
        else:
            found[row.identifier] = Availability.PARTLY if delivering else Availability.NOT
    return found


def delivers(one: ModelState) -> bool:
    return one.last_built is not None or not registry.kind(one.kind).trained
